"""What became of messages, what would be sent, and the inbox of the person asking."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from factoryops.api.call import Asking
from factoryops.contracts import http
from factoryops.contracts.http.notification_preview import preview
from factoryops.database.notification_standing import told_of
from factoryops.database.transaction import Transaction
from factoryops.domain.time import now_us


async def list_deliveries(
    asking: Asking,
    alarm: Annotated[http.Identifier | None, Query()] = None,
    state: Annotated[http.DeliveryState | None, Query()] = None,
    before: Annotated[http.Identifier | None, Query()] = None,
    most: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> http.DeliveryPage:
    """The ledger, newest first, recipients masked."""
    return await asking.read(
        lambda tx: tx.deliveries(asking.scope).page(alarm_id=alarm, state=state, before=before, most=most)
    )


async def preview_notifications(asking: Asking, rule: Annotated[http.Identifier, Query()]) -> http.NotificationPreview:
    """What would be sent for an alarm of a rule if it were raised now, and why."""

    def work(tx: Transaction) -> http.NotificationPreview:
        definition = tx.rules(asking.scope).get(rule).content.definition()
        told = told_of(definition, next(iter(definition.scope.areas), ""))
        return preview(tx.notifying.book(asking.scope.factory_id), told, now_us())

    return await asking.read(work)


async def get_inbox(asking: Asking) -> http.Inbox:
    """The newest messages of the person asking."""
    return await asking.read(lambda tx: tx.deliveries(asking.scope).inbox())


async def mark_seen(body: http.SeenRequest, asking: Asking) -> http.Inbox:
    """These messages have been read: whoever waits for an answer knows that somebody was reached."""
    return await asking.change(lambda tx: tx.deliveries(asking.scope).mark_seen(body.ids))


async def send_test(body: http.TestMessage, asking: Asking) -> http.Delivery:
    """Send a test message within seconds; the ledger says what becomes of it."""

    def work(tx: Transaction) -> http.Delivery:
        to = tx.notifications(asking.scope).addressee(body.kind, body.name, body.channel)
        return tx.deliveries(asking.scope).queue_test(to)

    return await asking.change(work)
