"""How often a factory's rules are evaluated, as far as the database can tell: more than the engine takes is refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from factoryops.database import tables
from factoryops.database.unit import Unit
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import FactoryId
from factoryops.domain.rule import MOST_EVALUATIONS, RuleDefinition, RuleMode, RuleScope


def check_number(unit: Unit, factory_id: FactoryId, rule_id: str, wanted: RuleDefinition) -> None:
    """Raise InvalidInputError where a rule would take its factory beyond what is evaluated.

    A change that takes no more than the rule takes now is always taken.

    Args:
        unit: of a transaction; what the others take is read once in it, however many rules are saved.
        factory_id: whose rules count.
        rule_id: the rule that is saved.
        wanted: what it would be.
    """
    if not wanted.evaluations:
        forget_number(unit, factory_id, rule_id)
        return
    load = unit.kept(_key(factory_id), lambda: _Load(unit, factory_id))
    load.take(rule_id, wanted)


def forget_number(unit: Unit, factory_id: FactoryId, rule_id: str) -> None:
    """A rule takes nothing any more."""
    load = unit.held(_key(factory_id))
    if isinstance(load, _Load):
        load.counts.pop(rule_id, None)


def _key(factory_id: FactoryId) -> tuple[str, str]:
    return "rule_load", factory_id


class _Load:
    """How often each rule of a factory that is more than a limit is evaluated."""

    def __init__(self, unit: Unit, factory_id: FactoryId) -> None:
        self._plant = _Plant(unit, factory_id)
        self.counts = {one: self._plant.count(definition) for one, definition in _in_force(unit, factory_id).items()}

    def take(self, rule_id: str, wanted: RuleDefinition) -> None:
        """Take a rule in the place of what it was."""
        before, count = self.counts.get(rule_id, 0), self._plant.count(wanted)
        together = sum(self.counts.values()) - before + count
        if together > MOST_EVALUATIONS and count > before:
            raise InvalidInputError(
                f"The rules of this factory that look at more than one limit would be evaluated {together:,} times, "
                f"{count:,} of them for this one; {MOST_EVALUATIONS:,} are possible. Narrow its scope, or take other "
                "rules out of use.",
                fields={"scope": "too many devices"},
            )
        self.counts[rule_id] = count


def _in_force(unit: Unit, factory_id: FactoryId) -> dict[str, RuleDefinition]:
    """The factory's rules in force that are more than a limit, by id."""
    rule, version = tables.rule, tables.rule_version
    query = (
        sa.select(rule.c.id, version.c.definition)
        .join(rule, sa.and_(version.c.factory_id == rule.c.factory_id, version.c.rule_id == rule.c.id,
                            version.c.version == rule.c.version))
        .where(rule.c.factory_id == factory_id, rule.c.is_deleted.is_(False), version.c.mode != RuleMode.OFF.value)
    )  # fmt: skip
    found = {row.id: msgspec.json.decode(row.definition, type=RuleDefinition) for row in unit.rows(query)}
    return {identity: one for identity, one in found.items() if one.evaluations}


class _Plant:
    """The devices of a factory, and which have what."""

    def __init__(self, unit: Unit, factory_id: FactoryId) -> None:
        device, parameter = tables.device, tables.parameter
        query = sa.select(device.c.id, device.c.key, device.c.kind, device.c.area)
        self._devices = [*unit.rows(query.where(device.c.factory_id == factory_id))]
        self._having = _having(
            {row.id: row.key for row in self._devices},
            unit.rows(sa.select(parameter.c.device_id, parameter.c.key).where(parameter.c.factory_id == factory_id)),
        )
        self._covered: dict[RuleScope, frozenset[str]] = {}

    def count(self, definition: RuleDefinition) -> int:
        """How often a rule is evaluated."""
        if not definition.evaluations:
            return 0
        devices = self._in(definition.scope)
        for parameter in definition.needs_of(""):
            devices = devices & self._having[parameter]
        return definition.evaluations * len(devices.union(definition.scope.devices))

    def _in(self, scope: RuleScope) -> frozenset[str]:
        if scope not in self._covered:
            covered = (one.key for one in self._devices if scope.covers(one.key, one.kind, one.area))
            self._covered[scope] = frozenset(covered)
        return self._covered[scope]


def _having(devices: Mapping[str, str], parameters: Any) -> defaultdict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in parameters:
        if row.device_id in devices:
            found[row.key].add(devices[row.device_id])
    return found
