"""One calculation at work: evaluates its expression, and stops it when it does harm."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from factoryops.domain.calculations import Calculation
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.expressions.evaluation import Inputs
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.track import Track
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id
from factoryops.domain.time import US_PER_S
from factoryops.rules.columns import HeldColumns

MOST_HELD: Final = 20_000
"""Samples of one input within a calculation's reach before a step, at most."""
SLOW_S: Final = 0.2
"""Processor time for one step, at most."""
MOST_FAILURES: Final = 5
"""Steps in a row that may be slow or fail."""

_UNCERTAIN: Final = np.uint8(SampleFlag.UNCERTAIN)
_STOPPED: Final = "It is stopped; change the expression to start it again."


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a calculation brought.

    Attributes:
        results: its samples.
        without_value: moments that had no value.
    """

    results: SampleColumns
    without_value: int = 0


class Program:
    """A calculation with its formula.

    Attributes:
        output: the id of the series it makes.
        keys / series: the series it is calculated from, and their ids.
        reach_us: how far back their samples matter.
        fault: why it is stopped, "" when it is not.
        spent_s: processor time since it was set to 0.
    """

    def __init__(self, calculation: Calculation, fault: str = "") -> None:
        self.calculation = calculation
        self.output = int(calculation.series)
        self.keys: list[SeriesKey] = []
        self.series: list[int] = []
        self.reach_us = 0
        self.fault = fault
        self.spent_s = 0.0
        self._age_us = round(calculation.maximum_age_s * US_PER_S)
        self._failures = 0
        self._flags = 0
        self._formula: Formula | None = None
        try:
            self._take(Formula.of(calculation.expression))
        except InvalidInputError as error:
            self.fault = f"{error} {_STOPPED}"

    def _take(self, formula: Formula) -> None:
        self._formula = formula
        self._flags = int(SampleFlag.CALCULATED | (SampleFlag.BOOLEAN if formula.is_condition else SampleFlag.NONE))
        self.keys = [self.calculation.key_of(one) for one in formula.references]
        self.reach_us = formula.reach_us(self._age_us)
        self.series = [int(series_id(key)) for key in self.keys]

    def stop(self, reason: str) -> None:
        """Calculate nothing more."""
        self.fault = f"{reason} {_STOPPED}"

    def step(self, held: HeldColumns, since_us: int, until_us: int) -> Step:
        """Everything from `since_us` on and before `until_us`."""
        nothing = Step(SampleColumns.empty())
        formula = self._formula
        if formula is None or self.fault or all(held.newest_us(one) < since_us for one in self.series):
            return nothing
        began = time.thread_time()
        try:
            found = formula.evaluate(self._inputs(formula, held, since_us, until_us), since_us)
        except (ArithmeticError, ValueError, MemoryError) as error:
            self._failed(f"Calculating it failed {MOST_FAILURES} times in a row ({error}).")
            return nothing
        spent_s = time.thread_time() - began
        self.spent_s += spent_s
        if spent_s > SLOW_S:
            self._failed(f"Calculating it took more than {SLOW_S * 1_000:.0f} ms {MOST_FAILURES} times in a row.")
        else:
            self._failures = 0
        return self._step_of(found)

    def _inputs(self, formula: Formula, held: HeldColumns, since_us: int, until_us: int) -> Inputs:
        tracks = {}
        for reference, series in zip(formula.references, self.series, strict=True):
            column = held.of(series)
            first, begins, last = np.searchsorted(
                column.time_us, [since_us - self.reach_us, since_us, until_us]
            ).tolist()
            if begins - first >= MOST_HELD:
                self.stop(f"{reference.parameter} has more than {MOST_HELD:,} samples within the time it looks back.")
                last = first
            part = slice(first, last)
            tracks[reference] = Track.of_samples(
                column.time_us[part], column.value[part], column.flags[part], self._age_us
            )
        return Inputs(tracks, self._age_us)

    def _failed(self, reason: str) -> None:
        self._failures += 1
        if self._failures >= MOST_FAILURES:
            self.stop(reason)

    def _step_of(self, found: Track) -> Step:
        if self.fault:
            return Step(SampleColumns.empty())
        known = found.values.is_known
        count = int(known.sum())
        flags = np.full(count, self._flags, np.uint8)
        flags[found.values.is_uncertain[known]] |= _UNCERTAIN
        series = np.full(count, self.output, np.int64)
        results = SampleColumns(series, found.time_us[known], found.values.value[known], flags)
        return Step(results, len(found) - count)
