"""Marked incidents of one factory."""

from __future__ import annotations

import builtins
from typing import Any, Final

import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.database import tables
from factoryops.database.audit import AuditTrail
from factoryops.database.incident_tables import incident
from factoryops.database.unit import Unit
from factoryops.domain.errors import InvalidInputError, NotFoundError
from factoryops.domain.identity import Scope, new_id
from factoryops.domain.time import from_us, to_us

MOST_INCIDENTS: Final = 1_000


class Incidents:
    """The factory's incidents; every change writes its audit entry."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def list(self) -> builtins.list[http.Incident]:
        """All, newest first."""
        mine = incident.c.factory_id == self._scope.factory_id
        query = sa.select(incident).where(mine).order_by(incident.c.start_us.desc(), incident.c.id.desc())
        return [_told(row) for row in self._unit.rows(query)]

    def get(self, identity: str) -> http.Incident:
        """One, or NotFoundError."""
        row = self._unit.row(sa.select(incident).where(self._mine(identity)))
        if row is None:
            raise NotFoundError("There is no such incident.")
        return _told(row)

    def within(self, start_us: int, end_us: int) -> builtins.list[http.Incident]:
        """Those that touch [start, end)."""
        return [one for one in self.list() if to_us(one.content.start) < end_us and to_us(one.content.end) >= start_us]

    def mark(self, content: http.IncidentContent) -> http.Incident:
        """Mark one; raises InvalidInputError when it names a device that is not there, or when there are too many."""
        self._unit.take_turn(self._scope.factory_id)
        if len(self.list()) >= MOST_INCIDENTS:
            raise InvalidInputError(f"A factory has at most {MOST_INCIDENTS:,} incidents; delete old ones.")
        self._check(content)
        identity = new_id()
        self._unit.insert(incident, [{"factory_id": self._scope.factory_id, "id": identity, **self._row(content)}])
        self._note("mark", identity, None, content)
        return self.get(identity)

    def change(self, identity: str, content: http.IncidentContent) -> http.Incident:
        """Change what is marked."""
        before = self.get(identity)
        self._check(content)
        self._unit.write(sa.update(incident).where(self._mine(identity)).values(**self._row(content)))
        self._note("change", identity, before.content, content)
        return self.get(identity)

    def delete(self, identity: str) -> None:
        """Take the mark away."""
        before = self.get(identity)
        self._unit.write(sa.delete(incident).where(self._mine(identity)))
        self._note("delete", identity, before.content, None)

    def _mine(self, identity: str) -> sa.ColumnElement[bool]:
        return sa.and_(incident.c.factory_id == self._scope.factory_id, incident.c.id == identity)

    def _check(self, content: http.IncidentContent) -> None:
        table = tables.device
        mine = sa.and_(table.c.factory_id == self._scope.factory_id, table.c.key.in_(content.device_keys))
        known = {row.key for row in self._unit.rows(sa.select(table.c.key).where(mine))}
        missing = next((key for key in content.device_keys if key not in known), None)
        if missing is not None:
            raise InvalidInputError(
                f"There is no device {missing!r} in this factory.", fields={"device_keys": "no such device"}
            )

    def _row(self, content: http.IncidentContent) -> dict[str, Any]:
        return {
            "start_us": to_us(content.start),
            "end_us": to_us(content.end),
            "content": content.model_dump_json(),
            "marked_by": self._scope.actor,
            "marked_us": self._unit.now_us,
        }

    def _note(
        self, action: str, identity: str, old: http.IncidentContent | None, new: http.IncidentContent | None
    ) -> None:
        was, becomes = (content and content.model_dump(mode="json") for content in (old, new))
        AuditTrail(self._unit, self._scope).add(f"incident.{action}", identity, was, becomes)


def _told(row: sa.Row[Any]) -> http.Incident:
    return http.Incident(
        id=row.id,
        content=http.IncidentContent.model_validate_json(row.content),
        marked_by=row.marked_by,
        marked_at=from_us(row.marked_us),
    )
