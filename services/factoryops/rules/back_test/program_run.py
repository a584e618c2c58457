"""A condition that is more than one limit over recorded samples: the engine's programs, in steps of up to a day.

Live they are run with the watermark, and only where a sample leaves its band or a moment is due. Neither that nor where
steps are cut makes a difference to what they say, so here they are stepped through everything in large columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec

from factoryops.domain.conditions.tree import Condition
from factoryops.domain.identity import RuleId, derived_id
from factoryops.domain.rule import RuleDefinition, RuleInForce
from factoryops.rules.back_test.feed import Span, Tally
from factoryops.rules.back_test.life import AlarmLife
from factoryops.rules.back_test.limit_run import Reached
from factoryops.rules.back_test.material import DeviceResult, Event, Material
from factoryops.rules.back_test.recorded import Recorded
from factoryops.rules.back_test.shown import Shown
from factoryops.rules.conditions.load import FAULTS
from factoryops.rules.conditions.program import Program, Purpose, RuleGuard, Turned, followed, order_of
from factoryops.rules.conditions.step import Step
from factoryops.rules.delays import DelayMachine

_Found: TypeAlias = tuple[Purpose, Turned]


def run_programs(
    device: str,
    in_force: RuleInForce,
    definitions: Sequence[RuleDefinition],
    material: Material,
    reached: Reached,
    shown: Shown,
) -> DeviceResult:
    """Try a rule and its variants on one device; their samples are read once."""
    run = _Run(device, in_force, definitions, material, shown)
    for until_us in run.steps():
        reached(until_us)
    feeds = run.recorded.feeds.values()
    tally = sum((feed.tally for feed in feeds), Tally())
    reads = [feed.read for feed in feeds]
    return DeviceResult(device, run.events, tally, reads, run.fault, run.recorded.keys)


class _Tried:
    """One combination of a sweep: the condition of a program, with delays of its own.

    Attributes:
        events: what it came to.
    """

    def __init__(self, program: Program, definition: RuleDefinition) -> None:
        self.program = program
        self.events: list[Event] = []
        self._machine = DelayMachine(definition.on_delay_s, definition.off_delay_s)
        self._life = AlarmLife()

    def follow(self, until_us: int) -> list[_Found]:
        """What the newest step of its program leads to; why is not found out."""
        moves = followed(self._machine, self.program.changes, until_us)
        return [(Purpose.CONDITION, Turned(move, None)) for move in moves]

    def live(self, found: list[_Found]) -> None:
        """Take what the condition and what suppresses the alarm did in a step."""
        for purpose, turned in sorted(found, key=lambda one: order_of(one[0], one[1].move)):
            self.events.extend(self._life.take(purpose, turned))


class _Run:
    """A rule and its variants on one device, with what suppresses the alarm.

    Attributes:
        recorded: what they look at.
        fault: why the rule could not be evaluated to the end; "" when it was.
    """

    def __init__(
        self,
        device: str,
        in_force: RuleInForce,
        definitions: Sequence[RuleDefinition],
        material: Material,
        shown: Shown,
    ) -> None:
        guards = [RuleGuard(_variant(in_force, number, one, device)) for number, one in enumerate(definitions)]
        programs: dict[Condition, Program] = {}
        for guard, definition in zip(guards, definitions, strict=True):
            if definition.condition not in programs:
                programs[definition.condition] = Program(guard, device, Purpose.CONDITION)
        self._programs = [*programs.values()]
        self._tried = [_Tried(programs[one.condition], one) for one in definitions]
        self._suppressions = (
            [Program(guards[0], device, Purpose.SUPPRESSION)] if definitions[0].suppress_while is not None else []
        )
        self.recorded = Recorded([*self._programs, *self._suppressions], material)
        self.fault = ""
        self._begins_us = self.recorded.begin(device, in_force)
        self._stopped: set[int] = set()
        self._material = material
        self._shown = shown

    @property
    def events(self) -> list[list[Event]]:
        """Of the rule and then of each variant."""
        return [one.events for one in self._tried]

    def steps(self) -> Iterator[int]:
        """Evaluate everything; gives the end of each step."""
        since_us = self._begins_us
        while since_us < self._material.span[1]:
            until_us = self.recorded.read_on(since_us, self._material.span[1])
            self._step(Step(since_us, until_us, self.recorded.columns, self._gaps(since_us, until_us)))
            self.recorded.columns.forget(until_us)
            since_us = until_us
            yield until_us

    def _gaps(self, since_us: int, until_us: int) -> tuple[Span, ...]:
        return tuple(gap for gap in self._material.gaps if gap[0] < until_us and gap[1] >= since_us)

    def _step(self, step: Step) -> None:
        """Step every condition once; the rule's own program finds out why, where that is shown."""
        is_shown = step.since_us <= self._shown.last_us
        suppressed = [one for program in self._suppressions for one in self._turned(program, step, explains=is_shown)]
        rule, *variants = self._tried
        first = len(rule.events)
        for number, program in enumerate(self._programs):
            turned = self._turned(program, step, explains=is_shown and not number)
            if not number:
                rule.live([*turned, *suppressed])
        for variant in variants:
            if id(variant.program) not in self._stopped:
                variant.live([*variant.follow(step.until_us), *suppressed])
        self._shown.take(rule.events, first)

    def _turned(self, program: Program, step: Step, *, explains: bool) -> list[_Found]:
        if id(program) in self._stopped:
            return []
        program.is_explained = explains
        try:
            return [(program.purpose, one) for one in program.step(step)]
        except FAULTS as error:
            self._stopped.add(id(program))
            self.fault = self.fault or f"Evaluating it failed ({error}): live it would be stopped."
            return []


def _variant(in_force: RuleInForce, number: int, definition: RuleDefinition, device: str) -> RuleInForce:
    """The rule with another definition and an identity of its own, for one device."""
    identity = RuleId(derived_id(in_force.rule.id, "variant", str(number)))
    rule = msgspec.structs.replace(in_force.rule, id=identity, definition=definition)
    return msgspec.structs.replace(in_force, rule=rule, devices=frozenset({device}))
