"""Recorded samples as conditions saw them: the on-time ones of a series, at our time, in its order.

What was late or imported moved no condition and is passed over. A device's own time is corrected by the offset that
was in force (decision 0036 says where that cannot be told any more).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.history.clock_changes import ClockChange

Times = npt.NDArray[np.int64]
Span = tuple[int, int]
Chunks = Callable[[int, int, int], Iterable[SampleColumns]]
"""The stored samples of a series in a span of its device's own time, in order, piece by piece."""

_NEVER_MOVES: Final = np.uint8(SampleFlag.LATE | SampleFlag.IMPORTED)
_LATE: Final = np.uint8(SampleFlag.LATE)
_IMPORTED: Final = np.uint8(SampleFlag.IMPORTED)
_AT_OUR_TIME: Final = np.uint8(SampleFlag.RECEIVE_TIME | SampleFlag.CALCULATED)
"""These times are ours already."""

_LONG_AGO: Final = np.iinfo(np.int64).min
_NEVER: Final = np.iinfo(np.int64).max


class Tally(NamedTuple):
    """How many samples were read: on-time ones, and those that never move a condition."""

    on_time: int = 0
    late: int = 0
    imported: int = 0

    def __add__(self, other: object) -> Tally:
        """Both together."""
        if not isinstance(other, Tally):
            return NotImplemented
        return Tally(self.on_time + other.on_time, self.late + other.late, self.imported + other.imported)


class Read(NamedTuple):
    """What was read of a series.

    Attributes:
        span: of the device's own time.
        stored: samples found there, whatever they are good for.
    """

    series: int
    span: Span
    stored: int


class Offsets:
    """A device's clock offsets, by its own time; the newest change that covers a time counts.

    Args:
        changes: of one device, in their order.
    """

    def __init__(self, changes: Sequence[ClockChange] = ()) -> None:
        self._changes = changes
        offsets = [0, *(one.offset_us for one in changes)]
        self._least_us, self._greatest_us = min(offsets), max(offsets)

    def device_span(self, span: Span) -> Span:
        """The device's own times that may lie in [start, end) of ours."""
        return span[0] - self._greatest_us, span[1] - self._least_us

    def corrected(self, samples: SampleColumns) -> Times:
        """int64[n], our time of each sample: under no offset later than the moment at which the next one was found."""
        if not self._changes:
            return samples.time_us
        time_us = np.minimum(samples.time_us, self._changes[0].received_us)
        until_us = [*(one.received_us for one in self._changes[1:]), _NEVER]
        for change, received_us in zip(self._changes, until_us, strict=True):
            is_later = samples.time_us >= change.from_us
            time_us[is_later] = np.minimum(samples.time_us[is_later] + change.offset_us, received_us)
        is_ours = (samples.flags & _AT_OUR_TIME) != 0
        time_us[is_ours] = samples.time_us[is_ours]
        return time_us


class Feed:
    """One series' on-time samples within a span of our time.

    Attributes:
        tally / read: what was read so far.
    """

    def __init__(self, series: int, span: Span, chunks: Chunks, offsets: Offsets) -> None:
        self.tally = Tally()
        self.read = Read(series, offsets.device_span(span), 0)
        self._span = span
        self._offsets = offsets
        self._given_us = _LONG_AGO
        self._pieces = self._judge_all(iter(chunks(series, *self.read.span)))
        self._waiting = SampleColumns.empty()
        self._is_over = False

    def pieces(self) -> Iterator[SampleColumns]:
        """All of them, piece by piece; times ascend, a moment may come twice."""
        return self._pieces

    @property
    def next_us(self) -> int:
        """The time of the first that was not given yet; for ever when there is none."""
        self._wait_for_some()
        return int(self._waiting.time_us[0]) if len(self._waiting) else _NEVER

    def end_of_step(self, until_us: int, most: int) -> int:
        """The latest moment up to `until_us` before which no more than `most` are at hand that were not given yet."""
        self._wait_for_some()
        if not len(self._waiting):
            return until_us
        end_us = self._waiting.time_us[most] if len(self._waiting) > most else self._waiting.time_us[-1] + 1
        return min(until_us, int(end_us))

    def _wait_for_some(self) -> None:
        if not len(self._waiting) and not self._is_over:
            self._read_on()

    def _read_on(self) -> None:
        piece = next(self._pieces, None)
        self._is_over = piece is None
        self._waiting = SampleColumns.empty() if piece is None else piece

    def until(self, until_us: int) -> SampleColumns:
        """Those before `until_us` that were not given yet."""
        parts: list[SampleColumns] = []
        while not self._is_over and (not len(self._waiting) or self._waiting.time_us[-1] < until_us):
            parts.append(self._waiting)
            self._read_on()
        cut = int(np.searchsorted(self._waiting.time_us, until_us))
        parts.append(self._waiting.part(0, cut))
        self._waiting = self._waiting.part(cut, len(self._waiting))
        return SampleColumns.joined([part for part in parts if len(part)])

    def _judge_all(self, chunks: Iterator[SampleColumns]) -> Iterator[SampleColumns]:
        for stored in chunks:
            self.read = self.read._replace(stored=self.read.stored + len(stored))
            piece = self._judged(stored)
            if len(piece):
                self._given_us = int(piece.time_us[-1])
                yield piece

    def _judged(self, stored: SampleColumns) -> SampleColumns:
        """What conditions saw of stored samples."""
        time_us = self._offsets.corrected(stored)
        is_inside = (time_us >= self._span[0]) & (time_us < self._span[1])
        never = stored.flags & _NEVER_MOVES
        is_seen = is_inside & (never == 0)
        self._count(never[is_inside], int(np.count_nonzero(is_seen)))
        if is_seen.all():
            piece = SampleColumns(stored.series, time_us, stored.value, stored.flags)
        else:
            piece = SampleColumns(
                stored.series[is_seen], time_us[is_seen], stored.value[is_seen], stored.flags[is_seen]
            )
        return self._in_order(piece)

    def _count(self, never: npt.NDArray[np.uint8], on_time: int) -> None:
        late = int(np.count_nonzero(never & _LATE))
        self.tally += Tally(on_time, late, int(np.count_nonzero(never & _IMPORTED)))

    def _in_order(self, piece: SampleColumns) -> SampleColumns:
        """Where offsets changed, times may run back: such samples would have been late."""
        if not len(piece) or (piece.time_us[0] >= self._given_us and (np.diff(piece.time_us) >= 0).all()):
            return piece
        ordered = piece.take(np.argsort(piece.time_us, kind="stable"))
        return ordered.take(ordered.time_us >= self._given_us)
