"""The functions that look at earlier values: since the previous one, or within a window before each moment.

Each result is made from the rows of its own window alone, in their order: where a column begins makes no difference,
so that values calculated live and over a whole history are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from factoryops.domain.expressions.track import Marks, Numbers, Times, Track, Values
from factoryops.domain.time import US_PER_S

MOST_STEPS: Final = 200_000_000
"""Values looked at for one column of results, at most."""


class TooMuchWorkError(ArithmeticError):
    """A window holds so many values that evaluating it would take too long."""


class Windows:
    """The windows (t - length, t] that end at the rows of a track from `first` on.

    Attributes:
        row: int[m], the row each window ends at.
    """

    def __init__(self, track: Track, length_us: int, first: int) -> None:
        self._track = track
        self._times = track.time_us
        self.row = np.arange(first, len(track))
        self.start_us: Times = self._times[first:] - length_us
        self._inner = np.searchsorted(self._times, self.start_us, "right")
        if int((self.row - self._inner).sum()) > MOST_STEPS:
            raise TooMuchWorkError("its windows hold too many values")

    def sums(self, column: Numbers, end: Times) -> Numbers:
        """The sum of `column` over each window's rows before `end`."""
        return _reduced(np.add, column, self._inner, end, 0.0)

    def held(self) -> tuple[Numbers, Numbers]:
        """Per window the sum of value × seconds, and the seconds with a value; each value is held to the next row."""
        values, times = self._track.values, self._times
        ends = np.minimum(np.append(times[1:], times[-1:]), values.until_us)
        seconds = np.where(values.is_known, np.maximum(ends - times, 0), 0) / US_PER_S
        area = np.where(values.is_known, values.value, 0.0) * seconds
        lead_value, lead_s = self._lead(ends)
        return (
            self.sums(area, self.row) + np.where(np.isnan(lead_value), 0.0, lead_value) * lead_s,
            self.sums(seconds, self.row) + lead_s,
        )

    def _lead(self, ends: Times) -> tuple[Numbers, Numbers]:
        """The value that held when each window began, and for how many seconds it went on."""
        before = np.maximum(self._inner - 1, 0)
        value = np.where(self._inner > 0, self._track.values.value[before], np.nan)
        until = np.minimum(ends[before], self._times[self.row])
        return value, np.where(np.isnan(value), 0, np.maximum(until - self.start_us, 0)) / US_PER_S

    def extremes(self, chosen: np.ufunc, neutral: float) -> Numbers:
        """The least or greatest of all values that held at any moment of each window."""
        values = self._track.values
        column = np.where(values.is_known, values.value, neutral)
        found = _reduced(chosen, column, self._inner, self.row + 1, neutral)
        lead = self.at_start()
        found = chosen(found, np.where(np.isnan(lead), neutral, lead))
        return np.where(np.isinf(found), np.nan, found)

    def at_start(self) -> Numbers:
        """The value that held when each window began."""
        return self._track.at(self.start_us).value

    def counts(self) -> Numbers:
        """How many values came within each window."""
        return self.sums(self._track.values.is_known.astype(np.float64), self.row + 1)

    def totals(self) -> Numbers:
        """The sum of the values that came within each window."""
        return self.sums(np.where(self._track.values.is_known, self._track.values.value, 0.0), self.row + 1)

    def are_uncertain(self) -> Marks:
        """Whether any value of each window was uncertain."""
        return self.sums(self._track.values.is_uncertain.astype(np.float64), self.row + 1) > 0


def _reduced(step: np.ufunc, column: Numbers, start: Times, end: Times, neutral: float) -> Numbers:
    """`step` over column[start:end] of each pair; `neutral` where that is empty."""
    padded = np.append(column, neutral)
    bounds = np.empty(2 * len(start), np.intp)
    bounds[0::2], bounds[1::2] = start, np.maximum(end, start)
    found: Numbers = step.reduceat(padded, bounds)[::2]
    return np.where(end > start, found, neutral)


def _mean(windows: Windows, now: Numbers) -> Numbers:
    area, seconds = windows.held()
    # In a window that has only just begun, the value itself is its mean.
    return np.where(seconds > 0, area / np.where(seconds > 0, seconds, 1.0), now)


_OVER_WINDOW: Final[Mapping[str, Callable[[Windows, Numbers], Numbers]]] = {
    "mean": _mean,
    "min": lambda windows, _: windows.extremes(np.minimum, np.inf),
    "max": lambda windows, _: windows.extremes(np.maximum, -np.inf),
    "integral": lambda windows, _: windows.held()[0],
    "total": lambda windows, _: windows.totals(),
    "count": lambda windows, _: windows.counts(),
    "delta": lambda windows, now: now - windows.at_start(),
}


def over_window(function: str, track: Track, length_us: int, start_us: int) -> Track:
    """A time function over the window before each row of `track` from `start_us` on.

    Raises:
        TooMuchWorkError: the windows hold too many values.
    """
    first = int(np.searchsorted(track.time_us, start_us))
    if first == len(track):
        return Track.empty()
    windows = Windows(track, length_us, first)
    ending = track.since(start_us)
    now = ending.values.value
    if function == "rate":
        found = (now - windows.at_start()) / (length_us / US_PER_S)
    else:
        found = _OVER_WINDOW[function](windows, now)
    known = np.where(np.isnan(now), np.nan, found)
    return Track(ending.time_us, Values(known, ending.values.until_us, windows.are_uncertain()))


def since_previous(function: str, track: Track, start_us: int) -> Track:
    """`delta` or `rate` between each row of `track` from `start_us` on and the row before it."""
    ending = track.since(start_us)
    skipped = len(track) - len(ending)
    before = np.arange(skipped, len(track)) - 1
    if not len(before):
        return Track.empty()
    held, row = track.values, np.maximum(before, 0)
    is_near = (before >= 0) & (held.until_us[row] >= ending.time_us)
    found = np.where(is_near, ending.values.value - held.value[row], np.nan)
    if function == "rate":
        found = found / (np.maximum(ending.time_us - track.time_us[row], 1) / US_PER_S)
    is_uncertain = ending.values.is_uncertain | (held.is_uncertain[row] & is_near)
    return Track(ending.time_us, Values(found, ending.values.until_us, is_uncertain))
