"""Declared outages of one factory."""

from __future__ import annotations

import builtins
from typing import Any

import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.database.audit import AuditTrail
from factoryops.database.outage_tables import outage
from factoryops.database.unit import Unit
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from factoryops.domain.identity import Scope, new_id
from factoryops.domain.performance.left_out import MOST_OUTAGES
from factoryops.domain.performance.rates import Span
from factoryops.domain.time import from_us, to_us


class Outages:
    """The factory's declared outages; every change writes its audit entry.

    None is changed or deleted: a wrong one is withdrawn, which stays to be seen, and another one declared.
    """

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def list(self) -> builtins.list[http.Outage]:
        """All, the latest first."""
        mine = outage.c.factory_id == self._scope.factory_id
        query = sa.select(outage).where(mine).order_by(outage.c.start_us.desc(), outage.c.id.desc())
        return [_told(row) for row in self._unit.rows(query)]

    def get(self, identity: str) -> http.Outage:
        """One, or NotFoundError."""
        row = self._unit.row(sa.select(outage).where(self._mine(identity)))
        if row is None:
            raise NotFoundError("There is no such declared outage.")
        return _told(row)

    def spans(self, start_us: int, end_us: int) -> builtins.list[Span]:
        """Those that hold and touch [start, end), in µs UTC."""
        query = sa.select(outage.c.start_us, outage.c.end_us).where(
            outage.c.factory_id == self._scope.factory_id,
            outage.c.withdrawn_us.is_(None),
            outage.c.start_us < end_us,
            outage.c.end_us > start_us,
        )
        return [(row.start_us, row.end_us) for row in self._unit.rows(query)]

    def declare(self, content: http.OutageContent) -> http.Outage:
        """Declare one; raises InvalidInputError when too many hold."""
        self._unit.take_turn(self._scope.factory_id)
        if sum(one.holds for one in self.list()) >= MOST_OUTAGES:
            raise InvalidInputError(f"At most {MOST_OUTAGES:,} declared outages hold at a time; withdraw old ones.")
        identity = new_id()
        row = {
            "factory_id": self._scope.factory_id,
            "id": identity,
            "start_us": to_us(content.start),
            "end_us": to_us(content.end),
            "reason": content.reason,
            "declared_by": self._scope.actor,
            "declared_us": self._unit.now_us,
        }
        self._unit.insert(outage, [row])
        told = content.model_dump(mode="json")
        AuditTrail(self._unit, self._scope).add("outage.declare", identity, None, told, content.reason)
        return self.get(identity)

    def withdraw(self, identity: str) -> http.Outage:
        """Take a declaration back: its time counts in figures again.

        Raises:
            NotFoundError: there is no such outage.
            ConflictError: it was withdrawn before.
        """
        self._unit.take_turn(self._scope.factory_id)
        before = self.get(identity)
        if not before.holds:
            raise ConflictError(f"{before.withdrawn_by} has withdrawn this outage already.")
        values = {"withdrawn_by": self._scope.actor, "withdrawn_us": self._unit.now_us}
        self._unit.write(sa.update(outage).where(self._mine(identity)).values(**values))
        old = before.content.model_dump(mode="json")
        AuditTrail(self._unit, self._scope).add("outage.withdraw", identity, old, None)
        return self.get(identity)

    def _mine(self, identity: str) -> sa.ColumnElement[bool]:
        return sa.and_(outage.c.factory_id == self._scope.factory_id, outage.c.id == identity)


def _told(row: sa.Row[Any]) -> http.Outage:
    return http.Outage(
        id=row.id,
        content=http.OutageContent(start=from_us(row.start_us), end=from_us(row.end_us), reason=row.reason),
        declared_by=row.declared_by,
        declared_at=from_us(row.declared_us),
        withdrawn_by=row.withdrawn_by,
        withdrawn_at=None if row.withdrawn_us is None else from_us(row.withdrawn_us),
    )
