"""One rule's condition, or what suppresses its alarm, at work on one device."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

import msgspec

from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.expressions.track import FOR_EVER
from factoryops.domain.identity import AlarmId, alarm_id
from factoryops.domain.rule import RuleInForce, RuleMode
from factoryops.domain.samples import SeriesKey
from factoryops.rules.conditions.explanation import Explanation, deciding, explained
from factoryops.rules.conditions.leaves import Compared
from factoryops.rules.conditions.lowering import Recipe
from factoryops.rules.conditions.parts import Part
from factoryops.rules.conditions.quantity import Memory
from factoryops.rules.conditions.signal import FALSE, TRUE, UNKNOWN
from factoryops.rules.conditions.step import Step
from factoryops.rules.delays import DelayMachine, MachineState, Move
from factoryops.rules.immediate import immediate
from factoryops.rules.threshold import EVERYTHING, NOTHING, Band

MOST_FAILURES: Final = 5
"""Runs in a row that may be slow or fail."""


class Purpose(StrEnum):
    """What a program decides."""

    CONDITION = "condition"
    SUPPRESSION = "suppression"


Place: TypeAlias = tuple[str, str, Purpose]
"""What tells a program apart: rule, device and purpose."""


class Turned(NamedTuple):
    """A raise or a clear, and why."""

    move: Move
    why: Explanation | None


@dataclass(frozen=True, slots=True)
class ProgramMoved:
    """A condition that raised or cleared, or a suppression that began or ended.

    Attributes:
        key: the series of it that comes first, for whoever shows it.
        keys: what the series it looks at stand for, by id.
        is_withdrawn: it ended because the rule no longer watches the device.
    """

    in_force: RuleInForce
    purpose: Purpose
    alarm_id: AlarmId
    key: SeriesKey
    move: Move
    why: Explanation | None
    keys: Mapping[int, SeriesKey]
    is_withdrawn: bool = False

    @property
    def is_suppression(self) -> bool:
        """Whether it is not the condition that turned but what suppresses its alarm."""
        return self.purpose is Purpose.SUPPRESSION


class ProgramState(msgspec.Struct, frozen=True, array_like=True):
    """What a program must remember across a restart.

    Attributes:
        memories: of its parts, from the left.
        why: the condition turned, while a delay runs.
    """

    rule_id: str
    purpose: Purpose
    device: str
    memories: list[Memory]
    machine: MachineState
    why: Explanation | None = None


class RuleGuard:
    """One rule as it is evaluated for all its devices; stops it when it does harm.

    Attributes:
        fault: why it is stopped, "" when it is not.
        spent_s: processor time since it was set to 0.
        failures: runs in a row that were slow or failed.
    """

    def __init__(self, in_force: RuleInForce, fault: str = "") -> None:
        self.in_force = in_force
        self.recipe = Recipe(in_force)
        self.fault = fault
        self.spent_s = 0.0
        self.failures = 0

    def is_same(self, in_force: RuleInForce) -> bool:
        """Whether another state of affairs leaves what is evaluated for a device as it is."""
        held = self.in_force
        return (held.rule, held.timezone, held.shifts) == (in_force.rule, in_force.timezone, in_force.shifts)

    def stop(self, reason: str) -> None:
        """Evaluate it no more, for any device."""
        self.fault = f"{reason} It is stopped; change the rule to start it again."

    def failed(self, reason: str) -> None:
        """A run was slow or failed."""
        self.failures += 1
        if self.failures >= MOST_FAILURES:
            self.stop(reason)


class Program:
    """A condition with its delays.

    Attributes:
        bands: the values of each series that change nothing, as of its last step.
        keys: what the series it looks at stand for, by id.
        reaches: how far back their samples matter, in microseconds.
        why: the condition turned, while a delay runs.
        is_explained: whether it finds out why it turns; without that, moves have no value.
        changes: what the condition said when in the newest step, its delays not considered.
        noted_due_us: for the one who keeps the time: when it was last asked to be run.
    """

    def __init__(self, guard: RuleGuard, device: str, purpose: Purpose) -> None:
        compiled = guard.recipe.compiled(device, is_suppression=purpose is Purpose.SUPPRESSION)
        self.guard = guard
        self.device = device
        self.purpose = purpose
        self.keys = compiled.keys
        self.noted_due_us = FOR_EVER
        self.is_explained = True
        self.changes: Sequence[tuple[int, int]] = ()
        self.compiled = compiled
        self._parts = list(compiled.root.walk())
        self.why: Explanation | None = None
        self.reaches: dict[int, int] = {}
        self._looking: defaultdict[int, list[Part]] = defaultdict(list)
        for part in self._parts:
            for series, reach_us in part.series.items():
                self._looking[series].append(part)
                self.reaches[series] = max(reach_us, self.reaches.get(series, 0))
        self.bands = dict.fromkeys(self.reaches, NOTHING)
        definition = guard.in_force.rule.definition
        is_condition = purpose is Purpose.CONDITION
        self.machine = DelayMachine(
            definition.on_delay_s if is_condition else 0.0, definition.off_delay_s if is_condition else 0.0
        )

    @property
    def place(self) -> Place:
        """What tells it apart."""
        return (self.guard.in_force.rule.id, self.device, self.purpose)

    @property
    def alarm_id(self) -> AlarmId:
        """The alarm it moves."""
        rule = self.guard.in_force.rule
        return alarm_id(rule.factory_id, rule.id, self.device)

    @property
    def key(self) -> SeriesKey:
        """The first series of its own device that it looks at; the device with no parameter when there is none."""
        factory = self.guard.in_force.rule.factory_id
        own = (key for key in self.keys.values() if key.device == self.device)
        return next(own, SeriesKey(factory, self.device, ""))

    def step(self, step: Step) -> list[Turned]:
        """Evaluate a step; raises ArithmeticError when it takes too much work."""
        self.bands = dict.fromkeys(self.reaches, NOTHING)
        self.changes = self.compiled.root.step(step).changes
        found = [self._explained(move, step) for move in followed(self.machine, self.changes, step.until_us)]
        self._keep_why(step)
        self.bands = {series: self._band(series) for series in self.reaches}
        for part in self._parts:
            part.said = None
        return found

    def moved(self, turned: Turned) -> ProgramMoved:
        """What it did, as others need to know."""
        return self._moved(turned.move, turned.why)

    def withdrawn(self, now_us: int) -> ProgramMoved:
        """It ends with its rule."""
        move = Move(AlarmEventKind.CLEARED, now_us, None, now_us)
        return self._moved(move, None, is_withdrawn=True)

    def _moved(self, move: Move, why: Explanation | None, *, is_withdrawn: bool = False) -> ProgramMoved:
        in_force = self.guard.in_force
        return ProgramMoved(in_force, self.purpose, self.alarm_id, self.key, move, why, self.keys, is_withdrawn)

    def _explained(self, move: Move, step: Step) -> Turned:
        if not self.is_explained:
            return Turned(move, None)
        why = explained(self.compiled, step, move.since_us) if move.since_us >= step.since_us else self.why
        if why is None:
            return Turned(move, None)
        said = deciding(why, TRUE if move.kind is AlarmEventKind.RAISED else FALSE)
        return Turned(move._replace(value=None if said is None else said.value), why)

    def _keep_why(self, step: Step) -> None:
        """The samples may be gone when a delay runs out."""
        if self.machine.due_us is None or not self.is_explained:
            self.why = None
        elif self.machine.since_us >= step.since_us:
            self.why = explained(self.compiled, step, self.machine.since_us)

    @property
    def due_us(self) -> int:
        """The next moment at which it must be run though no sample leaves its band, after its last step."""
        is_known = not self.changes or self.changes[-1][1] != UNKNOWN
        due_us = self.machine.due_us if is_known and self.machine.due_us is not None else FOR_EVER
        return min(due_us, *(part.due_us for part in self._parts))

    def _band(self, series: int) -> Band:
        low, high = EVERYTHING
        for part in self._looking[series]:
            one = part.band(series)
            low, high = max(low, one.low), min(high, one.high)
        return Band(low, high)

    def go_on_from(self, before: Program, now_us: int) -> None:
        """Take the place of an earlier version: what was raised stays so until this one says otherwise."""
        self.machine.put_back(before.machine.state)
        self.machine.reckon_anew(now_us)
        self.why = before.why
        _go_on(self.compiled.root, before.compiled.root, is_true=before.machine.is_true)

    def take_over(self, stood: MachineState, now_us: int) -> None:
        """Go on from where a condition stood that was evaluated otherwise."""
        self.machine.put_back(stood)
        self.machine.reckon_anew(now_us)
        if stood.is_true:
            _begin_true(self.compiled.root)

    @property
    def state(self) -> ProgramState:
        """What to remember across a restart."""
        rule_id, device, purpose = self.place
        memories = [memory for part in self._parts for memory in part.memories]
        return ProgramState(rule_id, purpose, device, memories, self.machine.state, self.why)

    def put_back(self, state: ProgramState) -> None:
        """Stand where `state` was told."""
        self.machine.put_back(state.machine)
        self.why = state.why
        memories = list(state.memories)
        for part in self._parts:
            count = len(part.memories)
            part.remember(memories[:count])
            del memories[:count]


def followed(machine: DelayMachine, changes: Iterable[tuple[int, int]], until_us: int) -> list[Move]:
    """What a condition's changes in a step that ends at `until_us` lead to.

    Unknown keeps what was, and no delay runs out in it. One that was due meanwhile is over when the condition is known
    again and still the same.
    """
    moves: list[Move] = []
    is_known = False
    for moment_us, state in changes:
        if is_known:
            moves += machine.tick(moment_us - 1)
        is_known = state != UNKNOWN
        if is_known and machine.due_us == moment_us:
            moves += machine.tick(moment_us)
        if is_known and (state == TRUE) is not machine.is_true:
            moves += machine.turn(moment_us, None)
        elif is_known:
            moves += machine.confirm(moment_us)
    if is_known:
        moves += machine.tick(until_us - 1)
    return moves


def order_of(purpose: Purpose, move: Move) -> tuple[int, int]:
    """Of what is found in one step, what comes first.

    Of one moment that is the beginning of a suppression, so that what is raised then tells nobody; its end comes last,
    so that what clears then is not announced again.
    """
    if purpose is Purpose.CONDITION:
        return move.at_us, 1
    return move.at_us, 0 if move.kind is AlarmEventKind.RAISED else 2


def is_program(in_force: RuleInForce) -> bool:
    """Whether a rule needs programs: it is no plain limit, or something suppresses its alarm."""
    definition = in_force.rule.definition
    if definition.mode is RuleMode.OFF:
        return False
    return bool(purposes_of(in_force))


def purposes_of(in_force: RuleInForce) -> list[Purpose]:
    """What a rule needs programs for; a plain limit is not evaluated here."""
    definition = in_force.rule.definition
    wanted = {
        Purpose.CONDITION: immediate(definition) is None,
        Purpose.SUPPRESSION: definition.suppress_while is not None,
    }
    return [purpose for purpose, is_wanted in wanted.items() if is_wanted]


def _go_on(part: Part, before: Part, *, is_true: bool) -> bool:
    """Let parts that look at the same go on from what was remembered; answers whether it and all below could."""
    if not part.is_like(before):
        if is_true:
            _begin_true(part)
        return False
    below = [_go_on(one, two, is_true=is_true) for one, two in zip(part.parts, before.parts, strict=True)]
    if all(below):
        part.remember(before.memories)
    return all(below)


def _begin_true(part: Part) -> None:
    """What was raised is kept by values within a deadband."""
    for one in part.walk():
        if isinstance(one, Compared):
            one.memory = [1.0]
