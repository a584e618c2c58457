"""A condition that is more than one limit over recorded samples: the programs of the engine, an hour at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.conditions.checking import references
from factoryops.domain.conditions.tree import NoData, walk
from factoryops.domain.identity import RuleId, derived_id
from factoryops.domain.rule import RuleDefinition, RuleInForce
from factoryops.domain.samples import SampleColumns, SeriesKey
from factoryops.domain.time import US_PER_S
from factoryops.rules.back_test.feed import Feed, Tally
from factoryops.rules.back_test.limit_run import Reached
from factoryops.rules.back_test.material import DeviceResult, Event, Material
from factoryops.rules.conditions.program import ProgramMoved
from factoryops.rules.conditions.programs import Programs

_STEP_US: Final = 3_600 * US_PER_S


def run_programs(
    device: str, in_force: RuleInForce, definitions: Sequence[RuleDefinition], material: Material, reached: Reached
) -> DeviceResult:
    """Try a rule and its variants on one device; their samples are read once."""
    rules = [_variant(in_force, number, one, device) for number, one in enumerate(definitions)]
    place_of = {one.rule.id: number for number, one in enumerate(rules)}
    events: list[list[Event]] = [[] for _ in rules]
    run = _ProgramRun(rules, _inputs(device, definitions, material), material)
    for until_us in _hours(material):
        for moved in run.advance(until_us):
            events[place_of[moved.in_force.rule.id]].append(_event(moved))
        reached(until_us)
    feeds = run.feeds.values()
    tally = sum((feed.tally for feed in feeds), Tally())
    return DeviceResult(device, events, tally, [feed.read for feed in feeds], run.fault)


class _ProgramRun:
    """Programs that are given one hour after the other.

    Attributes:
        feeds: the samples they look at.
    """

    def __init__(self, rules: Sequence[RuleInForce], keys: Iterable[SeriesKey], material: Material) -> None:
        self.feeds: dict[SeriesKey, Feed] = {key: material.feed(key) for key in keys}
        self._factory = material.factory
        self._gaps = list(material.gap_ends_us)
        self._programs = Programs()
        self._last = {key: sample for key in self.feeds if len(sample := material.before(key))}
        self._unseen = self.feeds.keys() - self._last.keys()
        self._programs.advance(material.begin_us)
        self._programs.appear(self._last, self._newest)
        self._programs.set(rules, self._newest)

    @property
    def fault(self) -> str:
        """Why a rule was stopped, "" when none was."""
        return next(iter(self._programs.faults.values()), "")

    def advance(self, until_us: int) -> list[ProgramMoved]:
        """Evaluate everything before `until_us`; a series is known from its first sample on, as it is live."""
        parts = {key: part for key, feed in self.feeds.items() if len(part := feed.until(until_us))}
        begins = {key: int(part.time_us[0]) for key, part in parts.items() if key in self._unseen}
        moved: list[ProgramMoved] = []
        for moment_us in sorted({*begins.values(), until_us}):
            for key, part in parts.items():
                cut = int(part.time_us.searchsorted(moment_us))
                self._take(key, part.part(0, cut))
                parts[key] = part.part(cut, len(part))
            self._take_gaps(moment_us)
            moved += self._programs.advance(moment_us)
            self._programs.appear([key for key, begin_us in begins.items() if begin_us == moment_us], self._newest)
        self._unseen -= begins.keys()
        return moved

    def _take(self, key: SeriesKey, part: SampleColumns) -> None:
        if len(part):
            self._last[key] = part.part(len(part) - 1, len(part))
            self._programs.take(part)

    def _newest(self, key: SeriesKey) -> SampleColumns:
        return self._last.get(key, SampleColumns.empty())

    def _take_gaps(self, until_us: int) -> None:
        while self._gaps and self._gaps[0] < until_us:
            self._programs.take_gap(self._gaps.pop(0), self._factory)


def _variant(in_force: RuleInForce, number: int, definition: RuleDefinition, device: str) -> RuleInForce:
    """The rule with another definition and an identity of its own, for one device; what suppresses it is left out."""
    rule = msgspec.structs.replace(
        in_force.rule,
        id=RuleId(derived_id(in_force.rule.id, "variant", str(number))),
        definition=msgspec.structs.replace(definition, suppress_while=None),
    )
    return msgspec.structs.replace(in_force, rule=rule, devices=frozenset({device}))


def _inputs(device: str, definitions: Sequence[RuleDefinition], material: Material) -> list[SeriesKey]:
    """The series that the conditions look at; all of the device where its silence is asked for."""
    conditions = [one.condition for one in definitions]
    named = (reference for condition in conditions for reference in references(condition))
    found = [SeriesKey(material.factory, one.device or device, one.parameter) for one in named]
    if any(isinstance(node, NoData) and node.of is None for one in conditions for node in walk(one)):
        found += material.series.get(device, ())
    return list(dict.fromkeys(found))


def _hours(material: Material) -> Iterator[int]:
    """The ends of steps, up to that of the span."""
    until_us = material.begin_us
    while until_us < material.span[1]:
        until_us = min(until_us + _STEP_US, material.span[1])
        yield until_us


def _event(moved: ProgramMoved) -> Event:
    return Event(AlarmEventKind(moved.move.kind), moved.move.at_us, moved.move.value)
