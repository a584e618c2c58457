"""The rules of every factory as the engine evaluates them: what they name is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from factoryops.database import tables
from factoryops.database.organisation import Shifts
from factoryops.database.rules import definition_of, in_force
from factoryops.database.unit import Unit
from factoryops.domain.identity import FactoryId, Role, RuleId, Scope
from factoryops.domain.rule import Rule, RuleDefinition, RuleInForce, RuleMode, RuleScope
from factoryops.domain.schedules import Schedule

_ACTOR = "engine"


def rules_in_force(unit: Unit) -> list[RuleInForce]:
    """The rules that are not off, in their present version, by factory and id."""
    rule, content, factory = tables.rule, tables.rule_version, tables.factory
    query = (
        sa.select(content, factory.c.timezone)
        .join(rule, sa.and_(content.c.factory_id == rule.c.factory_id, in_force()))
        .join(factory, factory.c.id == content.c.factory_id)
        .where(rule.c.is_deleted.is_(False), content.c.mode != RuleMode.OFF.value)
        .order_by(content.c.factory_id, content.c.rule_id)
    )
    plants: dict[str, _Plant] = {}
    found: list[RuleInForce] = []
    for row in unit.rows(query, every_factory=True):
        plant = plants.setdefault(row.factory_id, _Plant(unit, FactoryId(row.factory_id)))
        found.append(_resolved(row, definition_of(row), plant))
    return found


class _Plant:
    """What rules of one factory can name; each kind of it is read when a rule first asks."""

    def __init__(self, unit: Unit, factory_id: FactoryId) -> None:
        self._unit = unit
        self._factory_id = factory_id
        self._devices: list[sa.Row[Any]] | None = None
        self._shifts: Mapping[str, Schedule] | None = None

    def devices(self, scope: RuleScope) -> frozenset[str] | None:
        """The keys of the devices a scope covers now; None for all, future ones too."""
        if scope.is_whole_factory:
            return None
        if not (scope.kinds or scope.areas):
            return frozenset(scope.devices)
        if self._devices is None:
            table = tables.device
            query = sa.select(table.c.key, table.c.kind, table.c.area)
            self._devices = [*self._unit.rows(query.where(table.c.factory_id == self._factory_id))]
        covered = {one.key for one in self._devices if scope.covers(one.key, one.kind, one.area)}
        return frozenset(covered.union(scope.devices))

    def shifts(self, ids: frozenset[str]) -> dict[str, Schedule]:
        """The windows of those shifts that the factory still has."""
        if not ids:
            return {}
        if self._shifts is None:
            self._shifts = Shifts(self._unit, Scope(self._factory_id, _ACTOR, Role.VIEWER)).schedules()
        return {identity: schedule for identity, schedule in self._shifts.items() if identity in ids}


def _resolved(row: sa.Row[Any], definition: RuleDefinition, plant: _Plant) -> RuleInForce:
    rule = Rule(RuleId(row.rule_id), FactoryId(row.factory_id), row.version, definition)
    return RuleInForce(
        rule, plant.devices(definition.scope), row.timezone, plant.shifts(definition.shifts), row.changed_us
    )
