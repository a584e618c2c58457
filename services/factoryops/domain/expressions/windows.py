"""The functions that look at earlier values: since the previous one, or within a window before each moment.

Each result is made from the rows of its own window alone, in their order: where a column begins makes no difference,
so that values calculated live and over a whole history are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final

import numpy as np

from factoryops.domain.expressions.blocks import Blocks
from factoryops.domain.expressions.track import Marks, Numbers, Times, Track, Values
from factoryops.domain.time import US_PER_S


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
        self._length_us = length_us

    @cached_property
    def _blocks(self) -> Blocks:
        return Blocks(self._times, self._length_us, self._inner, self.row)

    def held(self) -> tuple[Numbers, Numbers]:
        """Per window the sum of value × seconds, and the seconds with a value; each value is held to the next row."""
        values, times = self._track.values, self._times
        ends = np.minimum(np.append(times[1:], times[-1:]), values.until_us)
        held_us = np.where(values.is_known, np.maximum(ends - times, 0), 0)
        area = np.where(values.is_known, values.value, 0.0) * (held_us / US_PER_S)
        lead_value, lead_us = self._lead(ends)
        lead_area = np.where(np.isnan(lead_value), 0.0, lead_value) * (lead_us / US_PER_S)
        return (
            self._blocks.over(np.add, area, self.row, 0.0) + lead_area,
            (self._whole(held_us, self.row) + lead_us) / US_PER_S,
        )

    def _lead(self, ends: Times) -> tuple[Numbers, Times]:
        """The value that held when each window began, and for how many microseconds it went on."""
        before = np.maximum(self._inner - 1, 0)
        value = np.where(self._inner > 0, self._track.values.value[before], np.nan)
        until = np.minimum(ends[before], self._times[self.row])
        return value, np.where(np.isnan(value), 0, np.maximum(until - self.start_us, 0))

    def extremes(self, chosen: np.ufunc, neutral: float) -> Numbers:
        """The least or greatest of all values that held at any moment of each window."""
        values = self._track.values
        column = np.where(values.is_known, values.value, neutral)
        found = self._blocks.over(chosen, column, self.row + 1, neutral)
        lead = self.at_start()
        found = chosen(found, np.where(np.isnan(lead), neutral, lead))
        return np.where(np.isinf(found), np.nan, found)

    def at_start(self) -> Numbers:
        """The value that held when each window began."""
        before = np.maximum(self._inner - 1, 0)
        holds = (self._inner > 0) & (self.start_us <= self._track.values.until_us[before])
        return np.where(holds, self._track.values.value[before], np.nan)

    def counts(self) -> Numbers:
        """How many values came within each window."""
        return self._whole(self._track.values.is_known, self.row + 1).astype(np.float64)

    def totals(self) -> Numbers:
        """The sum of the values that came within each window."""
        column = np.where(self._track.values.is_known, self._track.values.value, 0.0)
        return self._blocks.over(np.add, column, self.row + 1, 0.0)

    def are_uncertain(self) -> Marks:
        """Whether any value of each window was uncertain."""
        is_uncertain = self._track.values.is_uncertain
        is_any = is_uncertain.any()
        return self._whole(is_uncertain, self.row + 1) > 0 if is_any else np.zeros(len(self.row), np.bool_)

    def _whole(self, column: Times | Marks, end: Times) -> Times:
        """The sum of whole numbers over each window's rows before `end`: differences of running totals are exact."""
        totals: Times = np.append(np.int64(0), np.cumsum(column, dtype=np.int64))
        return totals[end] - totals[self._inner]


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
    """A time function over the window before each row of `track` from `start_us` on."""
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
