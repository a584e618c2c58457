"""What became of messages, as people of one factory see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.contracts.http import DeliveryState
from factoryops.database import notification_tables as tables
from factoryops.database.audit import AuditTrail
from factoryops.database.notification_rows import AlarmFacts, NewDelivery
from factoryops.database.notification_work import NotificationWork
from factoryops.database.unit import Unit
from factoryops.domain.alarms import Priority
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import Scope, new_id
from factoryops.domain.notifying import Addressee, ChannelKind
from factoryops.domain.time import from_us


class NotificationLedger:
    """The factory's deliveries and the inboxes of its people."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def page(
        self,
        *,
        alarm_id: str | None = None,
        state: DeliveryState | None = None,
        before: str | None = None,
        most: int = 200,
    ) -> http.DeliveryPage:
        """Newest first; `before` is `next_before` of the page above."""
        table = tables.delivery
        query = self._select()
        if alarm_id is not None:
            query = query.where(table.c.alarm_id == alarm_id)
        if state is not None:
            query = query.where(table.c.state == state.value)
        if before is not None:
            query = query.where(self._older_than(before))
        rows = self._unit.rows(query.order_by(table.c.created_us.desc(), table.c.id.desc()).limit(most + 1))
        shown = [_delivery_of(row) for row in rows[:most]]
        return http.DeliveryPage(deliveries=shown, next_before=shown[-1].id if len(rows) > most and shown else None)

    def _older_than(self, delivery_id: str) -> sa.ColumnElement[bool]:
        table = tables.delivery
        row = self._unit.row(self._select().where(table.c.id == delivery_id))
        if row is None:
            raise NotFoundError("There is no such delivery.")
        same_moment = sa.and_(table.c.created_us == row.created_us, table.c.id < row.id)
        return sa.or_(table.c.created_us < row.created_us, same_moment)

    def inbox(self, most: int = 100) -> http.Inbox:
        """The newest messages of the person asking."""
        table = tables.delivery
        query = self._mine().order_by(table.c.created_us.desc(), table.c.id.desc()).limit(most)
        return http.Inbox(messages=[_message_of(row) for row in self._unit.rows(query)])

    def mark_seen(self, ids: Sequence[str]) -> http.Inbox:
        """These messages have been read: their alarms have reached somebody; NotFoundError when one is not there."""
        table = tables.delivery
        rows = self._unit.rows(self._mine().where(table.c.id.in_(ids)))
        if {row.id for row in rows} != set(ids):
            raise NotFoundError("There is no such message.")
        new = [row for row in rows if row.seen_us is None]
        for row in new:
            mine = sa.and_(table.c.factory_id == self._scope.factory_id, table.c.id == row.id)
            self._unit.write(
                sa.update(table).where(mine).values(seen_us=self._unit.now_us, changed_us=self._unit.now_us)
            )
        if new:
            NotificationWork(self._unit).reached({row.chain_id for row in new}, self._unit.now_us)
            self._unit.advance("inbox")
        return self.inbox()

    def queue_test(self, to: Addressee) -> http.Delivery:
        """Send somebody a test message as soon as the dispatcher gets to it."""
        identity = new_id()
        now_us = self._unit.now_us
        facts = AlarmFacts.of_test(now_us)
        made = NewDelivery(
            identity, "", "", "", 0, "test", "", 0, to, facts, DeliveryState.QUEUED.value, "", now_us,
        )  # fmt: skip
        NotificationWork(self._unit).add_deliveries(self._scope.factory_id, [made])
        AuditTrail(self._unit, self._scope).add(
            "notification.test", to.id, None, {"recipient": to.name, "channel": to.channel.value}
        )
        row = self._unit.row(self._select().where(tables.delivery.c.id == identity))
        if row is None:
            raise NotFoundError("There is no such delivery.")
        return _delivery_of(row)

    def _mine(self) -> sa.Select[Any]:
        table = tables.delivery
        return self._select().where(
            table.c.user_name == self._scope.actor, table.c.channel == ChannelKind.IN_APP.value,
            table.c.state == DeliveryState.ACCEPTED.value,
        )  # fmt: skip

    def _select(self) -> sa.Select[Any]:
        return sa.select(tables.delivery).where(tables.delivery.c.factory_id == self._scope.factory_id)


def _delivery_of(row: sa.Row[Any]) -> http.Delivery:
    return http.Delivery(
        id=row.id, alarm_id=row.alarm_id, rule_name=row.rule_name, device_name=row.device_name,
        priority=Priority(row.priority), event=row.event, policy=row.policy, step=row.step, recipient=row.recipient,
        channel=ChannelKind(row.channel), address=row.address, state=DeliveryState(row.state), reason=row.reason,
        attempts=row.attempts, message_id=row.message_id, created_at=from_us(row.created_us),
        changed_at=from_us(row.changed_us), accepted_at=from_us(row.accepted_us) if row.accepted_us else None,
    )  # fmt: skip


def _message_of(row: sa.Row[Any]) -> http.InboxMessage:
    return http.InboxMessage(
        id=row.id, alarm_id=row.alarm_id, event=row.event, priority=Priority(row.priority), subject=row.subject,
        text=row.body, created_at=from_us(row.created_us), seen_at=from_us(row.seen_us) if row.seen_us else None,
    )  # fmt: skip
