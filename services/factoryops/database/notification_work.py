"""The dispatcher's side of the notifications, over all factories: outbox, chains of steps, and the channels' queues."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from factoryops.contracts.http import DeliveryState
from factoryops.database import notification_tables as tables
from factoryops.database import tables as plant
from factoryops.database.notification_book import NotificationBook
from factoryops.database.notification_rows import (
    SUPERSEDED,
    AlarmFacts,
    AlarmStanding,
    Chain,
    NewDelivery,
    OutboxEvent,
    Queued,
    Recipient,
    SealedSecret,
    ToldLine,
    Unreached,
)
from factoryops.database.notification_standing import standing_of
from factoryops.database.unit import Unit, portions
from factoryops.database.unreached import unreached
from factoryops.domain.identity import FactoryId, Role, Scope
from factoryops.domain.notification_repeats import Telling
from factoryops.domain.notifying import Addressee, Book, ChannelKind
from factoryops.domain.time import US_PER_S

_HOUR_US: Final = 3_600 * US_PER_S
_KEPT_US: Final = 400 * 24 * _HOUR_US
_WAITING: Final = (DeliveryState.QUEUED.value, DeliveryState.ATTEMPTED.value)


class NotificationWork:
    """What the one dispatcher of an installation does in the database."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    # --- deciding who is told ----------------------------------------------------------------------------------------

    def has_work(self, now_us: int) -> bool:
        """Whether an event waits or a step is due."""
        event, chain = tables.outbox, tables.chain
        if self._unit.value(sa.select(event.c.id).limit(1), every_factory=True) is not None:
            return True
        query = sa.select(chain.c.id).where(chain.c.due_us <= now_us).limit(1)
        return self._unit.value(query, every_factory=True) is not None

    def events(self, most: int) -> list[OutboxEvent]:
        """The oldest events that wait."""
        table = tables.outbox
        rows = self._unit.rows(sa.select(table).order_by(table.c.number, table.c.id).limit(most), every_factory=True)
        return [
            OutboxEvent(
                FactoryId(row.factory_id), row.id, row.alarm_id, row.annunciation, row.renewal, row.kind, row.at_us,
                row.created_us,
            )
            for row in rows
        ]  # fmt: skip

    def drop(self, events: Iterable[OutboxEvent]) -> None:
        """These events have been looked at."""
        table = tables.outbox
        for portion in portions([event.id for event in events]):
            self._unit.write(sa.delete(table).where(table.c.id.in_(portion)), every_factory=True)

    def book(self, factory_id: FactoryId) -> Book:
        """What people of a factory decided."""
        factory, user = plant.factory, plant.user_account
        timezone = str(self._unit.value(sa.select(factory.c.timezone).where(factory.c.id == factory_id)))
        book = NotificationBook(self._unit, Scope(factory_id, "notifications", Role.VIEWER), lambda: timezone)
        users = self._unit.rows(
            sa.select(user.c.name, user.c.role).where(user.c.factory_id == factory_id, user.c.is_active.is_(True))
        )
        return Book(
            factory_id=factory_id,
            timezone=timezone,
            contacts={one: content.definition() for one, content in book.contacts.contents().items()},
            rosters={one: content.definition() for one, content in book.rosters.contents().items()},
            hooks={one: content.definition() for one, content in book.hooks.contents().items()},
            hosts={row.id: row.host for row in book.hooks.all()},
            policies={one: content.definition() for one, content in book.policies.contents().items()},
            roles={row.name: row.role for row in users},
        )

    def standing(self, factory_id: FactoryId, alarm_ids: Iterable[str]) -> dict[str, AlarmStanding]:
        """How alarms stand, by id."""
        return standing_of(self._unit, factory_id, alarm_ids)

    # --- chains ------------------------------------------------------------------------------------------------------

    def add_chains(self, chains: Sequence[Chain]) -> None:
        """Begin chains; one that has begun before goes on as it is."""
        table = tables.chain
        known = self._known(table, [chain.id for chain in chains])
        self._unit.insert(table, [asdict(chain) for chain in chains if chain.id not in known])

    def due_chains(self, now_us: int, most: int) -> list[Chain]:
        """Chains whose next step is due, the longest due first."""
        table = tables.chain
        query = sa.select(table).where(table.c.due_us <= now_us).order_by(table.c.due_us, table.c.id).limit(most)
        return [_chain_of(row) for row in self._unit.rows(query, every_factory=True)]

    def heads(self, factory_id: FactoryId, alarm_ids: Iterable[str]) -> list[Chain]:
        """The chains of alarms that nobody has answered and no later chain has replaced, the oldest first."""
        table, alarm = tables.chain, plant.alarm
        of_alarm = sa.and_(alarm.c.factory_id == table.c.factory_id, alarm.c.id == table.c.alarm_id)
        query = (
            sa.select(table)
            .join(alarm, of_alarm)
            .where(
                table.c.factory_id == factory_id, table.c.outcome != SUPERSEDED,
                table.c.annunciation >= alarm.c.acknowledged_annunciation,
            )
            .order_by(table.c.annunciation, table.c.renewal, table.c.began_us, table.c.id)
        )  # fmt: skip
        return [
            _chain_of(row)
            for portion in portions(set(alarm_ids))
            for row in self._unit.rows(query.where(table.c.alarm_id.in_(portion)))
        ]

    def save_chain(self, chain: Chain) -> None:
        """Record how far a chain has come."""
        table = tables.chain
        changed = {"step": chain.step, "repeats": chain.repeats, "due_us": chain.due_us, "outcome": chain.outcome}
        self._unit.write(
            sa.update(table)
            .where(table.c.factory_id == chain.factory_id, table.c.id == chain.id)
            .values(**changed)
        )  # fmt: skip

    def unreached(self, before_us: int, now_us: int) -> list[Unreached]:
        """Unanswered alarms that nobody was reached for since before `before_us`, by factory."""
        return unreached(self._unit, before_us, now_us)

    # --- deliveries --------------------------------------------------------------------------------------------------

    def told(self, factory_id: FactoryId, alarm_id: str, annunciation: int) -> list[ToldLine]:
        """By what somebody was told, or will be, that the alarm was raised; oldest first."""
        table, chain = tables.delivery, tables.chain
        of_chain = sa.and_(chain.c.factory_id == table.c.factory_id, chain.c.id == table.c.chain_id)
        query = sa.select(table, chain.c.policy_id).outerjoin(chain, of_chain)
        query = query.where(
            table.c.factory_id == factory_id, table.c.alarm_id == alarm_id, table.c.annunciation == annunciation,
            table.c.event.not_in(("cleared", "acknowledged")),
            table.c.state.in_((*_WAITING, DeliveryState.ACCEPTED.value)),
        )  # fmt: skip
        return [_told_of(row) for row in self._unit.rows(query.order_by(table.c.created_us, table.c.id))]

    def tellings(self, factory_id: FactoryId, alarm_ids: Iterable[str], since_us: int) -> list[Telling]:
        """What of alarms has gone out since then, or will."""
        table, chain = tables.delivery, tables.chain
        of_chain = sa.and_(chain.c.factory_id == table.c.factory_id, chain.c.id == table.c.chain_id)
        query = sa.select(
            table.c.alarm_id, table.c.recipient_id, table.c.channel, table.c.event, table.c.annunciation,
            chain.c.renewal, table.c.priority, table.c.created_us, table.c.not_before_us,
        ).outerjoin(chain, of_chain)  # fmt: skip
        query = query.where(
            table.c.factory_id == factory_id, table.c.not_before_us >= since_us, table.c.event != "acknowledged",
            table.c.state.in_((*_WAITING, DeliveryState.ACCEPTED.value)),
        )  # fmt: skip
        return [
            Telling(
                row.alarm_id, row.recipient_id, ChannelKind(row.channel), row.event,
                (row.annunciation, row.renewal or 0), row.priority, row.created_us, row.not_before_us,
            )
            for portion in portions(set(alarm_ids))
            for row in self._unit.rows(query.where(table.c.alarm_id.in_(portion)))
        ]  # fmt: skip

    def add_deliveries(self, factory_id: FactoryId, deliveries: Sequence[NewDelivery]) -> None:
        """Put lines into the ledger; those that are there stay as they are."""
        known = self._known(tables.delivery, [one.id for one in deliveries])
        new = {one.id: one for one in deliveries if one.id not in known}
        self._unit.insert(tables.delivery, [self._row_of(factory_id, one) for one in new.values()])

    def _row_of(self, factory_id: FactoryId, one: NewDelivery) -> dict[str, Any]:
        return {
            "factory_id": factory_id, "id": one.id, "chain_id": one.chain_id, "event_id": one.event_id,
            "alarm_id": one.alarm_id, "annunciation": one.annunciation, "event": one.event,
            "rule_name": one.facts.rule_name, "device_name": one.facts.device_name, "priority": one.facts.priority,
            "policy": one.policy, "step": one.step, "recipient_id": one.to.id, "recipient": one.to.name,
            "user_name": one.to.user, "channel": one.to.channel.value, "address": one.to.address,
            "facts": msgspec.json.encode(one.facts).decode(), "state": one.state, "reason": one.reason, "attempts": 0,
            "message_id": "", "not_before_us": one.not_before_us, "created_us": self._unit.now_us,
            "changed_us": self._unit.now_us, "accepted_us": None, "seen_us": None, "subject": "", "body": "",
        }  # fmt: skip

    def newest_us(self, factory_id: FactoryId, recipient_id: str, channel: ChannelKind, until_us: int) -> int:
        """When the newest message to somebody by a channel goes, or went, out; 0 for never. A retry is no new one.

        What goes out only after `until_us` waits for something else than its neighbours.
        """
        table = tables.delivery
        is_no_retry = sa.or_(table.c.attempts == 0, table.c.not_before_us <= self._unit.now_us)
        is_on_its_way = sa.and_(table.c.state.in_(_WAITING), is_no_retry)
        query = sa.select(sa.func.max(table.c.not_before_us)).where(
            *_to(factory_id, recipient_id, channel),
            table.c.not_before_us <= until_us,
            sa.or_(is_on_its_way, table.c.state == DeliveryState.ACCEPTED.value),
        )
        return int(self._unit.value(query) or 0)

    def messages_within_hour(self, factory_id: FactoryId, recipient_id: str, channel: ChannelKind) -> int:
        """How many messages somebody was sent by a channel within the last hour."""
        table = tables.delivery
        query = sa.select(sa.func.count(sa.distinct(table.c.message_id))).where(
            *_to(factory_id, recipient_id, channel), table.c.accepted_us > self._unit.now_us - _HOUR_US
        )
        return int(self._unit.value(query) or 0)

    def due_recipients(self, channel: ChannelKind, now_us: int, most: int) -> list[Recipient]:
        """Whom a channel has something due for, the longest waiting first."""
        table = tables.delivery
        waiting_since = sa.func.min(table.c.not_before_us)
        query = (
            sa.select(table.c.factory_id, table.c.recipient_id)
            .where(*_is_due(channel, now_us))
            .group_by(table.c.factory_id, table.c.recipient_id)
            .order_by(waiting_since, table.c.factory_id, table.c.recipient_id)
            .limit(most)
        )
        rows = self._unit.rows(query, every_factory=True)
        return [(FactoryId(row.factory_id), row.recipient_id) for row in rows]

    def due(self, channel: ChannelKind, recipient: Recipient, now_us: int, most: int) -> list[Queued]:
        """What of a channel is due for one recipient, the longest waiting first."""
        table = tables.delivery
        query = sa.select(table).where(*_to(*recipient, channel), *_is_due(channel, now_us))
        rows = self._unit.rows(query.order_by(table.c.not_before_us, table.c.id).limit(most))
        return [_queued_of(row) for row in rows]

    def note(self, deliveries: Collection[Queued], **changed: Any) -> None:
        """Change what the ledger says of deliveries."""
        table = tables.delivery
        for portion in portions([one.id for one in deliveries]):
            self._unit.write(
                sa.update(table).where(table.c.id.in_(portion)).values(**changed, changed_us=self._unit.now_us),
                every_factory=True,
            )

    def attempt(self, deliveries: Collection[Queued], message_id: str) -> None:
        """These go out now, as one message."""
        attempts = max(one.attempts for one in deliveries) + 1
        self.note(deliveries, state=DeliveryState.ATTEMPTED.value, message_id=message_id, attempts=attempts)

    def accept(self, deliveries: Collection[Queued], at_us: int, **changed: Any) -> None:
        """The other side has taken these over; their chains have reached somebody."""
        self.note(deliveries, state=DeliveryState.ACCEPTED.value, reason="", accepted_us=at_us, **changed)
        self.reached({one.chain_id for one in deliveries if one.user == ""}, at_us)
        if any(one.user for one in deliveries):
            self._unit.advance("inbox")

    def reached(self, chain_ids: Collection[str], at_us: int) -> None:
        """Somebody was reached."""
        table = tables.chain
        for portion in portions(chain_ids):
            mine = sa.and_(table.c.id.in_(portion), table.c.reached_us.is_(None))
            self._unit.write(sa.update(table).where(mine).values(reached_us=at_us), every_factory=True)

    def inboxes_changed_since(self, time_us: int) -> frozenset[tuple[str, str]]:
        """Factory and user name of those who got a message since then, or read one; for the live hub."""
        table = tables.delivery
        query = sa.select(table.c.factory_id, table.c.user_name).where(
            table.c.state == DeliveryState.ACCEPTED.value, table.c.channel == ChannelKind.IN_APP.value,
            table.c.changed_us >= time_us,
        )  # fmt: skip
        return frozenset(
            (row.factory_id, row.user_name) for row in self._unit.rows(query.distinct(), every_factory=True)
        )

    def sealed_of(self, factory_id: FactoryId, hook_id: str) -> tuple[str, str] | None:
        """Content and sealed secrets of a hook; None when it is no more."""
        table = tables.hook
        row = self._unit.row(sa.select(table).where(table.c.factory_id == factory_id, table.c.id == hook_id))
        return None if row is None else (row.content, row.sealed)

    def sealed_secrets(self) -> list[SealedSecret]:
        """The sealed secrets of all hooks, for a change of the key."""
        table = tables.hook
        query = sa.select(table.c.factory_id, table.c.id, table.c.sealed).order_by(table.c.factory_id, table.c.id)
        rows = self._unit.rows(query, every_factory=True)
        return [SealedSecret(FactoryId(row.factory_id), row.id, row.sealed) for row in rows]

    def reseal(self, factory_id: FactoryId, hook_id: str, sealed: str) -> None:
        """The same secret of a hook under another key."""
        table = tables.hook
        mine = sa.and_(table.c.factory_id == factory_id, table.c.id == hook_id)
        self._unit.write(sa.update(table).where(mine).values(sealed=sealed))

    def purge(self, now_us: int) -> None:
        """Forget what is older than 400 days."""
        for table, column in ((tables.delivery, "created_us"), (tables.chain, "began_us")):
            self._unit.write(sa.delete(table).where(table.c[column] < now_us - _KEPT_US), every_factory=True)

    def _known(self, table: sa.Table, identities: Sequence[str]) -> set[str]:
        return {
            row.id
            for portion in portions(identities)
            for row in self._unit.rows(sa.select(table.c.id).where(table.c.id.in_(portion)), every_factory=True)
        }


def _is_due(channel: ChannelKind, now_us: int) -> tuple[sa.ColumnElement[bool], ...]:
    table = tables.delivery
    return table.c.state.in_(_WAITING), table.c.channel == channel.value, table.c.not_before_us <= now_us


def _to(factory_id: FactoryId, recipient_id: str, channel: ChannelKind) -> tuple[sa.ColumnElement[bool], ...]:
    table = tables.delivery
    return (
        table.c.factory_id == factory_id, table.c.recipient_id == recipient_id, table.c.channel == channel.value,
    )  # fmt: skip


def _chain_of(row: sa.Row[Any]) -> Chain:
    return Chain(
        FactoryId(row.factory_id), row.id, row.event_id, row.alarm_id, row.annunciation, row.renewal, row.policy_id,
        row.began_us, row.step, row.repeats, row.due_us, row.outcome, row.reached_us,
    )  # fmt: skip


def _told_of(row: sa.Row[Any]) -> ToldLine:
    channel = ChannelKind(row.channel)
    to = Addressee(row.recipient_id, row.recipient, channel, row.address, row.user_name)
    facts = msgspec.json.decode(row.facts, type=AlarmFacts)
    return ToldLine(row.event_id, row.chain_id, row.policy_id or "", to, facts)


def _queued_of(row: sa.Row[Any]) -> Queued:
    return Queued(
        FactoryId(row.factory_id), row.id, row.chain_id, row.alarm_id, row.annunciation, row.event, row.recipient_id,
        row.recipient, row.user_name, ChannelKind(row.channel), msgspec.json.decode(row.facts, type=AlarmFacts),
        row.attempts, row.message_id, row.created_us,
    )  # fmt: skip
