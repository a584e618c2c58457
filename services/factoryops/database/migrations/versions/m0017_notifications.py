"""Who is told of alarms: contacts, rosters, policies, hooks, the outbox, and what became of each message."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import LONG_TEXT, create_index, create_table, insert_missing

revision = "0017"
down_revision = "0016"

_counter = sa.table("counter", sa.column("name", sa.String), sa.column("value", sa.BigInteger))


def upgrade() -> None:
    """Each statement is skipped when it was done before."""
    _kept()
    _outbox()
    _delivery()
    insert_missing(_counter, "name", [{"name": "inbox", "value": 0}])


def _kept() -> None:
    create_table(
        "notification_contact",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("content", LONG_TEXT, nullable=False),
        sa.Column("changed_by", sa.String(length=255), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="notification_contact_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
    create_table(
        "notification_roster",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("content", LONG_TEXT, nullable=False),
        sa.Column("changed_by", sa.String(length=255), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="notification_roster_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
    create_table(
        "notification_policy",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("content", LONG_TEXT, nullable=False),
        sa.Column("changed_by", sa.String(length=255), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="notification_policy_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
    create_table(
        "notification_hook",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("content", LONG_TEXT, nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("is_signed", sa.Boolean(), nullable=False),
        sa.Column("sealed", LONG_TEXT, nullable=False),
        sa.Column("changed_by", sa.String(length=255), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="notification_hook_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )


def _outbox() -> None:
    create_table(
        "notification_outbox",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("alarm_id", sa.String(length=32), nullable=False),
        sa.Column("annunciation", sa.BigInteger(), nullable=False),
        sa.Column("renewal", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["factory_id", "alarm_id"], ["alarm.factory_id", "alarm.id"], name="notification_outbox_alarm"
        ),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
    create_table(
        "notification_chain",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("event_id", sa.String(length=32), nullable=False),
        sa.Column("alarm_id", sa.String(length=32), nullable=False),
        sa.Column("annunciation", sa.BigInteger(), nullable=False),
        sa.Column("renewal", sa.BigInteger(), nullable=False),
        sa.Column("policy_id", sa.String(length=32), nullable=False),
        sa.Column("began_us", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("repeats", sa.BigInteger(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("reached_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["factory_id", "alarm_id"], ["alarm.factory_id", "alarm.id"], name="notification_chain_alarm"
        ),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
    create_index("notification_chain_alarm_of", "notification_chain", ["factory_id", "alarm_id"])
    create_index("notification_chain_began", "notification_chain", ["began_us"])
    create_index("notification_chain_due", "notification_chain", ["due_us"])
    create_index("notification_chain_event", "notification_chain", ["factory_id", "event_id"])


def _delivery() -> None:
    create_table(
        "notification_delivery",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("chain_id", sa.String(length=32), nullable=False),
        sa.Column("event_id", sa.String(length=32), nullable=False),
        sa.Column("alarm_id", sa.String(length=32), nullable=False),
        sa.Column("annunciation", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("rule_name", sa.String(length=200), nullable=False),
        sa.Column("device_name", sa.String(length=100), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("policy", sa.String(length=100), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("recipient_id", sa.String(length=32), nullable=False),
        sa.Column("recipient", sa.String(length=100), nullable=False),
        sa.Column("user_name", sa.String(length=100), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=255), nullable=False),
        sa.Column("facts", LONG_TEXT, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", LONG_TEXT, nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("not_before_us", sa.BigInteger(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.Column("accepted_us", sa.BigInteger(), nullable=True),
        sa.Column("seen_us", sa.BigInteger(), nullable=True),
        sa.Column("subject", LONG_TEXT, nullable=False),
        sa.Column("body", LONG_TEXT, nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="notification_delivery_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
    create_index("notification_delivery_alarm", "notification_delivery", ["factory_id", "alarm_id"])
    create_index("notification_delivery_created", "notification_delivery", ["factory_id", "created_us", "id"])
    create_index("notification_delivery_due", "notification_delivery", ["state", "channel", "not_before_us"])
    create_index("notification_delivery_inbox", "notification_delivery", ["factory_id", "user_name", "created_us"])
    create_index("notification_delivery_to", "notification_delivery", ["factory_id", "recipient_id", "channel"])
