"""Shifts and operating positions of one factory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.database import organisation_tables as tables
from factoryops.database.rules import Rules
from factoryops.database.unit import Unit
from factoryops.database.versioned import VersionedRows
from factoryops.domain.errors import ConflictError, InvalidInputError
from factoryops.domain.identity import Scope
from factoryops.domain.organisation import MOST_POSITIONS, MOST_SHIFTS, check_areas, check_name
from factoryops.domain.rule_names import first_of
from factoryops.domain.schedules import Schedule
from factoryops.domain.time import from_us


class Shifts:
    """The factory's shifts. A change is a change of the rules that use them."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope
        self._rows = VersionedRows(unit, scope, tables.shift, http.ShiftContent, "shift")

    def list(self) -> list[http.Shift]:
        """All, by name."""
        return [self._told(row) for row in self._rows.all()]

    def get(self, identity: str) -> http.Shift:
        """One, or NotFoundError."""
        return self._told(self._rows.one(identity))

    def create(self, content: http.ShiftContent) -> http.Shift:
        """Add one; raises ConflictError when the name is taken, InvalidInputError when there are too many."""
        self._unit.take_turn(self._scope.factory_id)
        if len(self._rows.all()) >= MOST_SHIFTS:
            raise InvalidInputError(f"A factory has at most {MOST_SHIFTS} shifts; delete one that is not used.")
        self._check(content, "")
        return self._changed(self._rows.add(content.name, content))

    def update(self, identity: str, version: int, content: http.ShiftContent) -> http.Shift:
        """Change one; raises ConflictError unless `version` is the present one."""
        self._unit.take_turn(self._scope.factory_id)
        self._rows.one(identity)
        self._check(content, identity)
        self._rows.put(identity, version, content.name, content)
        return self._changed(identity)

    def delete(self, identity: str) -> None:
        """Take one away; raises ConflictError while a rule uses it."""
        self._unit.take_turn(self._scope.factory_id)
        self._rows.one(identity)
        users = [rule.content.name for rule in Rules(self._unit, self._scope).list() if identity in _shifts_of(rule)]
        users += [one.name for one in self._scheduled() if one.shift_id == identity]
        if users:
            raise ConflictError(f"The shift is used by {first_of(users)}: change these rules first, then delete it.")
        self._rows.remove(identity)
        self._unit.advance("rules")
        self._unit.plant_changed(self._scope.factory_id)

    def schedules(self) -> dict[str, Schedule]:
        """When each works, by id."""
        return {row.id: self._rows.read(row).schedule() for row in self._rows.all()}

    def _scheduled(self) -> Iterable[http.ScheduledRuleContent]:
        rows = VersionedRows(
            self._unit, self._scope, tables.scheduled_rule, http.ScheduledRuleContent, "scheduled rule"
        )  # fmt: skip
        return (rows.read(row) for row in rows.all())

    def _check(self, content: http.ShiftContent, identity: str) -> None:
        check_name(content.name, (row.name for row in self._rows.all() if row.id != identity))

    def _changed(self, identity: str) -> http.Shift:
        self._unit.advance("rules")
        self._unit.plant_changed(self._scope.factory_id)
        return self.get(identity)

    def _told(self, row: sa.Row[Any]) -> http.Shift:
        return http.Shift(
            id=row.id, version=row.version, content=self._rows.read(row), changed_by=row.changed_by,
            changed_at=from_us(row.changed_us),
        )  # fmt: skip


class Positions:
    """The factory's operating positions."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope
        self._rows = VersionedRows(
            unit, scope, tables.operating_position, http.PositionContent, "operating position", "position"
        )

    def list(self) -> list[http.Position]:
        """All, by name; without any the whole factory is one."""
        return [self._told(row) for row in self._rows.all()]

    def get(self, identity: str) -> http.Position:
        """One, or NotFoundError."""
        return self._told(self._rows.one(identity))

    def create(self, content: http.PositionContent) -> http.Position:
        """Add one.

        Raises:
            ConflictError: the name is taken.
            InvalidInputError: an area belongs to another position, or there are too many.
        """
        self._unit.take_turn(self._scope.factory_id)
        if len(self._rows.all()) >= MOST_POSITIONS:
            raise InvalidInputError(f"A factory has at most {MOST_POSITIONS} operating positions.")
        self._check(content, "")
        return self.get(self._rows.add(content.name, content))

    def update(self, identity: str, version: int, content: http.PositionContent) -> http.Position:
        """Change one; raises ConflictError unless `version` is the present one."""
        self._unit.take_turn(self._scope.factory_id)
        self._rows.one(identity)
        self._check(content, identity)
        self._rows.put(identity, version, content.name, content)
        return self.get(identity)

    def delete(self, identity: str) -> None:
        """Take one away."""
        self._rows.remove(identity)

    def _check(self, content: http.PositionContent, identity: str) -> None:
        others = {row.name: self._rows.read(row).areas for row in self._rows.all() if row.id != identity}
        check_name(content.name, others)
        check_areas(content.areas, others)

    def _told(self, row: sa.Row[Any]) -> http.Position:
        return http.Position(
            id=row.id, version=row.version, content=self._rows.read(row), changed_by=row.changed_by,
            changed_at=from_us(row.changed_us),
        )  # fmt: skip


def _shifts_of(rule: http.Rule) -> frozenset[str]:
    return rule.content.definition().shifts
