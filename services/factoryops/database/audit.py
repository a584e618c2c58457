"""The audit trail of one factory: appended to, never changed, each entry sealed by the hash of the one before."""

from __future__ import annotations

import builtins
import hashlib
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from factoryops.database import tables
from factoryops.database.rows import AuditCheck, AuditEntry
from factoryops.database.unit import Unit
from factoryops.domain.identity import Scope
from factoryops.domain.time import from_us

_AT_ONCE: Final = 1_000


class AuditTrail:
    """Who changed what, when and why.

    The repositories write the entries of what they change; add others only for what no repository does.
    """

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def add(self, action: str, object_id: str, old: object = None, new: object = None, reason: str = "") -> AuditEntry:
        """Append an entry by the scope's actor; `old` and `new` are plain JSON values."""
        number, previous = self._next()
        row: dict[str, Any] = {
            "number": number,
            "at_us": self._unit.now_us,
            "actor": self._scope.actor,
            "action": action,
            "object_id": object_id,
            "old": msgspec.json.encode(old).decode(),
            "new": msgspec.json.encode(new).decode(),
            "reason": reason,
        }
        sealed = _seal(previous, row)
        self._unit.insert(tables.audit_entry, [{"factory_id": self._scope.factory_id, **row, "hash": sealed}])
        self._set_head(sealed)
        return AuditEntry(
            number, from_us(self._unit.now_us), self._scope.actor, action, object_id, old, new, reason, sealed
        )

    def list(self, *, before: int | None = None, most: int = 200) -> builtins.list[AuditEntry]:
        """Newest first, numbers below `before`."""
        entry = tables.audit_entry
        query = sa.select(entry).where(entry.c.factory_id == self._scope.factory_id)
        if before is not None:
            query = query.where(entry.c.number < before)
        return [_entry_of(row) for row in self._unit.rows(query.order_by(entry.c.number.desc()).limit(most))]

    def verify(self) -> AuditCheck:
        """Check the whole chain."""
        number, previous = 0, ""
        while rows := self._rows_after(number):
            for row in rows:
                number += 1
                previous = _seal(previous, dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public way to a dict
                if row.number != number or row.hash != previous:
                    return AuditCheck(number, number)
        counted, head = self._head()
        return AuditCheck(number, None if (counted, head) == (number, previous) else number + 1)

    def _rows_after(self, number: int) -> builtins.list[sa.Row[Any]]:
        entry = tables.audit_entry
        query = sa.select(entry).where(entry.c.factory_id == self._scope.factory_id, entry.c.number > number)
        return [*self._unit.rows(query.order_by(entry.c.number).limit(_AT_ONCE))]

    def _next(self) -> tuple[int, str]:
        """The next number, and the hash to build on; nobody else gets them until this unit ends."""
        counters = tables.factory_counter
        self._unit.write(
            sa.update(counters)
            .where(counters.c.factory_id == self._scope.factory_id)
            .values(audit_number=counters.c.audit_number + 1)
        )
        return self._head()

    def _head(self) -> tuple[int, str]:
        counters = tables.factory_counter
        row = self._unit.row(sa.select(counters).where(counters.c.factory_id == self._scope.factory_id))
        return (0, "") if row is None else (row.audit_number, row.audit_hash)

    def _set_head(self, sealed: str) -> None:
        counters = tables.factory_counter
        self._unit.write(
            sa.update(counters).where(counters.c.factory_id == self._scope.factory_id).values(audit_hash=sealed)
        )


def _seal(previous: str, row: dict[str, Any]) -> str:
    fields = ("number", "at_us", "actor", "action", "object_id", "old", "new", "reason")
    return hashlib.sha256(previous.encode() + msgspec.json.encode([row[field] for field in fields])).hexdigest()


def _entry_of(row: sa.Row[Any]) -> AuditEntry:
    return AuditEntry(
        row.number,
        from_us(row.at_us),
        row.actor,
        row.action,
        row.object_id,
        msgspec.json.decode(row.old),
        msgspec.json.decode(row.new),
        row.reason,
        row.hash,
    )
