"""Shifts and operating positions of one factory."""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel

from factoryops.contracts import http
from factoryops.database import organisation_tables as tables
from factoryops.database.audit import AuditTrail
from factoryops.database.rules import Rules
from factoryops.database.unit import Unit
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from factoryops.domain.identity import Scope, new_id
from factoryops.domain.organisation import MOST_POSITIONS, MOST_SHIFTS, check_areas, check_name
from factoryops.domain.schedules import Schedule
from factoryops.domain.time import from_us

C = TypeVar("C", bound=BaseModel)


_MOST_NAMED: Final = 3


class _Rows(Generic[C]):
    """Versioned rows of one table, each a name and a content; every change writes its audit entry."""

    def __init__(self, unit: Unit, scope: Scope, table: sa.Table, content: type[C], word: str) -> None:
        self._unit = unit
        self._scope = scope
        self._table = table
        self._content = content
        self._word = word

    def all(self) -> list[sa.Row[Any]]:
        mine = self._table.c.factory_id == self._scope.factory_id
        return list(self._unit.rows(sa.select(self._table).where(mine).order_by(self._table.c.name, self._table.c.id)))

    def one(self, identity: str) -> sa.Row[Any]:
        row = self._unit.row(sa.select(self._table).where(self._mine(identity)))
        if row is None:
            raise NotFoundError(f"There is no such {self._word}.")
        return row

    def read(self, row: sa.Row[Any]) -> C:
        return self._content.model_validate_json(row.content)

    def add(self, name: str, content: C) -> str:
        identity = new_id()
        row = self._row(name, content) | {"factory_id": self._scope.factory_id, "id": identity, "version": 1}
        self._unit.insert(self._table, [row])
        self._note("create", identity, None, content)
        return identity

    def put(self, identity: str, version: int, name: str, content: C) -> None:
        before = self.read(self.one(identity))
        as_known = self._table.c.version == version
        row = self._row(name, content) | {"version": version + 1}
        if not self._unit.write(sa.update(self._table).where(self._mine(identity), as_known).values(**row)):
            raise ConflictError("Somebody else changed it meanwhile: look at it again and repeat your change.")
        self._note("update", identity, before, content)

    def remove(self, identity: str) -> None:
        before = self.read(self.one(identity))
        self._unit.write(sa.delete(self._table).where(self._mine(identity)))
        self._note("delete", identity, before, None)

    def _mine(self, identity: str) -> sa.ColumnElement[bool]:
        return sa.and_(self._table.c.factory_id == self._scope.factory_id, self._table.c.id == identity)

    def _row(self, name: str, content: C) -> dict[str, Any]:
        return {
            "name": name, "content": content.model_dump_json(), "changed_by": self._scope.actor,
            "changed_us": self._unit.now_us,
        }  # fmt: skip

    def _note(self, action: str, identity: str, old: C | None, new: C | None) -> None:
        was, becomes = (content and content.model_dump(mode="json") for content in (old, new))
        AuditTrail(self._unit, self._scope).add(f"{self._word.split()[-1]}.{action}", identity, was, becomes)


class Shifts:
    """The factory's shifts. A change is a change of the rules that use them."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope
        self._rows = _Rows(unit, scope, tables.shift, http.ShiftContent, "shift")

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
        if users:
            shown = ", ".join(users[:_MOST_NAMED]) + (" and others" if len(users) > _MOST_NAMED else "")
            raise ConflictError(f"The shift is used by {shown}: change these rules first, then delete it.")
        self._rows.remove(identity)
        self._unit.advance("rules")
        self._unit.plant_changed(self._scope.factory_id)

    def schedules(self) -> dict[str, Schedule]:
        """When each works, by id."""
        return {row.id: self._rows.read(row).schedule() for row in self._rows.all()}

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
        self._rows = _Rows(unit, scope, tables.operating_position, http.PositionContent, "operating position")

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
