"""Calculated parameters, live: samples in, results out, step by step with the watermark.

A step evaluates every moment between the last watermark and the new one: no on-time sample older than the watermark
follows, so all inputs of those moments are there, in whatever order their devices sent them. The results are a
function of the calculations and the on-time samples alone (law 4 of the corridor, decision 0027).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Self

import msgspec
import numpy as np

from factoryops.domain.calculations import Calculation, circle_in, in_order, told_of
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id
from factoryops.rules.columns import HeldColumns
from factoryops.rules.program import Program

MOST_TOGETHER_S: Final = 0.5
"""Processor time of one step of all calculations: alarms wait so long, at most."""
MOST_OVERLOADS: Final = 5
MOST_HELD_TOGETHER: Final = 200_000
"""Samples of all inputs together: they are saved with every alarm, about five megabytes at most."""

MOST_IN_A_STEP: Final = 500
"""Samples of one input that are evaluated at once: after an outage hours of them come with one watermark."""

_NO_INPUT: Final = np.uint8(SampleFlag.LATE | SampleFlag.IMPORTED)


class CalculatorState(msgspec.Struct, frozen=True):
    """All that the calculator must remember across a restart.

    Attributes:
        since_us: the watermark up to which everything is calculated.
        series / time_us / value / flags: columns of the samples it holds.
        faults: why calculations are stopped, by id.
    """

    calculations: list[Calculation]
    since_us: int
    series: bytes
    time_us: bytes
    value: bytes
    flags: bytes
    faults: dict[str, str]

    @classmethod
    def starting_at(cls, watermark_us: int) -> Self:
        """Of a calculator that has calculated nothing yet, and looks at nothing before `watermark_us`."""
        return cls([], watermark_us, b"", b"", b"", b"", {})


class Calculator:
    """All calculations of all factories; holds no clock and does no I/O.

    Attributes:
        since_us: the watermark up to which everything is calculated.
        results: how many values it has calculated.
        without_value: how many moments had no value.
        keys: the series it makes, by id.
    """

    def __init__(self) -> None:
        self.since_us = 0
        self.results = 0
        self.without_value = 0
        self.keys: dict[int, SeriesKey] = {}
        self._overloads = 0
        self._programs: list[Program] = []
        self._held = HeldColumns()
        self._arrived: list[SampleColumns] = []
        self._is_read: set[int] = set()
        self._watched = np.empty(0, np.int64)
        self._is_input = self._is_output = np.empty(0, np.bool_)

    # --- samples and time --------------------------------------------------------------------------------------------

    def take(self, samples: SampleColumns) -> None:
        """Take the samples of one journal row; those that are no input are passed over.

        A device that sends a parameter itself stops its calculation: two sources of one series would be mixed up.
        """
        if not len(self._watched) or not len(samples):
            return
        place = np.minimum(np.searchsorted(self._watched, samples.series), len(self._watched) - 1)
        is_watched = self._watched[place] == samples.series
        if not is_watched.any():
            return
        is_output = is_watched & self._is_output[place]
        if is_output.any():
            self._give_way(set(samples.series[is_output].tolist()))
        is_input = is_watched & self._is_input[place] & ((samples.flags & _NO_INPUT) == 0)
        if is_input.any():
            self._arrived.append(samples.take(is_input))

    def _give_way(self, series: set[int]) -> None:
        for program in self._programs:
            if program.output in series and not program.fault:
                program.stop("The device sends a parameter of this key itself: calculate it under another key.")

    def advance(self, watermark_us: int) -> SampleColumns:
        """Time has come to `watermark_us`: everything before it can be calculated."""
        if watermark_us <= self.since_us:
            return SampleColumns.empty()
        if not self._programs:
            self.since_us = watermark_us
            return SampleColumns.empty()
        self._settle()
        found = self._step_through(watermark_us)
        self._bound_load()
        self._bound_memory()
        return SampleColumns.joined([part for part in found if len(part)])

    def _step_through(self, watermark_us: int) -> list[SampleColumns]:
        """Evaluate up to the watermark, in as many steps as it takes; where it is cut makes no difference."""
        found: list[SampleColumns] = []
        for program in self._programs:
            program.spent_s = 0.0
        while self.since_us < watermark_us:
            until_us = self._held.end_of_step(self.since_us, watermark_us, MOST_IN_A_STEP)
            found += [self._step(program, self.since_us, until_us) for program in self._programs]
            self.since_us = until_us
            self._forget()
        return found

    def _bound_load(self) -> None:
        """When calculations together take too long again and again, stop the dearest of the factory that takes most."""
        together_s = sum(program.spent_s for program in self._programs)
        self._overloads = self._overloads + 1 if together_s > MOST_TOGETHER_S else 0
        if self._overloads >= MOST_OVERLOADS and (greediest := self._of_greediest(_spent_s)):
            self._overloads = 0
            dearest = max(greediest, key=_spent_s)
            dearest.stop(
                f"All calculations together take {together_s:.1f} s of processor time at once, which alarms wait for, "
                f"and this one takes most of it ({dearest.spent_s * 1_000:.0f} ms)."
            )

    def _bound_memory(self) -> None:
        """When too much is held, stop the calculation that looks back furthest of the factory that holds most."""
        if len(self._held) > MOST_HELD_TOGETHER and (greediest := self._of_greediest(self._holds)):
            furthest = max(greediest, key=lambda program: program.reach_us)
            furthest.stop(
                f"All calculations together need more than {MOST_HELD_TOGETHER:,} samples, and this one looks back "
                "furthest."
            )
            self._forget()

    def _holds(self, program: Program) -> int:
        return sum(self._held.count(series) for series in program.series)

    def _of_greediest(self, takes: Callable[[Program], float]) -> list[Program]:
        """The calculations at work of the factory whose calculations take most: no factory pays for another's."""
        by_factory: defaultdict[str, list[Program]] = defaultdict(list)
        for program in self._programs:
            if not program.fault:
                by_factory[program.calculation.factory_id].append(program)
        return max(by_factory.values(), key=lambda programs: sum(map(takes, programs)), default=[])

    def _settle(self) -> None:
        if self._arrived:
            self._held.add(SampleColumns.joined(self._arrived))
            self._arrived.clear()

    def _step(self, program: Program, since_us: int, until_us: int) -> SampleColumns:
        step = program.step(self._held, since_us, until_us)
        self.results += len(step.results)
        self.without_value += step.without_value
        if len(step.results) and program.output in self._is_read:
            self._held.add(step.results)
        return step.results

    def _forget(self) -> None:
        needed: dict[int, int] = {}
        for program in self._programs:
            if program.fault:
                continue
            oldest_us = self.since_us - program.reach_us
            for series in program.series:
                needed[series] = min(needed.get(series, oldest_us), oldest_us)
        self._held.forget(needed)

    # --- calculations ------------------------------------------------------------------------------------------------

    @property
    def calculations(self) -> Mapping[str, Calculation]:
        """Those in force, stopped ones included, by id."""
        return {program.calculation.id: program.calculation for program in self._programs}

    @property
    def faults(self) -> Mapping[tuple[str, int], str]:
        """Why calculations are stopped, by id and version."""
        return {
            (program.calculation.id, program.calculation.version): program.fault
            for program in self._programs
            if program.fault
        }

    def set(self, calculations: Iterable[Calculation], newest: Callable[[SeriesKey], SampleColumns]) -> None:
        """Put `calculations` in the place of those in force, from the last watermark on.

        Args:
            calculations: those of all factories.
            newest: the newest on-time sample of a series, if any, which a new input begins with.
        """
        before = {program.calculation: program.fault for program in self._programs}
        self._settle()
        self._put([Program(one, before.get(one, "")) for one in calculations if one.is_enabled])
        for program in self._programs:
            for key in program.keys:
                if not len(self._held.of(series_id(key))):
                    self._begin_with(newest(key))

    def _begin_with(self, sample: SampleColumns) -> None:
        if len(sample):
            self._held.add(sample)

    def _put(self, programs: Iterable[Program]) -> None:
        by_key = {program.calculation.key: program for program in programs}
        self._programs = _sorted(by_key)
        self.keys = {int(series_id(key)): key for key in by_key}
        wanted = {series for program in self._programs for series in program.series}
        self._is_read = wanted
        self._watched = np.array(sorted(wanted | self.keys.keys()), np.int64)
        self._is_input = np.isin(self._watched, [*wanted])
        self._is_output = np.isin(self._watched, [*self.keys])

    # --- across a restart --------------------------------------------------------------------------------------------

    @property
    def state(self) -> CalculatorState:
        """Everything to go on from."""
        self._settle()
        held = self._held.all()
        return CalculatorState(
            calculations=[program.calculation for program in self._programs],
            since_us=self.since_us,
            series=held.series.tobytes(),
            time_us=held.time_us.tobytes(),
            value=held.value.tobytes(),
            flags=held.flags.tobytes(),
            faults={identity: fault for (identity, _), fault in self.faults.items()},
        )

    @classmethod
    def restored(cls, state: CalculatorState) -> Calculator:
        """A calculator that goes on from `state`."""
        made = cls()
        made.since_us = state.since_us
        made._put([Program(one, state.faults.get(one.id, "")) for one in state.calculations])
        held = SampleColumns(
            np.frombuffer(state.series, np.int64),
            np.frombuffer(state.time_us, np.int64),
            np.frombuffer(state.value, np.float64),
            np.frombuffer(state.flags, np.uint8),
        )
        if len(held):
            made._held.add(held)
        return made


def _spent_s(program: Program) -> float:
    return program.spent_s


def _sorted(programs: Mapping[SeriesKey, Program]) -> list[Program]:
    """Each behind those it is calculated from; those of a circle are stopped."""
    wanted = {key: program.keys for key, program in programs.items()}
    while circle := circle_in(wanted):
        # Two people saved the two halves of a circle at the same moment.
        for key in circle:
            programs[key].stop(told_of(circle))
            wanted[key] = []
    return [programs[key] for key in in_order(wanted)]
