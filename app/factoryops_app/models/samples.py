"""The newest samples of every series, kept in rings; views take what is new when they paint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.domain.time import US_PER_S, now_us
from factoryops_resources.words import say
from factoryops_widgets.ring_buffer import RingView, SampleRing

RING_ROWS: Final = 3_600
FEWEST_ROWS: Final = 600
ALL_ROWS: Final = 2_000_000
"""Room for all rings together, so that a large plant does not fill the memory."""
STALE_PERIODS: Final = 3
USUAL_PERIOD_US: Final = 10 * US_PER_S
SHORTEST_PATIENCE_US: Final = 5 * US_PER_S
_PERIOD_SAMPLES: Final = 12
_TAP_ROWS: Final = 200_000
_TEXT: Final = int(SampleFlag.TEXT)
_BOOLEAN: Final = int(SampleFlag.BOOLEAN)

Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest sample of a series.

    Attributes:
        time_us: its own time.
        arrived_us: when it reached this program; equal to `time_us` where it came with the first picture.
    """

    time_us: int
    value: float
    flags: int
    arrived_us: int


@dataclass(eq=False, slots=True)
class Tap:
    """What came for some series since the last look.

    Attributes:
        has_overflowed: more came than was kept, so history must be asked again.
    """

    series: frozenset[int]
    has_overflowed: bool = False
    _parts: dict[int, list[tuple[Times, Values]]] = field(default_factory=dict)
    _rows: int = 0

    def put(self, series: int, time_us: Times, value: Values) -> None:
        """Keep samples for the next look."""
        if self._rows + len(time_us) > _TAP_ROWS:
            self._parts.clear()
            self._rows = 0
            self.has_overflowed = True
        self._parts.setdefault(series, []).append((time_us, value))
        self._rows += len(time_us)

    def drain(self) -> Iterator[tuple[int, Times, Values]]:
        """Series, times and values since the last look."""
        parts, self._parts, self._rows = self._parts, {}, 0
        for series, pieces in parts.items():
            if len(pieces) == 1:
                yield series, *pieces[0]
            else:
                yield series, np.concatenate([one[0] for one in pieces]), np.concatenate([one[1] for one in pieces])


class SampleStore:
    """Rings and newest values by series id."""

    def __init__(self, clock: Callable[[], int] = now_us) -> None:
        self._clock = clock
        self._rings: dict[int, SampleRing] = {}
        self._newest: dict[int, Reading] = {}
        self._taps: list[Tap] = []
        self._rows = RING_ROWS
        self._texts: dict[int, str] = {}
        self.lacks_texts = False
        """Whether a text came live whose code is not known yet."""
        self.newest_us = 0
        """Time of the newest sample of all."""

    def expect(self, series_count: int) -> None:
        """Share the memory among so many series; rings that exist stay as they are."""
        self._rows = max(FEWEST_ROWS, min(RING_ROWS, ALL_ROWS // max(1, series_count)))

    def add_live(self, samples: SampleColumns) -> None:
        """Take in samples that have just arrived."""
        arrived_us = self._clock()
        for series, time_us, value, flags in _by_series(samples):
            self._ring(series).append(time_us, value, flags)
            self._renew(series, arrived_us)
            if flags[-1] & _TEXT and int(value[-1]) not in self._texts:
                self.lacks_texts = True
            for tap in self._taps:
                if series in tap.series:
                    tap.put(series, time_us, value)

    @property
    def texts(self) -> Mapping[int, str]:
        """What codes stand for, as far as it is known."""
        return self._texts

    def is_text(self, series: int) -> bool:
        """Whether the newest sample of a series is a text, which cannot be drawn as a line."""
        held = self._newest.get(series)
        return held is not None and bool(held.flags & _TEXT)

    def is_discrete(self, series: int) -> bool:
        """Whether the newest sample is a text or true or false, which hold until the next."""
        held = self._newest.get(series)
        return held is not None and bool(held.flags & (_TEXT | _BOOLEAN))

    def words(self, value: float, flags: int) -> str:
        """What people read for a value that is no number: the text, or yes or no; "" for a number."""
        if flags & _TEXT:
            return self._texts.get(int(value), "\N{HORIZONTAL ELLIPSIS}")
        if flags & _BOOLEAN:
            return say("yes") if value else say("no")
        return ""

    def add_latest(self, series: int, time_us: int, value: float, flags: int, text: str | None = None) -> None:
        """Take in the newest sample the service knows."""
        if text is not None:
            self._texts[int(value)] = text
        held = self._newest.get(series)
        if held is None or held.time_us < time_us:
            self._newest[series] = Reading(time_us, value, flags, time_us)
            self.newest_us = max(self.newest_us, time_us)

    def add_history(self, series: int, time_us: Times, value: Values) -> None:
        """Fill a ring with what happened before, or while the link was lost."""
        if len(time_us):
            self._ring(series).append(time_us, value)

    def reading(self, series: int) -> Reading | None:
        """The newest sample of a series."""
        return self._newest.get(series)

    def view(self, series: int, start_us: int | None = None) -> RingView | None:
        """The kept samples of a series from `start_us` on."""
        ring = self._rings.get(series)
        return ring.view(start_us) if ring is not None else None

    def patience_us(self, series: int) -> int:
        """Age from which a value of this series is stale: three of its usual periods, at least some seconds."""
        ring = self._rings.get(series)
        period_us = USUAL_PERIOD_US
        if ring is not None and len(ring) > 2:
            times = ring.view().time_us[-_PERIOD_SAMPLES:]
            period_us = int(np.median(np.diff(times)))
        return max(STALE_PERIODS * period_us, SHORTEST_PATIENCE_US)

    def is_stale(self, series: int, now: int) -> bool:
        """Whether the newest value is older than three of its usual periods."""
        held = self._newest.get(series)
        return held is not None and now - held.arrived_us > self.patience_us(series)

    def tap(self, series: Iterable[int]) -> Tap:
        """Collect what comes for these series until `close_tap`."""
        tap = Tap(frozenset(series))
        self._taps.append(tap)
        return tap

    def close_tap(self, tap: Tap) -> None:
        """Stop collecting."""
        self._taps = [one for one in self._taps if one is not tap]

    @property
    def open_taps(self) -> int:
        """How many views collect samples."""
        return len(self._taps)

    def clear(self) -> None:
        """Forget everything."""
        self._rings.clear()
        self._newest.clear()
        self._texts.clear()
        self.lacks_texts = False
        self._taps.clear()
        self.newest_us = 0

    def _ring(self, series: int) -> SampleRing:
        ring = self._rings.get(series)
        if ring is None:
            ring = self._rings[series] = SampleRing(self._rows)
        return ring

    def _renew(self, series: int, arrived_us: int) -> None:
        last = self._rings[series].last
        held = self._newest.get(series)
        if last is not None and (held is None or last[0] >= held.time_us):
            self._newest[series] = Reading(last[0], last[1], last[2], arrived_us)
            self.newest_us = max(self.newest_us, last[0])


def _by_series(samples: SampleColumns) -> Iterator[tuple[int, Times, Values, npt.NDArray[np.uint8]]]:
    """Samples of each series, ordered by time."""
    if not len(samples):
        return
    ordered = samples.sorted_unique()
    starts = np.flatnonzero(np.diff(ordered.series, prepend=ordered.series[0] - 1))
    for start, end in zip(starts, np.append(starts[1:], len(ordered)), strict=True):
        part = slice(int(start), int(end))
        yield int(ordered.series[start]), ordered.time_us[part], ordered.value[part], ordered.flags[part]
