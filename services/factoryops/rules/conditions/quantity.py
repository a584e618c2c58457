"""The values that leaves compare: a parameter, a number, or what an expression comes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import numpy as np

from factoryops.domain.expressions.checking import is_timed
from factoryops.domain.expressions.evaluation import Inputs
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.track import FOR_EVER, Times, Track, Values
from factoryops.domain.expressions.tree import Call, Reference, walk
from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.rules.conditions.step import Step

MOST_HELD: Final = 20_000
"""Samples of one input within a window, at most."""

_NO_VALUE: Final = np.uint8(SampleFlag.TEXT | SampleFlag.UNCERTAIN)
_NOTHING: Final = Track.empty()
_LATEST_US: Final = 2**53
"""Times are remembered as floats, which are exact up to here: until the year 2255."""

Memory = list[float]
"""What a part must remember from step to step and across a restart; its shape is the part's own."""


class TooManySamplesError(ArithmeticError):
    """A window holds more samples of one input than are kept."""


class Quantity(Protocol):
    """A value over time.

    Attributes:
        series: by id, how far back its samples matter, in microseconds; 0 when the newest one before a step is enough.
        memory: what it must remember.
    """

    series: Mapping[int, int]
    memory: Memory

    def track(self, step: Step) -> Track:
        """Its values in the step, led by the one that held when the step began, if any did."""

    def is_like(self, other: Quantity) -> bool:
        """Whether it is the same, whatever the number."""


class Fixed:
    """A number."""

    def __init__(self, value: float) -> None:
        self.value = value
        self.series: Mapping[int, int] = {}
        self.memory: Memory = []
        self._track = Track(np.array([np.iinfo(np.int64).min]), Values.constant(value, 1))

    def track(self, step: Step) -> Track:
        """The number, for ever."""
        del step
        return self._track

    def is_like(self, other: Quantity) -> bool:
        """Whether it is a number as well."""
        return isinstance(other, Fixed)


class Newest:
    """The newest value of a parameter, while it is not too old and of good quality."""

    def __init__(self, series: int, maximum_age_us: int) -> None:
        self.id = series
        self.series: Mapping[int, int] = {series: 0}
        self.memory: Memory = []
        self._age_us = maximum_age_us

    def track(self, step: Step) -> Track:
        """Its samples of the step, led by the newest one before."""
        return good_track(within(step.columns.of(self.id, 0), step, 0), self._age_us)

    def is_like(self, other: Quantity) -> bool:
        """Whether it is the same parameter."""
        return isinstance(other, Newest) and self.id == other.id


class Calculated:
    """What an expression comes to."""

    def __init__(self, formula: Formula, series: Mapping[Reference, int], maximum_age_us: int) -> None:
        reach_us = formula.reach_us(maximum_age_us) if _looks_back(formula) else 0
        self.series: Mapping[int, int] = dict.fromkeys(series.values(), reach_us)
        self.memory: Memory = []
        self.formula = formula
        self.by_reference = series
        self._reach_us = reach_us
        self._age_us = maximum_age_us

    def track(self, step: Step) -> Track:
        """Its values at every sample of the step, led by the newest before.

        Raises:
            ArithmeticError: its windows hold too many samples, or the step's work is used up.
        """
        tracks = {one: self._input(series, step) for one, series in self.by_reference.items()}
        start_us = step.since_us if self.memory else step.since_us - self._age_us
        work = step.work if self._reach_us else None
        found = self.formula.evaluate(Inputs(tracks, self._age_us, work), start_us)
        if self.memory:
            found = _led(found, self.memory)
        if len(found):
            until_us = min(int(found.values.until_us[-1]), _LATEST_US)
            self.memory = [float(found.time_us[-1]), float(found.values.value[-1]), float(until_us)]
        return found

    def is_like(self, other: Quantity) -> bool:
        """Whether it is the same expression of the same parameters."""
        return (
            isinstance(other, Calculated)
            and self.formula.tree == other.formula.tree
            and self.by_reference == other.by_reference
        )

    def _input(self, series: int, step: Step) -> Track:
        held = within(step.columns.of(series, self._reach_us), step, self._reach_us)
        if self._reach_us and int(np.searchsorted(held.time_us, step.since_us)) > MOST_HELD:
            raise TooManySamplesError(f"more than {MOST_HELD:,} samples lie within the time it looks back")
        return good_track(held, self._age_us)


def _looks_back(formula: Formula) -> bool:
    return any(isinstance(node, Call) and is_timed(node) for node in walk(formula.tree))


def _led(found: Track, memory: Memory) -> Track:
    """The results behind the one that is remembered."""
    time_us, value, until_us = memory
    if len(found) and found.time_us[0] <= time_us:
        return found
    held = found.values
    return Track(
        np.append(np.int64(time_us), found.time_us),
        Values(
            np.append(value, held.value),
            np.append(np.int64(until_us), held.until_us),
            np.append(False, held.is_uncertain),
        ),
    )


def within(held: SampleColumns, step: Step, reach_us: int) -> SampleColumns:
    """The samples of the step, the newest one before it, and those within `reach_us` before it."""
    reached, begins, last = np.searchsorted(
        held.time_us, [step.since_us - reach_us, step.since_us, step.until_us]
    ).tolist()
    first = max(0, min(reached, begins - 1))
    return held if first == 0 and last == len(held) else held.part(first, last)


def good_track(held: SampleColumns, maximum_age_us: int) -> Track:
    """The values of samples; none where they are texts or of bad quality."""
    if not len(held):
        return _NOTHING
    is_bad = (held.flags & _NO_VALUE) != 0
    value = np.where(is_bad, np.nan, held.value) if is_bad.any() else held.value
    return Track(held.time_us, Values(value, held.time_us + maximum_age_us, np.zeros(len(held), np.bool_)))


def lapses_us(track: Track) -> Times:
    """The moments at which its values have become too old, where no newer one has come by then."""
    ends = np.minimum(track.values.until_us, FOR_EVER - 1) + 1
    is_lapse = ends > track.time_us
    is_lapse[:-1] &= ends[:-1] < track.time_us[1:]
    return ends[is_lapse]
