"""The newest samples of the series that conditions look at: all that are not evaluated yet, and the one before."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from factoryops.domain.expressions.track import FOR_EVER
from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.rules.threshold import NOTHING, Band

_NO_VALUE: Final = np.uint8(SampleFlag.TEXT | SampleFlag.UNCERTAIN)


class SampleTable:
    """Samples of many series in one set of columns, so that a step costs the same however many series there are.

    Each watched series has a band, of values that change nothing.

    Attributes:
        watched: int64[n], the ids of the series, rising.
    """

    def __init__(self) -> None:
        self.watched: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._low = np.empty(0, np.float64)
        self._high = np.empty(0, np.float64)
        self._rows = SampleColumns.empty()
        self._arrived: list[SampleColumns] = []

    def watch(self, series: set[int]) -> None:
        """Keep samples of these series and no others; those that are new want to see every sample."""
        watched = np.array(sorted(series), np.int64)
        low, high = np.full(len(watched), NOTHING.low), np.full(len(watched), NOTHING.high)
        place = np.searchsorted(self.watched, watched)
        if len(self.watched):
            is_old = self.watched[np.minimum(place, len(self.watched) - 1)] == watched
            low[is_old], high[is_old] = self._low[place[is_old]], self._high[place[is_old]]
        self.settle()
        self.watched, self._low, self._high = watched, low, high
        self._rows = self._rows.take(np.isin(self._rows.series, watched))

    def chosen(self, samples: SampleColumns) -> SampleColumns:
        """Those of watched series."""
        if not len(self.watched):
            return SampleColumns.empty()
        place = np.minimum(np.searchsorted(self.watched, samples.series), len(self.watched) - 1)
        return samples.take(self.watched[place] == samples.series)

    def add(self, samples: SampleColumns) -> None:
        """Take samples of watched series, in the order in which they came: the later one of the same time wins."""
        if len(samples):
            self._arrived.append(samples)

    def settle(self) -> None:
        """Put what was added in its place."""
        if self._arrived:
            self._rows = SampleColumns.joined([self._rows, *self._arrived]).sorted_unique()
            self._arrived.clear()

    def of(self, series: int) -> SampleColumns:
        """What is held of one series."""
        rows = self._rows.series
        return self._rows.part(int(np.searchsorted(rows, series)), int(np.searchsorted(rows, series, "right")))

    def earliest_us(self, since_us: int) -> int:
        """The first time from `since_us` on of any sample; FOR_EVER when there is none."""
        later = self._rows.time_us[self._rows.time_us >= since_us]
        return int(later.min()) if len(later) else FOR_EVER

    def set_band(self, series: int, band: Band) -> None:
        """What changes nothing of one series."""
        place = int(np.searchsorted(self.watched, series))
        self._low[place], self._high[place] = band

    def restless(self, since_us: int, until_us: int) -> list[int]:
        """The series with a sample of the step outside their band, or without a value."""
        rows = self._rows
        chosen = np.flatnonzero((rows.time_us >= since_us) & (rows.time_us < until_us))
        place = np.searchsorted(self.watched, rows.series[chosen])
        value = rows.value[chosen]
        is_outside = (value < self._low[place]) | (value > self._high[place])
        is_outside |= (rows.flags[chosen] & _NO_VALUE) != 0
        found: list[int] = self.watched[np.unique(place[is_outside])].tolist()
        return found

    def forget(self, since_us: int) -> None:
        """Let go of samples before `since_us`, but for the newest of each series."""
        rows = self._rows
        is_needed = rows.time_us >= since_us
        is_needed[:-1] |= is_needed[1:] | (rows.series[1:] != rows.series[:-1])
        if len(rows):
            is_needed[-1] = True
        if not is_needed.all():
            self._rows = rows.take(is_needed)

    def all(self) -> SampleColumns:
        """Everything that is held, by series and time."""
        self.settle()
        return self._rows
