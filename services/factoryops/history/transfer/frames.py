"""What an export writes: pieces of one table, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Times:
    """A column of moments: int64[n], microseconds since 1970 (UTC)."""

    time_us: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Values:
    """A column of values.

    Attributes:
        numbers: float64[n], NaN where there is none.
        words: by row, what stands for a truth or a text; those rows' numbers are 1, 0, or NaN for a text.
    """

    numbers: npt.NDArray[np.float64]
    words: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counts:
    """A column of whole numbers: int64[n], -1 where there is none."""

    numbers: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Names:
    """A column of texts; one text stands for all rows."""

    texts: list[str] | str


OutColumn = Times | Values | Counts | Names


@dataclass(frozen=True, slots=True)
class Frame:
    """Some rows of the table; every frame of an export has the same columns."""

    rows: int
    columns: Sequence[OutColumn]


@dataclass(frozen=True, slots=True)
class OutSeries:
    """A series to be exported.

    Attributes:
        identity: the series id.
    """

    identity: int
    device: str
    parameter: str
    unit: str

    @property
    def name(self) -> str:
        """What its column is called in a wide table."""
        return f"{self.device}/{self.parameter}"
