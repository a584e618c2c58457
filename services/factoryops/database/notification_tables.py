"""Who is told of alarms, and what became of it: the tables of the notifications."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from factoryops.database.columns import (
    LONG_TEXT,
    TABLE_OPTIONS,
    flag,
    identity,
    link,
    metadata,
    moment,
    of_factory,
    text,
    whole,
)


def _kept(name: str, *columns: sa.Column[bool] | sa.Column[str]) -> sa.Table:
    """A table of what people write: its content is JSON, whole with each version."""
    return sa.Table(
        name,
        metadata,
        identity("factory_id", key=True),
        identity(key=True),
        whole("version"),
        text("name", 100),
        sa.Column("content", LONG_TEXT, nullable=False),
        *columns,
        text("changed_by", 255),
        moment("changed_us"),
        of_factory(f"{name}_factory"),
        **TABLE_OPTIONS,
    )


contact: Final = _kept("notification_contact")
roster: Final = _kept("notification_roster")
policy: Final = _kept("notification_policy")
hook: Final = _kept(
    "notification_hook", text("host", 255), flag("is_signed"), sa.Column("sealed", LONG_TEXT, nullable=False)
)

# Written in the transaction of the event it is about, and gone as soon as somebody knows whom to tell.
outbox: Final = sa.Table(
    "notification_outbox",
    metadata,
    identity("factory_id", key=True),
    identity(key=True),
    identity("alarm_id"),
    whole("annunciation"),
    whole("renewal"),
    text("kind", 16),
    moment("at_us"),
    whole("number"),
    moment("created_us"),
    link("notification_outbox_alarm", "alarm_id", "alarm"),
    **TABLE_OPTIONS,
)

# How far an annunciation has come in a policy's steps; `due_us` is empty when it is over.
chain: Final = sa.Table(
    "notification_chain",
    metadata,
    identity("factory_id", key=True),
    identity(key=True),
    identity("event_id"),
    identity("alarm_id"),
    whole("annunciation"),
    whole("renewal"),
    identity("policy_id"),
    moment("began_us"),
    whole("step"),
    whole("repeats"),
    moment("due_us", nullable=True),
    text("outcome", 32),
    moment("reached_us", nullable=True),
    link("notification_chain_alarm", "alarm_id", "alarm"),
    **TABLE_OPTIONS,
)
sa.Index("notification_chain_due", chain.c.due_us)
sa.Index("notification_chain_began", chain.c.began_us)
sa.Index("notification_chain_event", chain.c.factory_id, chain.c.event_id)
sa.Index("notification_chain_alarm_of", chain.c.factory_id, chain.c.alarm_id)

# The ledger, and the queues of the channels: the same rows.
delivery: Final = sa.Table(
    "notification_delivery",
    metadata,
    identity("factory_id", key=True),
    identity(key=True),
    text("chain_id", 32),
    text("event_id", 32),
    text("alarm_id", 32),
    whole("annunciation"),
    text("event", 16),
    text("rule_name", 200),
    text("device_name", 100),
    sa.Column("priority", sa.Integer, nullable=False),
    text("policy", 100),
    whole("step"),
    identity("recipient_id"),
    text("recipient", 100),
    text("user_name", 100),
    text("channel", 16),
    text("address", 255),
    # What the message says of the alarm, as it was when somebody decided to tell it.
    sa.Column("facts", LONG_TEXT, nullable=False),
    text("state", 16),
    sa.Column("reason", LONG_TEXT, nullable=False),
    whole("attempts"),
    text("message_id", 32),
    moment("not_before_us"),
    moment("created_us"),
    moment("changed_us"),
    moment("accepted_us", nullable=True),
    moment("seen_us", nullable=True),
    sa.Column("subject", LONG_TEXT, nullable=False),
    sa.Column("body", LONG_TEXT, nullable=False),
    of_factory("notification_delivery_factory"),
    **TABLE_OPTIONS,
)
sa.Index("notification_delivery_due", delivery.c.state, delivery.c.channel, delivery.c.not_before_us)
sa.Index("notification_delivery_created", delivery.c.factory_id, delivery.c.created_us, delivery.c.id)
sa.Index("notification_delivery_to", delivery.c.factory_id, delivery.c.recipient_id, delivery.c.channel)
sa.Index("notification_delivery_alarm", delivery.c.factory_id, delivery.c.alarm_id)
sa.Index("notification_delivery_inbox", delivery.c.factory_id, delivery.c.user_name, delivery.c.created_us)
sa.Index("notification_delivery_changed", delivery.c.channel, delivery.c.changed_us)
