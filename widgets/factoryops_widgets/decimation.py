"""From many samples to what a screen can show: minimum and maximum per pixel column, broken at gaps."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from factoryops.domain.bins import BinnedSeries
from factoryops.domain.time import US_PER_S

Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

_RAW_INTERVALS_TO_BREAK: Final = 5.0
_BINS_TO_BREAK: Final = 2.5
_SAMPLES_TO_JUDGE: Final = 400
_SHORTEST_BREAK_US: Final = 3 * US_PER_S


@dataclass(frozen=True, slots=True)
class Line:
    """Points of one pen, ordered by time.

    Attributes:
        time_us / value: int64[n], float64[n].
        breaks: indices at which a new stroke begins, ascending, without 0.
    """

    time_us: Times
    value: Values
    breaks: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.time_us)

    def strokes(self) -> list[slice]:
        """The stretches to draw without lifting the pen."""
        edges = [0, *self.breaks.tolist(), len(self)]
        return [slice(first, last) for first, last in itertools.pairwise(edges) if last > first]


def min_max_columns(time_us: Times, value: Values, column_us: int) -> tuple[Times, Values]:
    """At most two points per column of `column_us`: its minimum and maximum, in the order they came.

    Columns are aligned to absolute time, so a scrolling line does not wiggle. A column's points are put at its
    start and middle. Fewer than two samples per column stay as they are.
    """
    if len(time_us) == 0 or len(time_us) <= 2 * ((int(time_us[-1]) - int(time_us[0])) // column_us + 1):
        return time_us, value
    column = time_us // column_us
    first = np.flatnonzero(np.diff(column, prepend=column[0] - 1))
    minimum, maximum = np.minimum.reduceat(value, first), np.maximum.reduceat(value, first)
    last = np.append(first[1:], len(value)) - 1
    is_rising = value[first] <= value[last]
    points_us = np.repeat(column[first] * column_us, 2)
    points_us[1::2] += column_us // 2
    values = np.empty(2 * len(first))
    values[0::2] = np.where(is_rising, minimum, maximum)
    values[1::2] = np.where(is_rising, maximum, minimum)
    return points_us, values


def break_after_us(time_us: Times, *, width_us: int = 0) -> int:
    """How long a pause must be to count as a gap: several of the usual intervals, or bins of `width_us`."""
    recent = time_us[-_SAMPLES_TO_JUDGE:]
    usual_us = float(np.median(np.diff(recent))) if len(recent) > 2 else 0.0
    if width_us:
        return int(max(_BINS_TO_BREAK * max(usual_us, width_us), _SHORTEST_BREAK_US))
    return int(max(_RAW_INTERVALS_TO_BREAK * usual_us, _SHORTEST_BREAK_US))


def find_breaks(time_us: Times, longest_us: int, gaps: list[tuple[int, int]]) -> npt.NDArray[np.intp]:
    """Where the line must be lifted: after a pause over `longest_us`, and across every known gap.

    Args:
        time_us: int64[n], ascending.
        longest_us: longer pauses are gaps.
        gaps: known gaps as (start, end).
    """
    if len(time_us) < 2:
        return np.empty(0, np.intp)
    is_break = np.diff(time_us) > longest_us
    for start_us, end_us in gaps:
        before = int(np.searchsorted(time_us, start_us, "right")) - 1
        if 0 <= before < len(time_us) - 1 and time_us[before + 1] >= end_us:
            is_break[before] = True
    return np.flatnonzero(is_break) + 1


def stepped(line: Line) -> Line:
    """The same line holding each value until the next sample; strokes end where they ended."""
    if len(line) < 2:
        return line
    times = np.repeat(line.time_us, 2)[1:]
    values = np.repeat(line.value, 2)[:-1]
    keep = np.ones(len(times), np.bool_)
    keep[2 * line.breaks - 1] = False
    breaks = 2 * line.breaks - 1 - np.arange(len(line.breaks))
    return Line(times[keep], values[keep], breaks)


def merged_bins(one: BinnedSeries, other: BinnedSeries) -> BinnedSeries:
    """Bins of both, which have the same width; where both have a bin, the one that saw more samples."""
    if len(one) == 0 or len(other) == 0:
        return one if len(other) == 0 else other
    start_us = np.concatenate([one.start_us, other.start_us])
    count = np.concatenate([one.count, other.count])
    order = np.lexsort((count, start_us))
    is_last = np.append(np.diff(start_us[order]) > 0, True)
    chosen = order[is_last]
    return BinnedSeries(
        one.width_us,
        start_us[chosen],
        count[chosen],
        np.concatenate([one.minimum, other.minimum])[chosen],
        np.concatenate([one.maximum, other.maximum])[chosen],
        np.concatenate([one.mean, other.mean])[chosen],
    )


def bins_between(bins: BinnedSeries, start_us: int, end_us: int) -> BinnedSeries:
    """The bins that touch the span, with one more on either side so that the line leaves the picture."""
    first = max(0, int(np.searchsorted(bins.start_us, start_us - bins.width_us)) - 1)
    last = int(np.searchsorted(bins.start_us, end_us)) + 1
    chosen = slice(first, last)
    return BinnedSeries(
        bins.width_us,
        bins.start_us[chosen],
        bins.count[chosen],
        bins.minimum[chosen],
        bins.maximum[chosen],
        bins.mean[chosen],
    )
