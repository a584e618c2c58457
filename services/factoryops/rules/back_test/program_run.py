"""A condition that is more than one limit over recorded samples: the engine's programs, in steps of up to a day.

Live they are run with the watermark, and only where a sample leaves its band or a moment is due. Neither that nor where
steps are cut makes a difference to what they say, so here they are stepped through everything in large columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec

from factoryops.domain.identity import RuleId, derived_id
from factoryops.domain.rule import RuleDefinition, RuleInForce
from factoryops.rules.back_test.feed import Tally
from factoryops.rules.back_test.life import AlarmLife
from factoryops.rules.back_test.limit_run import Reached
from factoryops.rules.back_test.material import DeviceResult, Event, Material
from factoryops.rules.back_test.recorded import Recorded
from factoryops.rules.back_test.shown import Shown
from factoryops.rules.conditions.load import FAULTS
from factoryops.rules.conditions.program import Program, Purpose, RuleGuard, Turned, order_of
from factoryops.rules.conditions.step import Step

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


class _Run:
    """A rule and its variants on one device, with what suppresses the alarm.

    Attributes:
        events: of the rule and then of each variant.
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
        self._conditions = [Program(guard, device, Purpose.CONDITION) for guard in guards]
        self._suppressions: list[Program] = []
        if in_force.rule.definition.suppress_while is not None:
            self._suppressions = [Program(guards[0], device, Purpose.SUPPRESSION)]
        programs = [*self._conditions, *self._suppressions]
        self.recorded = Recorded(programs, material)
        self._begins_us = self.recorded.begin(device, in_force)
        self.events: list[list[Event]] = [[] for _ in definitions]
        self.fault = ""
        self._lives = [AlarmLife() for _ in definitions]
        self._stopped: set[int] = set()
        self._material = material
        self._shown = shown

    def steps(self) -> Iterator[int]:
        """Evaluate everything; gives the end of each step."""
        since_us = self._begins_us
        while since_us < self._material.span[1]:
            until_us = self.recorded.read_on(since_us, self._material.span[1])
            self._step(Step(since_us, until_us, self.recorded.columns, self._gap_ends(since_us, until_us)))
            self.recorded.columns.forget(until_us)
            since_us = until_us
            yield until_us

    def _gap_ends(self, since_us: int, until_us: int) -> tuple[int, ...]:
        return tuple(end_us for end_us in self._material.gap_ends_us if since_us <= end_us < until_us)

    def _step(self, step: Step) -> None:
        explains = step.since_us <= self._shown.last_us
        suppressed = [one for program in self._suppressions for one in self._turned(program, step, explains=explains)]
        for number, program in enumerate(self._conditions):
            moved = self._turned(program, step, explains=explains and not number)
            self._live(number, moved, suppressed)

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

    def _live(self, number: int, moved: list[_Found], suppressed: list[_Found]) -> None:
        events = self.events[number]
        first = len(events)
        for purpose, turned in sorted([*moved, *suppressed], key=lambda one: order_of(one[0], one[1].move)):
            events.extend(self._lives[number].take(purpose, turned))
        if not number:
            self._shown.take(events, first)


def _variant(in_force: RuleInForce, number: int, definition: RuleDefinition, device: str) -> RuleInForce:
    """The rule with another definition and an identity of its own, for one device."""
    identity = RuleId(derived_id(in_force.rule.id, "variant", str(number)))
    rule = msgspec.structs.replace(in_force.rule, id=identity, definition=definition)
    return msgspec.structs.replace(in_force, rule=rule, devices=frozenset({device}))
