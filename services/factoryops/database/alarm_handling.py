"""What operators do with one factory's alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.contracts.alarm_orders import Orders
from factoryops.database import tables
from factoryops.database.alarm_rows import (
    alarm_of,
    facts_of,
    record,
    select_alarms,
)
from factoryops.database.audit import AuditTrail
from factoryops.database.philosophy import Philosophies
from factoryops.database.unit import Unit, portions
from factoryops.domain.alarm_life import Outcome
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import Scope


class AlarmHandling:
    """Operators' transactions: they write the facts that are people's, never those of the condition."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def carry_out(self, orders: Orders, *, action: str, request_id: str = "") -> list[http.Alarm]:
        """Do all of `orders` or nothing; answers the alarms named, as they now are.

        Repeating what was done changes nothing: by the facts themselves, or where a request has an id, by that.

        Args:
            orders: what to do with each alarm.
            action: what the audit trail calls it; "" where the alarm's own history is the record.
            request_id: of the request; one that was carried out is not carried out again.

        Raises:
            NotFoundError: one of them is not an alarm of this factory.
            UnavailableError: an annunciation is not recorded yet; try again in a moment.
            ConflictError, InvalidInputError: what was asked for is not possible.
        """
        rows = self._locked(sorted(orders))
        if len(rows) < len(orders):
            raise NotFoundError("There is no such alarm.")
        if not (request_id and self._is_done(rows[0].id, request_id)):
            self._carry_out(rows, orders, action, request_id)
        return self._named([*orders])

    def _carry_out(self, rows: Sequence[sa.Row[Any]], orders: Orders, action: str, request_id: str) -> None:
        classes = Philosophies(self._unit, self._scope).get().philosophy()
        outcomes = {row.id: orders[row.id](facts_of(row), classes.class_of(row.alarm_class)) for row in rows}
        changed = [row for row in rows if outcomes[row.id][1]]
        if changed:
            record(self._unit, self._scope.factory_id, changed, outcomes, request_id=request_id or None)
            if action:
                self._note(action, changed, outcomes, request_id)

    def _note(self, action: str, rows: Sequence[sa.Row[Any]], outcomes: Mapping[str, Outcome], request_id: str) -> None:
        """One audit entry for all of it."""
        done = outcomes[rows[0].id][1][0]
        what = {"alarms": [row.id for row in rows], "until_us": done.until_us}
        identity = rows[0].id if len(rows) == 1 else request_id or f"{len(rows)} alarms"
        AuditTrail(self._unit, self._scope).add(action, identity, None, what, done.said or "")

    def _locked(self, alarm_ids: Sequence[str]) -> list[sa.Row[Any]]:
        query = self._select().with_for_update(of=tables.alarm)
        return [
            row
            for portion in portions(alarm_ids)
            for row in self._unit.rows(query.where(tables.alarm.c.id.in_(portion)).order_by(tables.alarm.c.id))
        ]

    def _named(self, alarm_ids: Sequence[str]) -> list[http.Alarm]:
        found = {
            row.id: alarm_of(row)
            for portion in portions(alarm_ids)
            for row in self._unit.rows(self._select().where(tables.alarm.c.id.in_(portion)))
        }
        return [found[identity] for identity in alarm_ids]

    def _select(self) -> sa.Select[Any]:
        return select_alarms().where(
            tables.alarm.c.factory_id == self._scope.factory_id, tables.alarm.c.is_shadow.is_(False)
        )

    def _is_done(self, alarm_id: str, request_id: str) -> bool:
        table = tables.alarm_event
        mine = sa.and_(
            table.c.factory_id == self._scope.factory_id, table.c.alarm_id == alarm_id, table.c.request_id == request_id
        )
        return self._unit.row(sa.select(table.c.id).where(mine).limit(1)) is not None
