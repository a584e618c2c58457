"""All that programs must remember across a restart."""

from __future__ import annotations

import msgspec
import numpy as np

from factoryops.domain.expressions.track import FOR_EVER
from factoryops.domain.samples import SampleColumns
from factoryops.rules.conditions.program import ProgramState


class HeldGap(msgspec.Struct, frozen=True, array_like=True):
    """A recorded gap, as far as it lay ahead when it was told.

    Attributes:
        factory: "" when it concerned every one.
        start_us: where it began, or what was evaluated up to when it was told; older states did not keep it: of their
            gaps the end alone counts.
    """

    end_us: int
    factory: str
    start_us: int = FOR_EVER


class ColumnsState(msgspec.Struct, frozen=True, array_like=True):
    """Samples, column by column."""

    series: bytes
    time_us: bytes
    value: bytes
    flags: bytes

    @classmethod
    def of(cls, samples: SampleColumns) -> ColumnsState:
        """The state of `samples`."""
        return cls(
            samples.series.tobytes(), samples.time_us.tobytes(), samples.value.tobytes(), samples.flags.tobytes()
        )

    @property
    def samples(self) -> SampleColumns:
        """The samples of this state."""
        return SampleColumns(
            np.frombuffer(self.series, np.int64),
            np.frombuffer(self.time_us, np.int64),
            np.frombuffer(self.value, np.float64),
            np.frombuffer(self.flags, np.uint8),
        )


class ProgramsState(msgspec.Struct, frozen=True):
    """Of all programs of all factories.

    Attributes:
        since_us: the watermark up to which everything is evaluated.
        known: int64[n], the series that on-time samples came of.
        faults: why rules are stopped, by id.
        newest / windows: the samples they hold.
    """

    since_us: int
    programs: list[ProgramState]
    known: bytes
    gaps: list[HeldGap]
    faults: dict[str, str]
    newest: ColumnsState
    windows: ColumnsState
