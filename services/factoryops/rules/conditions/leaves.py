"""The leaves of a condition: what looks at samples and at the clock."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.expressions.track import FOR_EVER, Marks, Numbers, Times, Track, Values, merged
from factoryops.rules.conditions.parts import Part
from factoryops.rules.conditions.quantity import Fixed, Memory, Newest, Quantity, good_track, lapses_us, within
from factoryops.rules.conditions.schedule_clock import ScheduleClock
from factoryops.rules.conditions.signal import FALSE, TRUE, UNKNOWN, Signal
from factoryops.rules.conditions.step import Step
from factoryops.rules.immediate import Threshold
from factoryops.rules.threshold import EVERYTHING, NOTHING, Band, band_while_false, band_while_true

_COMPARE: Final[Mapping[Comparison, Callable[[Numbers, Numbers], Marks]]] = {
    Comparison.ABOVE: np.greater,
    Comparison.AT_OR_ABOVE: np.greater_equal,
    Comparison.BELOW: np.less,
    Comparison.AT_OR_BELOW: np.less_equal,
    Comparison.EQUAL: np.equal,
    Comparison.UNEQUAL: np.not_equal,
}
_UNKNOWN: Final = np.int8(UNKNOWN)
_LONG_AGO_US: Final = -(2**53)
_FEW: Final = 16
"""Samples that are looked at one by one."""


class Compared(Part):
    """Two values compare so; once they do, they do until the left one has come back by the deadband.

    It remembers whether they did when both were last known.

    Attributes:
        moments / left / right: what was compared when in the newest step.
    """

    def __init__(self, left: Quantity, comparison: Comparison, right: Quantity, deadband: float) -> None:
        super().__init__()
        self.quantities = (left, right)
        self.comparison = comparison
        self.deadband = deadband
        self.moments: Times = np.empty(0, np.int64)
        self.left = self.right = Values.constant(np.nan, 0)
        self._compare = _COMPARE[comparison]
        self._way_back = -deadband if comparison.is_high else deadband
        self._is_known = False
        self.memory = [0.0]

    @property
    def series(self) -> Mapping[int, int]:
        """The series of both sides."""
        left, right = (quantity.series for quantity in self.quantities)
        return {one: max(left.get(one, 0), right.get(one, 0)) for one in left.keys() | right.keys()}

    def _evaluate(self, step: Step) -> Signal:
        tracks = [quantity.track(step) for quantity in self.quantities]
        moving = [track for track, one in zip(tracks, self.quantities, strict=True) if not isinstance(one, Fixed)]
        self.moments = _turns(moving, step)
        self.left, self.right = (track.at(self.moments) for track in tracks)
        state = self._judge(self.left.value, self.right.value)
        self._is_known = int(state[-1]) != UNKNOWN
        until_us = min(int(self.left.until_us[-1]), int(self.right.until_us[-1]), FOR_EVER - 1)
        self.due_us = until_us + 1 if self._is_known else FOR_EVER
        return Signal(self.moments, state)

    @property
    def memories(self) -> list[Memory]:
        """Its own, and those of both sides."""
        return [self.memory, *(quantity.memory for quantity in self.quantities)]

    def remember(self, memories: list[Memory]) -> None:
        """Go on from what `memories` told."""
        self.memory, *sides = memories
        for quantity, memory in zip(self.quantities, sides, strict=True):
            quantity.memory = memory

    def is_like(self, other: Part) -> bool:
        """Whether it compares the same in the same sense, whatever the limit."""
        return (
            isinstance(other, Compared)
            and self.comparison is other.comparison
            and all(one.is_like(two) for one, two in zip(self.quantities, other.quantities, strict=True))
        )

    def _judge(self, left: Numbers, right: Numbers) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
        is_true = self._compare(left, right)
        is_known = ~(np.isnan(left) | np.isnan(right))
        is_decided = is_known
        if self.deadband:
            is_decided = is_known & (is_true | ~self._compare(left, right + self._way_back))
        newest = np.maximum.accumulate(np.where(is_decided, np.arange(len(left)), -1))
        latch = np.where(newest >= 0, is_true[np.maximum(newest, 0)], bool(self.memory[0]))
        self.memory = [float(latch[-1])]
        return np.where(is_known, np.where(latch, np.int8(TRUE), np.int8(FALSE)), _UNKNOWN)

    def band(self, series: int) -> Band:
        """A parameter against a number has a band; other comparisons want to see every sample."""
        left, right = self.quantities
        if series not in self.series:
            return EVERYTHING
        if not (self._is_known and isinstance(left, Newest) and isinstance(right, Fixed)):
            return NOTHING
        if self.comparison.is_ordered:
            band = band_while_true if self.memory[0] else band_while_false
            return band(Threshold("", self.comparison, right.value, self.deadband))
        return self._band_beside(float(self.left.value[-1]), right.value)

    @staticmethod
    def _band_beside(value: float, limit: float) -> Band:
        """What stays equal, or on its side of the limit."""
        if value == limit:
            return Band(limit, limit)
        if value > limit:
            return Band(math.nextafter(limit, math.inf), math.inf)
        return Band(-math.inf, math.nextafter(limit, -math.inf))


def _turns(tracks: Sequence[Track], step: Step) -> Times:
    """The first moment of a step, and those of it at which a value comes or has become too old."""
    found = [np.array([step.since_us])]
    for column in (column for track in tracks for column in (track.time_us, lapses_us(track))):
        first, last = column.searchsorted(step.since_us, "right"), column.searchsorted(step.until_us)
        if first < last:
            found.append(column[first:last])
    return np.concatenate(found) if len(found) <= 2 else merged(found)


class Unmoved(Part):
    """A parameter keeps being sent and has not moved by more than the tolerance for so long.

    It says so at the first sample after that time. A silence longer than that time makes it unknown, and it begins
    anew. It remembers the value and time from which on nothing has moved, when a value came last, and what it said.
    """

    def __init__(self, series: int, for_us: int, tolerance: float) -> None:
        super().__init__()
        self.id = series
        self.tolerance = tolerance
        self._for_us = for_us
        self._wants_next = False

    @property
    def series(self) -> Mapping[int, int]:
        """The parameter's series."""
        return {self.id: 0}

    def _evaluate(self, step: Step) -> Signal:
        track = good_track(within(step.columns.of(self.id, 0), step, 0), self._for_us)
        is_known = track.values.is_known
        before = (step.since_us, int(self.memory[3]) if self.memory else UNKNOWN)
        time_us, value = track.time_us[is_known], track.values.value[is_known]
        if len(time_us) <= _FEW:
            found = [before, *self._take_singly(time_us, value), *self._fallen_silent(step.until_us - 1)]
            self._look_ahead(step.until_us)
            return Signal.of((max(at_us, step.since_us), state) for at_us, state in found)
        changes = [Signal.of([before]), self._take(time_us, value), Signal.of(self._fallen_silent(step.until_us - 1))]
        self._look_ahead(step.until_us)
        moments = np.maximum(np.concatenate([one.time_us for one in changes]), step.since_us)
        is_last = np.append(moments[1:] != moments[:-1], True)
        return Signal(moments[is_last], np.concatenate([one.state for one in changes])[is_last])

    def _fallen_silent(self, until_us: int) -> list[tuple[int, int]]:
        """Where a silence has made it unknown by `until_us`; it then begins anew."""
        if not self.memory or until_us - self.memory[2] <= self._for_us:
            return []
        silent_us = int(self.memory[2]) + self._for_us + 1
        self.memory = []
        return [(silent_us, UNKNOWN)]

    def _take_singly(self, time_us: Times, value: Numbers) -> list[tuple[int, int]]:
        """What `_take` says, quicker for few samples: live it is seldom more than one."""
        found: list[tuple[int, int]] = []
        for at_us, one in zip(time_us.tolist(), value.tolist(), strict=True):
            found += self._fallen_silent(at_us)
            if not self.memory or abs(one - self.memory[0]) > self.tolerance:
                self.memory = [one, at_us, at_us, FALSE]
            anchor, anchor_us, _, _ = self.memory
            state = TRUE if at_us - anchor_us >= self._for_us else FALSE
            self.memory = [anchor, anchor_us, at_us, state]
            found.append((at_us, state))
        return found

    def _take(self, time_us: Times, value: Numbers) -> Signal:
        """What it says at each of some samples, and where a silence made it unknown before one."""
        seen_us = np.append(np.int64(self.memory[2] if self.memory else _LONG_AGO_US), time_us[:-1])
        is_anew = time_us - seen_us > self._for_us
        is_silence = is_anew.copy()
        is_silence[0] &= bool(self.memory)
        anchors = np.where(self._moves(value, is_anew), np.arange(len(value)), -1)
        row = np.maximum.accumulate(anchors)
        held_us = np.int64(self.memory[1] if self.memory else 0)
        anchor_us = np.where(row >= 0, time_us[row], held_us)
        state = np.where(time_us - anchor_us >= self._for_us, np.int8(TRUE), np.int8(FALSE))
        anchor = float(value[row[-1]]) if row[-1] >= 0 else self.memory[0]
        self.memory = [anchor, float(anchor_us[-1]), float(time_us[-1]), float(state[-1])]
        at = np.flatnonzero(is_silence)
        silences = seen_us[at] + self._for_us + 1
        return Signal(np.insert(time_us, at, silences), np.insert(state, at, np.int8(UNKNOWN)))

    def _moves(self, value: Numbers, is_anew: Marks) -> Marks:
        """Where a sample is the first that has moved, or begins anew behind a silence."""
        if not self.tolerance:  # each sample has the value of the one before, or has moved
            before = np.append(self.memory[0] if self.memory else np.nan, value[:-1])
            moved: Marks = is_anew | (value != before)
            return moved
        has_moved = is_anew.copy()
        anchor = self.memory[0] if self.memory else math.nan
        tolerance = self.tolerance
        for place, (one, begins_anew) in enumerate(zip(value.tolist(), is_anew.tolist(), strict=True)):
            if begins_anew or abs(one - anchor) > tolerance:
                anchor = one
                has_moved[place] = True
        return has_moved

    def _look_ahead(self, until_us: int) -> None:
        self._wants_next, self.due_us = not self.memory, FOR_EVER
        if not self.memory:
            return
        _, anchor_us, seen_us, state = self.memory
        frozen_us, silent_us = int(anchor_us) + self._for_us, int(seen_us) + self._for_us + 1
        if state == FALSE and frozen_us >= until_us:
            self.due_us = frozen_us
        else:
            self._wants_next, self.due_us = state == FALSE, silent_us

    def is_like(self, other: Part) -> bool:
        """Whether it watches the same series."""
        return isinstance(other, Unmoved) and self.id == other.id

    def band(self, series: int) -> Band:
        """Values that have not moved, unless the next sample makes it true."""
        if series != self.id:
            return EVERYTHING
        if self._wants_next:
            return NOTHING
        anchor = self.memory[0]
        if not self.tolerance:
            return Band(anchor, anchor)
        # A step inside, for the difference of two numbers is rounded as well.
        low, high = anchor - self.tolerance, anchor + self.tolerance
        return Band(math.nextafter(low, math.inf), math.nextafter(high, -math.inf))


class Silent(Part):
    """No on-time sample for so long; the end of a recorded gap is a sign of life, and so is its own beginning.

    A silence that would fall due within a gap counts from its end. It remembers the newest sign of life.
    """

    def __init__(self, series: int, for_us: int) -> None:
        super().__init__()
        self.id = series
        self._for_us = for_us
        self._is_silent = False

    @property
    def series(self) -> Mapping[int, int]:
        """The parameter's series, or the one in which everything of a device counts."""
        return {self.id: 0}

    def _evaluate(self, step: Step) -> Signal:
        held = within(step.columns.of(self.id, 0), step, 0)
        ends = [end_us for _, end_us in step.gaps if step.since_us <= end_us < step.until_us]
        signs = merged([held.time_us, np.array(ends, np.int64)]) if ends else held.time_us
        if not self.memory:
            self.memory = [float(step.since_us if not len(signs) else min(int(signs[0]), step.since_us))]
        signs = np.concatenate([[np.int64(self.memory[0])], signs[signs > self.memory[0]]])
        due_us = signs + self._for_us
        is_over = np.append(signs[1:], step.until_us) > due_us
        for start_us, end_us in step.gaps:
            is_over &= (due_us < start_us) | (due_us > end_us)
        self.memory = [float(signs[-1])]
        self._is_silent = bool(is_over[-1])
        self.due_us = int(due_us[-1]) if due_us[-1] >= step.until_us else FOR_EVER
        return self._signal(signs[1:][is_over[:-1]].tolist(), due_us[is_over].tolist(), step)

    def _signal(self, woken: list[int], silences: list[int], step: Step) -> Signal:
        changes = [(moment_us, FALSE) for moment_us in woken] + [(moment_us, TRUE) for moment_us in silences]
        before = [change for change in sorted(changes) if change[0] <= step.since_us]
        after = [change for change in sorted(changes) if change[0] > step.since_us]
        return Signal.of([(step.since_us, before[-1][1] if before else FALSE), *after])

    def is_like(self, other: Part) -> bool:
        """Whether it watches the same series."""
        return isinstance(other, Silent) and self.id == other.id

    def band(self, series: int) -> Band:
        """Samples matter only when they end a silence."""
        return NOTHING if series == self.id and self._is_silent else EVERYTHING


class Scheduled(Part):
    """The moment lies within a schedule."""

    def __init__(self, clock: ScheduleClock) -> None:
        super().__init__()
        self.clock = clock

    def _evaluate(self, step: Step) -> Signal:
        self.due_us = self.clock.next_turn_us(step.until_us)
        return self.clock.signal(step.since_us, step.until_us)

    def band(self, series: int) -> Band:
        """It looks at no sample."""
        del series
        return EVERYTHING
