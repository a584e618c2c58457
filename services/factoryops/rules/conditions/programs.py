"""All rules that are evaluated as programs, of all factories: samples in, raises and clears out, with the watermark.

A step evaluates everything between the last watermark and the new one: no on-time sample older than the watermark
follows, so all samples of those moments are there, whichever device sent them first. A program is run only when a
sample has left its band or a moment is due (decision 0031).
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Final, TypeAlias

import numpy as np

from factoryops.domain.conditions.checking import own_parameters
from factoryops.domain.expressions.track import FOR_EVER
from factoryops.domain.expressions.work import Work
from factoryops.domain.identity import AlarmId, RuleId
from factoryops.domain.rule import RuleInForce
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id
from factoryops.domain.time import US_PER_S
from factoryops.rules.conditions.instances import KnownSeries, devices_of, is_evaluated_for
from factoryops.rules.conditions.load import MOST_WORK, Load
from factoryops.rules.conditions.lowering import ANYTHING
from factoryops.rules.conditions.program import (
    Place,
    Program,
    ProgramMoved,
    Purpose,
    RuleGuard,
    Turned,
    is_program,
    order_of,
    purposes_of,
)
from factoryops.rules.conditions.samples import ProgramSamples
from factoryops.rules.conditions.state import HeldGap, ProgramsState
from factoryops.rules.conditions.step import Step
from factoryops.rules.delays import MachineState
from factoryops.rules.threshold import EVERYTHING, Band

LONGEST_STEP_US: Final = 600 * US_PER_S
MOST_IN_A_STEP: Final = 500
"""Samples of one input of a window that are evaluated at once."""

_NO_INPUT: Final = np.uint8(SampleFlag.LATE | SampleFlag.IMPORTED)


Newest: TypeAlias = Callable[[SeriesKey], SampleColumns]
"""The newest on-time sample of a series, if there is any."""


class Programs:
    """Runs the programs; holds no clock and does no I/O.

    Attributes:
        since_us: the watermark up to which everything is evaluated.
        runs: how often a program was run.
    """

    def __init__(self) -> None:
        self.since_us = 0
        self.runs = 0
        self._guards: dict[RuleId, RuleGuard] = {}
        self._programs: dict[Place, Program] = {}
        self._readers: defaultdict[int, list[Program]] = defaultdict(list)
        self._known = KnownSeries()
        self._waiting: defaultdict[tuple[str, str], list[RuleGuard]] = defaultdict(list)
        self._samples = ProgramSamples()
        self._load = Load()
        self._timers: list[tuple[int, Place]] = []
        self._to_run: set[Place] = set()
        self._gaps: list[HeldGap] = []

    # --- samples and time --------------------------------------------------------------------------------------------

    def take(self, samples: SampleColumns) -> None:
        """Take the samples of one journal row, at corrected times; late and imported ones are passed over."""
        if not self._programs or not len(samples):
            return
        is_usable = ((samples.flags & _NO_INPUT) == 0) & (samples.time_us >= self.since_us)
        self._samples.take(samples if is_usable.all() else samples.take(is_usable))

    def appear(self, keys: Iterable[SeriesKey], newest: Newest) -> None:
        """Series have sent their first on-time sample: rules that were waiting for them are evaluated from now on.

        Call it before the samples of the row are taken.

        Args:
            keys: what they stand for.
            newest: as in `set`.
        """
        is_new = False
        for key in keys:
            is_new = True
            self._known.add(key)
            waiting = [*self._waiting[key.factory, key.parameter], *self._waiting[key.factory, ANYTHING]]
            for guard in waiting:
                if not guard.fault and is_evaluated_for(guard.in_force, key.device, self._known):
                    self._put(guard, key.device, self._programs)
        if is_new and self._programs:
            self._watch()
            self._samples.begin_with(newest, self._known)

    def hear(self, keys: Iterable[SeriesKey], received_us: int) -> None:
        """Devices were heard whose samples were all held back: a sign of life of the whole device."""
        rows = [(int(series_id(SeriesKey(*key[:2], ANYTHING))), received_us, 1.0) for key in keys]
        if rows and self._programs:
            self._samples.add(SampleColumns.of(rows))

    def take_gap(self, start_us: int, end_us: int, factory: str) -> None:
        """A gap was recorded; what is evaluated already it changes no more. A `factory` of "" is every one."""
        if end_us >= self.since_us:
            self._gaps.append(HeldGap(end_us, factory, max(start_us, self.since_us)))

    def advance(self, watermark_us: int) -> list[ProgramMoved]:
        """Time has come to `watermark_us`: everything before it can be evaluated."""
        if watermark_us <= self.since_us:
            return []
        if not self._programs:
            self._pass(watermark_us)
            return []
        self._samples.settle()
        if not self.since_us:
            self.since_us = min(watermark_us, self._samples.newest.earliest_us(0))
        moved: list[ProgramMoved] = []
        while self.since_us < watermark_us:
            until_us = self._end_of_step(watermark_us)
            moved += self._step(until_us)
            self._pass(until_us)
            self._samples.forget(until_us)
        self._bound()
        return moved

    def _pass(self, until_us: int) -> None:
        self.since_us = until_us
        self._gaps = [gap for gap in self._gaps if gap.end_us >= until_us]

    def _end_of_step(self, watermark_us: int) -> int:
        """Where to cut, so that a backlog is not evaluated all at once; what nothing happens in is passed over."""
        since_us = self.since_us
        due_us = since_us if self._to_run else FOR_EVER
        due_us = min(due_us, self._timers[0][0] if self._timers else FOR_EVER, *(gap.end_us for gap in self._gaps))
        first_us = max(since_us, min(due_us, self._samples.newest.earliest_us(since_us)))
        if first_us >= watermark_us:
            return watermark_us
        until_us = min(watermark_us, first_us + LONGEST_STEP_US)
        return self._samples.windows.end_of_step(since_us, until_us, MOST_IN_A_STEP)

    def _step(self, until_us: int) -> list[ProgramMoved]:
        turned: list[tuple[Program, Turned]] = []
        touched: set[int] = set()
        for guard in self._guards.values():
            guard.spent_s = 0.0
        for place in sorted(self._called(until_us)):
            program = self._programs[place]
            if program.guard.fault:
                continue
            step = Step(self.since_us, until_us, self._samples, self._gaps_of(program), Work(MOST_WORK))
            turned += [(program, one) for one in self._load.run(program, step)]
            self.runs += 1
            touched.update(program.reaches)
            self._set_timer(program)
        self._to_run.clear()
        for series in touched:
            self._set_band(series)
        turned.sort(key=lambda one: order_of(one[0].purpose, one[1].move))
        return [program.moved(one) for program, one in turned]

    def _called(self, until_us: int) -> set[Place]:
        """The programs that have something to do before `until_us`."""
        found = {place for place in self._to_run if place in self._programs}
        for series in self._samples.newest.restless(self.since_us, until_us):
            found.update(program.place for program in self._readers[series])
        if any(gap.end_us < until_us for gap in self._gaps):
            found.update(self._programs)
        while self._timers and self._timers[0][0] < until_us:
            due_us, place = heapq.heappop(self._timers)
            program = self._programs.get(place)
            if program is not None and program.noted_due_us == due_us:
                program.noted_due_us = FOR_EVER
                found.add(place)
        return found

    def _gaps_of(self, program: Program) -> tuple[tuple[int, int], ...]:
        factory = program.guard.in_force.rule.factory_id
        gaps = (gap for gap in self._gaps if gap.factory in {"", factory})
        return tuple(sorted(((gap.start_us, gap.end_us) for gap in gaps), key=itemgetter(1)))

    def _set_timer(self, program: Program) -> None:
        """Have it run when it is due; a moment noted earlier stays, for it is no harm to be run too soon."""
        due_us = program.due_us
        if due_us < program.noted_due_us:
            program.noted_due_us = due_us
            heapq.heappush(self._timers, (due_us, program.place))

    def _set_band(self, series: int) -> None:
        low, high = EVERYTHING
        for program in self._readers[series]:
            if not program.guard.fault:
                one = program.bands[series]
                low, high = max(low, one.low), min(high, one.high)
        self._samples.newest.set_band(series, Band(low, high))

    def _bound(self) -> None:
        """Stop what costs too much."""
        is_stopped = self._load.bound(self._guards.values())
        is_stopped |= self._load.bound_memory(self._samples.windows, self._programs.values())
        if is_stopped:
            self._watch()

    # --- rules and devices -------------------------------------------------------------------------------------------

    @property
    def faults(self) -> Mapping[tuple[RuleId, int], str]:
        """Why rules are stopped, by id and version."""
        stopped = [guard for guard in self._guards.values() if guard.fault]
        return {(guard.in_force.rule.id, guard.in_force.rule.version): guard.fault for guard in stopped}

    def active_count(self) -> int:
        """How many conditions are raised."""
        return sum(one.machine.is_active for one in self._programs.values() if one.purpose is Purpose.CONDITION)

    def __len__(self) -> int:
        return len(self._programs)

    def standing(self) -> dict[AlarmId, MachineState]:
        """Where conditions stand that are not at rest, by alarm."""
        conditions = (one for one in self._programs.values() if one.purpose is Purpose.CONDITION)
        return {one.alarm_id: one.machine.state for one in conditions if not one.machine.is_at_rest}

    def watched(self) -> set[AlarmId]:
        """The alarms whose conditions are evaluated here."""
        return {one.alarm_id for one in self._programs.values() if one.purpose is Purpose.CONDITION}

    def set(
        self, rules: Iterable[RuleInForce], newest: Newest, taken_over: Mapping[AlarmId, MachineState] | None = None
    ) -> list[ProgramMoved]:
        """Put `rules` in the place of those in force, from the last watermark on.

        Args:
            rules: those of all factories; the ones that are evaluated sample by sample are passed over.
            newest: the newest on-time sample of a series, if any, which a new input begins with.
            taken_over: where conditions stood that were evaluated sample by sample until now.
        """
        before, guards = self._programs, self._guards
        self._guards = {one.rule.id: _kept(one, guards.get(one.rule.id)) for one in rules if is_program(one)}
        self._programs = {}
        self._index()
        for guard in self._guards.values():
            for device in devices_of(guard.in_force, self._known):
                self._put(guard, device, before, taken_over)
        gone = [one for place, one in before.items() if place not in self._programs]
        self._watch()
        self._samples.begin_with(newest, self._known)
        return [one.withdrawn(self.since_us) for one in gone if one.machine.is_active]

    def _index(self) -> None:
        self._waiting.clear()
        for guard in self._guards.values():
            for parameter in own_parameters(guard.in_force.rule.definition.condition) or {ANYTHING}:
                self._waiting[guard.in_force.rule.factory_id, parameter].append(guard)

    def _put(
        self,
        guard: RuleGuard,
        device: str,
        before: Mapping[Place, Program],
        taken_over: Mapping[AlarmId, MachineState] | None = None,
    ) -> None:
        """Evaluate a rule for a device, going on from what was evaluated before."""
        for purpose in purposes_of(guard.in_force):
            place = (guard.in_force.rule.id, device, purpose)
            held = before.get(place)
            if held is not None and held.guard.is_same(guard.in_force):
                held.guard = guard
                self._programs[place] = held
                continue
            made = Program(guard, device, purpose)
            stood = (taken_over or {}).get(made.alarm_id) if purpose is Purpose.CONDITION else None
            if held is not None:
                made.go_on_from(held, self.since_us)
            elif stood is not None:
                made.take_over(stood, self.since_us)
            self._programs[place] = made
            self._to_run.add(place)

    def _watch(self) -> None:
        """Keep the samples that programs look at, and nothing else."""
        while self._load.bound_number(self._programs.values()):
            pass
        self._readers.clear()
        reaches: dict[int, int] = {}
        keys: dict[int, SeriesKey] = {}
        for program in self._programs.values():
            if program.guard.fault:
                continue
            keys.update(program.keys)
            for series, reach_us in program.reaches.items():
                self._readers[series].append(program)
                reaches[series] = max(reach_us, reaches.get(series, 0))
        self._samples.watch(reaches, keys, self._known)

    # --- across a restart --------------------------------------------------------------------------------------------

    @property
    def state(self) -> ProgramsState:
        """Everything to go on from."""
        newest, windows = self._samples.state
        return ProgramsState(
            since_us=self.since_us,
            programs=[program.state for program in self._programs.values()],
            known=np.array(self._known.ids, np.int64).tobytes(),
            gaps=list(self._gaps),
            faults={identity: guard.fault for identity, guard in self._guards.items() if guard.fault},
            newest=newest,
            windows=windows,
        )

    @classmethod
    def restored(
        cls,
        state: ProgramsState,
        rules: Iterable[RuleInForce],
        names: Mapping[int, SeriesKey],
        taken_over: Mapping[AlarmId, MachineState] | None = None,
    ) -> Programs:
        """Programs that go on from `state`.

        Args:
            state: as others told it.
            rules: those in force then.
            names: what each series id stands for.
            taken_over: where conditions stood that were evaluated sample by sample when the state was saved: an older
                service evaluated a limit so although something suppresses its alarm.
        """
        made = cls()
        made.since_us = state.since_us
        made._known = KnownSeries(names[one] for one in np.frombuffer(state.known, np.int64).tolist() if one in names)
        made._guards = {
            one.rule.id: RuleGuard(one, state.faults.get(one.rule.id, "")) for one in rules if is_program(one)
        }
        made._index()
        for held in state.programs:
            if guard := made._guards.get(RuleId(held.rule_id)):
                made._put(guard, held.device, made._programs, taken_over)
                made._programs[held.rule_id, held.device, held.purpose].put_back(held)
        made._watch()
        made._samples.put_back(state.newest.samples, state.windows.samples)
        made._gaps = list(state.gaps)
        return made


def _kept(in_force: RuleInForce, before: RuleGuard | None) -> RuleGuard:
    """The guard of a rule, which stays stopped as long as nobody changes it."""
    return RuleGuard(in_force, before.fault if before is not None and before.is_same(in_force) else "")
