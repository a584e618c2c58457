"""Schedules: which work runs by itself, and when on the factory's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.contracts.http import JobKind
from factoryops.database import tables
from factoryops.database.audit import AuditTrail
from factoryops.database.rows import ScheduleRecord
from factoryops.database.unit import Unit
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import FactoryId, Scope
from factoryops.domain.time import from_us, to_us


@dataclass(frozen=True, slots=True)
class _Installed:
    is_enabled: bool
    local_time: str


_AS_INSTALLED: Final[dict[JobKind, _Installed]] = {
    JobKind.DAILY_REPORT: _Installed(is_enabled=True, local_time="06:00"),
    JobKind.ANOMALY_SCAN: _Installed(is_enabled=False, local_time="05:00"),
}


class Schedules:
    """Rows exist only for what was changed or computed; everything else is as installed."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def of(self, scope: Scope) -> list[http.Schedule]:
        """Every kind of work for one factory."""
        rows = self._rows(scope.factory_id)
        return [_schedule_of(kind, rows.get((scope.factory_id, kind.value))) for kind in _AS_INSTALLED]

    def change(self, scope: Scope, kind: JobKind, change: http.ScheduleChange) -> http.Schedule:
        """Switch or move a schedule; raises NotFoundError for work that has none of its own."""
        if kind not in _AS_INSTALLED:
            raise NotFoundError("This kind of work has no schedule of its own.")
        before = _schedule_of(kind, self._rows(scope.factory_id).get((scope.factory_id, kind.value)))
        new = {"is_enabled": change.is_enabled, "local_time": change.local_time}
        old = {"is_enabled": before.is_enabled, "local_time": before.local_time}
        if new == old:
            return before
        self._put(scope.factory_id, kind, new | {"changed_us": self._unit.now_us, "next_slot_us": None})
        AuditTrail(self._unit, scope).add("schedule.change", kind.value, old, new)
        return http.Schedule(kind=kind, is_enabled=change.is_enabled, local_time=change.local_time)

    def all(self) -> list[ScheduleRecord]:
        """Every schedule of every factory."""
        rows = self._rows(None)
        factories = self._unit.rows(sa.select(tables.factory).order_by(tables.factory.c.slug))
        return [
            _record_of(factory, kind, rows.get((factory.id, kind.value)))
            for factory in factories
            for kind in _AS_INSTALLED
        ]

    def record_next(self, factory_id: FactoryId, kind: JobKind, next_slot: datetime | None) -> None:
        """Show when a schedule runs next."""
        row = self._rows(factory_id).get((factory_id, kind.value))
        next_us = None if next_slot is None else to_us(next_slot)
        if (None if row is None else row.next_slot_us) != next_us:
            self._put(factory_id, kind, {"next_slot_us": next_us})

    def _rows(self, factory_id: FactoryId | None) -> dict[tuple[str, str], sa.Row[Any]]:
        query = sa.select(tables.schedule)
        if factory_id is not None:
            query = query.where(tables.schedule.c.factory_id == factory_id)
        rows = self._unit.rows(query, every_factory=factory_id is None)
        return {(row.factory_id, row.kind): row for row in rows}

    def _put(self, factory_id: FactoryId, kind: JobKind, values: dict[str, Any]) -> None:
        table = tables.schedule
        mine = sa.and_(table.c.factory_id == factory_id, table.c.kind == kind.value)
        if self._unit.write(sa.update(table).where(mine).values(**values)):
            return
        installed = _AS_INSTALLED[kind]
        row: dict[str, Any] = {
            "factory_id": factory_id,
            "kind": kind.value,
            "is_enabled": installed.is_enabled,
            "local_time": installed.local_time,
            "changed_us": None,
            "next_slot_us": None,
        }
        self._unit.insert(table, [row | values])


def _schedule_of(kind: JobKind, row: sa.Row[Any] | None) -> http.Schedule:
    if row is None:
        installed = _AS_INSTALLED[kind]
        return http.Schedule(kind=kind, is_enabled=installed.is_enabled, local_time=installed.local_time)
    next_slot = None if row.next_slot_us is None else from_us(row.next_slot_us)
    return http.Schedule(kind=kind, is_enabled=bool(row.is_enabled), local_time=row.local_time, next_slot=next_slot)


def _record_of(factory: sa.Row[Any], kind: JobKind, row: sa.Row[Any] | None) -> ScheduleRecord:
    shown = _schedule_of(kind, row)
    return ScheduleRecord(
        factory_id=FactoryId(factory.id),
        timezone=factory.timezone,
        kind=kind,
        is_enabled=shown.is_enabled,
        local_time=shown.local_time,
        changed_at=None if row is None or row.changed_us is None else from_us(row.changed_us),
        since=from_us(factory.created_us),
        next_slot=shown.next_slot,
    )
