"""Programs at work on samples that are given in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Compare, Comparison, Condition, Constant, Parameter
from factoryops.domain.identity import FactoryId, RuleId
from factoryops.domain.rule import Rule, RuleDefinition, RuleInForce
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.rules.conditions.program import ProgramMoved
from factoryops.rules.conditions.programs import Programs
from factoryops.rules.conditions.state import ProgramsState

S = 1_000_000
MONDAY_8_S = 1_772_438_400
"""2026-03-02 08:00 UTC, a Monday."""


def high(limit: float = 5.0, parameter: str = "x", device: str = "", **fields: Any) -> Compare:
    return Compare(Parameter(parameter, device), Comparison.ABOVE, Constant(limit), **fields)


def rule(
    condition: Condition, number: int = 1, *, version: int = 1, zone: str = "UTC", changed_us: int = 0, **fields: Any
) -> RuleInForce:
    definition = RuleDefinition("Rule", condition, Priority.HIGH, **fields)
    devices = frozenset(definition.scope.devices) or None
    return RuleInForce(
        Rule(RuleId(f"rule-{number:04}"), FactoryId("f1"), version, definition), devices, zone, changed_us=changed_us
    )


def nothing(_: SeriesKey) -> SampleColumns:
    return SampleColumns.empty()


class Plant:
    """Programs, and samples given in seconds."""

    def __init__(self, *rules: RuleInForce, at_s: float = 0) -> None:
        self.programs = Programs()
        self.rules = rules
        self.keys: dict[int, SeriesKey] = {}
        self.newest: dict[SeriesKey, SampleColumns] = {}
        self.programs.advance(int(at_s * S))
        self.programs.set(rules, nothing)

    def send(self, device: str, at_s: float, value: float, parameter: str = "x", flags: int = 0) -> None:
        key = SeriesKey("f1", device, parameter)
        identity = int(series_id(key))
        sample = SampleColumns.of([(identity, int(at_s * S), value)], flags=flags)
        if not flags:
            self.newest[key] = sample
        if identity not in self.keys:
            self.keys[identity] = key
            self.programs.appear([key], lambda one: self.newest.get(one, SampleColumns.empty()))
        self.programs.take(sample)

    def pass_to(self, at_s: float) -> list[tuple[str, str, float]]:
        return told(self.programs.advance(int(at_s * S)))

    def change(self, *rules: RuleInForce) -> list[ProgramMoved]:
        self.rules = rules
        return self.programs.set(rules, nothing)

    def restart(self) -> None:
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(self.programs.state), type=ProgramsState)
        self.programs = Programs.restored(state, self.rules, self.keys)


def told(moved: Sequence[ProgramMoved]) -> list[tuple[str, str, float]]:
    return [(one.key.device, one.move.kind.value, one.move.at_us / S) for one in moved]
