"""Rules, alarms and the engine's state."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import LONG_BYTES, LONG_TEXT, create_index, create_table

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Each statement is skipped when it was done before."""
    _rules()
    _alarms()
    _events()


def _rules() -> None:
    create_table(
        "rule",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="rule_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
    create_table(
        "rule_version",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("rule_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("parameter_key", sa.String(length=100), nullable=False),
        sa.Column("comparison", sa.String(length=8), nullable=False),
        sa.Column("limit_value", sa.Double(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("deadband", sa.Double(), nullable=False),
        sa.Column("on_delay_s", sa.Double(), nullable=False),
        sa.Column("off_delay_s", sa.Double(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("response", LONG_TEXT, nullable=False),
        sa.Column("changed_by", sa.String(length=255), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.Column("holds_from_seq", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["factory_id", "rule_id"], ["rule.factory_id", "rule.id"], name="rule_version_rule"),
        sa.PrimaryKeyConstraint("factory_id", "rule_id", "version"),
    )
    create_index("rule_version_id", "rule_version", ["rule_id", "version"])
    create_table(
        "rule_device",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("rule_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["factory_id", "device_id"], ["device.factory_id", "device.id"], name="rule_device_device"
        ),
        sa.ForeignKeyConstraint(
            ["factory_id", "rule_id", "version"],
            ["rule_version.factory_id", "rule_version.rule_id", "rule_version.version"],
            name="rule_device_version",
        ),
        sa.PrimaryKeyConstraint("factory_id", "rule_id", "version", "device_id"),
    )


def _alarms() -> None:
    create_table(
        "alarm",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("rule_id", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("rule_version", sa.BigInteger(), nullable=False),
        sa.Column("rule_name", sa.String(length=200), nullable=False),
        sa.Column("parameter_key", sa.String(length=100), nullable=False),
        sa.Column("series_id", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=50), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("message", LONG_TEXT, nullable=False),
        sa.Column("response", LONG_TEXT, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("annunciation", sa.BigInteger(), nullable=False),
        sa.Column("raised_us", sa.BigInteger(), nullable=True),
        sa.Column("cleared_us", sa.BigInteger(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("acknowledged_annunciation", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_us", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=255), nullable=True),
        sa.Column("comment", LONG_TEXT, nullable=True),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id", "device_id"], ["device.factory_id", "device.id"], name="alarm_device"),
        sa.ForeignKeyConstraint(["factory_id", "rule_id"], ["rule.factory_id", "rule.id"], name="alarm_rule"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
    create_index("alarm_change", "alarm", ["change"])


def _events() -> None:
    create_table(
        "alarm_event",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("alarm_id", sa.String(length=32), nullable=False),
        sa.Column("annunciation", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("actor", sa.String(length=255), nullable=True),
        sa.Column("comment", LONG_TEXT, nullable=True),
        sa.Column("rule_name", sa.String(length=200), nullable=False),
        sa.Column("device_name", sa.String(length=100), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id", "alarm_id"], ["alarm.factory_id", "alarm.id"], name="alarm_event_alarm"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
        sa.UniqueConstraint("factory_id", "alarm_id", "annunciation", "kind", name="alarm_event_once"),
    )
    create_index("alarm_event_at", "alarm_event", ["factory_id", "at_us", "number"])
    create_table(
        "engine_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", LONG_TEXT, nullable=False),
        sa.Column("blob", LONG_BYTES, nullable=False),
        sa.Column("saved_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
