"""The samples behind one pen: history and live, seen as one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from factoryops.domain.bins import BinnedSeries, bin_samples
from factoryops.domain.time import US_PER_S
from factoryops_widgets.decimation import (
    Line,
    Times,
    Values,
    bins_between,
    break_after_us,
    find_breaks,
    merged_bins,
    min_max_columns,
)
from factoryops_widgets.ring_buffer import SampleRing
from factoryops_widgets.trend_types import PenStatistics

LIVE_CAPACITY: Final = 20_000
_NO_TIMES: Final = np.empty(0, np.int64)
_NO_VALUES: Final = np.empty(0, np.float64)


@dataclass(frozen=True, slots=True)
class Picture:
    """What to draw of one pen.

    Attributes:
        line: the line; with bins, of their means.
        low / high: float64[n] beside `line`, the band between minimum and maximum; None without bins.
    """

    line: Line
    low: Values | None = None
    high: Values | None = None

    def extremes(self) -> tuple[float, float] | None:
        """The least and the greatest of everything drawn."""
        if len(self.line) == 0:
            return None
        low = self.line.value if self.low is None else self.low
        high = self.line.value if self.high is None else self.high
        return float(low.min()), float(high.max())


class PenData:
    """History in bins or raw, and the live samples since; where both know a moment, the more complete one counts."""

    def __init__(self, live_capacity: int = LIVE_CAPACITY) -> None:
        self._bins: BinnedSeries | None = None
        self._raw: tuple[Times, Values] = (_NO_TIMES, _NO_VALUES)
        self.live = SampleRing(live_capacity)
        self.appended_since_history = 0

    @property
    def bin_width_us(self) -> int | None:
        """The width of the history's bins; None when it is raw."""
        return self._bins.width_us if self._bins is not None else None

    def set_bins(self, bins: BinnedSeries) -> None:
        """Replace the history by bins."""
        self._bins = bins
        self._raw = (_NO_TIMES, _NO_VALUES)
        self.appended_since_history = 0

    def set_raw(self, time_us: Times, value: Values) -> None:
        """Replace the history by samples ordered by time."""
        self._bins = None
        self._raw = (time_us, value)
        self.appended_since_history = 0

    def append(self, time_us: Times, value: Values) -> None:
        """Add live samples."""
        self.live.append(time_us, value)
        self.appended_since_history += len(time_us)

    def picture(self, start_us: int, end_us: int, column_us: int, gaps: list[tuple[int, int]]) -> Picture:
        """What lies between `start_us` and `end_us`, in pixel columns of `column_us`."""
        if self._bins is not None:
            return self._binned_picture(self._bins, start_us, end_us, gaps)
        times, values = self._samples(start_us, end_us)
        longest_us = break_after_us(times)
        times, values = min_max_columns(times, values, column_us)
        return Picture(Line(times, values, find_breaks(times, max(longest_us, 2 * column_us), gaps)))

    def reading(self, time_us: int) -> float | None:
        """The value that held at `time_us`: of the bin around it, or of the newest sample before it; None in a gap."""
        if self._bins is not None:
            bins = self._all_bins(self._bins, time_us - self._bins.width_us, time_us + self._bins.width_us)
            at = int(np.searchsorted(bins.start_us, time_us, "right")) - 1
            is_inside = at >= 0 and time_us < bins.start_us[at] + bins.width_us
            return float(bins.mean[at]) if is_inside else None
        times, values = self._samples(time_us - 60 * US_PER_S, time_us + 1)
        at = int(np.searchsorted(times, time_us, "right")) - 1
        if at < 0 or time_us - int(times[at]) > break_after_us(times):
            return None
        return float(values[at])

    def statistics(self, start_us: int, end_us: int) -> PenStatistics:
        """Minimum, mean and maximum between `start_us` and `end_us`."""
        if self._bins is not None:
            bins = self._all_bins(self._bins, start_us, end_us)
            inside = (bins.start_us >= start_us - bins.width_us) & (bins.start_us < end_us)
            if not inside.any():
                return PenStatistics()
            count = bins.count[inside]
            mean = float((bins.mean[inside] * count).sum() / count.sum())
            return PenStatistics(float(bins.minimum[inside].min()), mean, float(bins.maximum[inside].max()))
        times, values = self._samples(start_us, end_us)
        values = values[(times >= start_us) & (times < end_us)]
        if len(values) == 0:
            return PenStatistics()
        return PenStatistics(float(values.min()), float(values.mean()), float(values.max()))

    def needs_history(self) -> bool:
        """Whether so much came live that the history should be asked for again before the ring forgets."""
        return self.appended_since_history > self.live.capacity // 2

    def _binned_picture(self, bins: BinnedSeries, start_us: int, end_us: int, gaps: list[tuple[int, int]]) -> Picture:
        shown = self._all_bins(bins, start_us, end_us)
        if len(shown) == 0:
            return Picture(Line(_NO_TIMES, _NO_VALUES, np.empty(0, np.intp)))
        times = shown.start_us + shown.width_us // 2
        means, lows, highs = shown.mean, shown.minimum, shown.maximum
        newest = self.live.last
        if newest is not None and shown.start_us[-1] <= newest[0] < shown.start_us[-1] + shown.width_us:
            if newest[0] <= times[-1]:
                times = times.copy()
                times[-1] = max(int(shown.start_us[-1]), newest[0] - 1)
            times = np.append(times, newest[0])
            means = np.append(means, means[-1])
            lows, highs = np.append(lows, lows[-1]), np.append(highs, highs[-1])
        breaks = find_breaks(times, break_after_us(times, width_us=shown.width_us), gaps)
        return Picture(Line(times, means, breaks), lows, highs)

    def _all_bins(self, bins: BinnedSeries, start_us: int, end_us: int) -> BinnedSeries:
        margin_us = 2 * bins.width_us
        recent = self.live.view(start_us - margin_us, end_us + margin_us)
        chosen = bins_between(bins, start_us, end_us)
        if len(recent) == 0:
            return chosen
        return merged_bins(chosen, bin_samples(recent.time_us, recent.value, bins.width_us))

    def _samples(self, start_us: int, end_us: int) -> tuple[Times, Values]:
        """The history as far as it goes, then live; one sample beyond either end."""
        times, values = self._raw
        chosen = _touching(times, start_us, end_us)
        newest_us = int(times[-1]) + 1 if len(times) else None
        recent = self.live.view(newest_us)
        if len(recent) == 0:
            return times[chosen], values[chosen]
        later = _touching(recent.time_us, start_us, end_us)
        if chosen.stop <= chosen.start:
            return recent.time_us[later], recent.value[later]
        return (
            np.concatenate([times[chosen], recent.time_us[later]]),
            np.concatenate([values[chosen], recent.value[later]]),
        )


def _touching(times: Times, start_us: int, end_us: int) -> slice:
    """Where the span lies in `times`, with one more on either side so that the line leaves the picture."""
    first = max(0, int(np.searchsorted(times, start_us)) - 1)
    return slice(first, min(len(times), int(np.searchsorted(times, end_us)) + 1))
