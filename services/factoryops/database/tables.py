"""The tables: a common subset of SQLite, MariaDB and MySQL.

Ids are 32 hexadecimal digits; times are whole microseconds since 1970 (UTC) in columns that end in `_us`. Whatever
belongs to a factory has the key (factory_id, id), and foreign keys carry both, so that the database itself refuses a
link from one factory to another. Texts compare by code point (utf8mb4_bin). MySQL's binary collation ignores trailing
spaces, so nothing that may end in a space is unique by itself: its derived id is.
"""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.columns import LONG_BYTES, LONG_TEXT, metadata
from factoryops.database.columns import TABLE_OPTIONS as _MYSQL
from factoryops.database.columns import flag as _flag
from factoryops.database.columns import identity as _id
from factoryops.database.columns import link as _link
from factoryops.database.columns import moment as _time
from factoryops.database.columns import number as _number
from factoryops.database.columns import of_factory as _of_factory
from factoryops.database.columns import text as _text
from factoryops.database.columns import whole as _whole

# --- the installation ------------------------------------------------------------------------------------------------

counter = sa.Table("counter", metadata, sa.Column("name", sa.String(32), primary_key=True), _whole("value"), **_MYSQL)

unit_of_work = sa.Table("unit_of_work", metadata, _id(key=True), _time("at_us"), **_MYSQL)
sa.Index("unit_of_work_at", unit_of_work.c.at_us)

factory = sa.Table(
    "factory",
    metadata,
    _id(key=True),
    _text("slug", 100),
    _text("name", 200),
    _text("timezone", 64),
    _flag("adopts_automatically"),
    _text("tenant", 16),
    _time("created_us"),
    sa.UniqueConstraint("slug", name="factory_slug"),
    **_MYSQL,
)

# Beside `factory`, because a change there would wait for everybody who adds something that belongs to the factory.
factory_counter = sa.Table(
    "factory_counter",
    metadata,
    _id("factory_id", key=True),
    _whole("plant_change"),
    _whole("audit_number"),
    _text("audit_hash", 64),
    _of_factory("factory_counter_factory"),
    **_MYSQL,
)

# --- people ----------------------------------------------------------------------------------------------------------

user_account = sa.Table(
    "user_account",
    metadata,
    _id("factory_id", key=True),
    _id(key=True),
    _text("name", 255),
    _text("password_hash", 255),
    _text("role", 16),
    _flag("is_active"),
    _time("created_us"),
    _of_factory("user_account_factory"),
    sa.UniqueConstraint("factory_id", "name", name="user_account_name"),
    **_MYSQL,
)
sa.Index("user_account_id", user_account.c.id)

session = sa.Table(
    "session",
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    _id("factory_id"),
    _id("user_id"),
    _time("created_us"),
    _time("expires_us"),
    _link("session_user", "user_id", "user_account"),
    **_MYSQL,
)
sa.Index("session_of_user", session.c.factory_id, session.c.user_id)

mqtt_credential = sa.Table(
    "mqtt_credential",
    metadata,
    sa.Column("username", sa.String(100), primary_key=True),
    _id("factory_id"),
    _text("secret_sha256", 64),
    _text("device_key", 100, nullable=True),
    _time("created_us"),
    _text("kind", 16),
    _text("broker_hash", 200),
    _text("previous_sha256", 64, nullable=True),
    _text("previous_broker_hash", 200, nullable=True),
    _time("previous_until_us", nullable=True),
    _of_factory("mqtt_credential_factory"),
    **_MYSQL,
)

audit_entry = sa.Table(
    "audit_entry",
    metadata,
    _id("factory_id", key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    _time("at_us"),
    _text("actor", 255),
    _text("action", 64),
    _text("object_id", 255),
    sa.Column("old", LONG_TEXT, nullable=False),
    sa.Column("new", LONG_TEXT, nullable=False),
    sa.Column("reason", LONG_TEXT, nullable=False),
    _text("hash", 64),
    _of_factory("audit_entry_factory"),
    **_MYSQL,
)

# --- plant -----------------------------------------------------------------------------------------------------------

device = sa.Table(
    "device",
    metadata,
    _id("factory_id", key=True),
    _id(key=True),
    _text("key", 100),
    _text("name", 100),
    _text("kind", 50),
    _text("area", 100),
    _text("line", 100),
    _time("created_us"),
    _time("last_received_us", nullable=True),
    _time("clock_offset_us"),
    _of_factory("device_factory"),
    **_MYSQL,
)

parameter = sa.Table(
    "parameter",
    metadata,
    _id("factory_id", key=True),
    _id(key=True),
    _id("device_id"),
    _whole("series_id"),
    _text("key", 100),
    _text("name", 100),
    _text("unit", 50),
    sa.Column("decimals", sa.Integer, nullable=False),
    _number("low", nullable=True),
    _number("high", nullable=True),
    _number("normal_low", nullable=True),
    _number("normal_high", nullable=True),
    _number("deadband", nullable=True),
    _number("deadband_max_s"),
    _text("kind", 16),
    _link("parameter_device", "device_id", "device"),
    sa.UniqueConstraint("factory_id", "series_id", name="parameter_series"),
    **_MYSQL,
)

# --- where data comes from -------------------------------------------------------------------------------------------

mapping = sa.Table(
    "mapping",
    metadata,
    _id("factory_id", key=True),
    _id(key=True),
    _whole("version"),
    _text("name", 100),
    sa.Column("content", LONG_TEXT, nullable=False),
    _flag("is_enabled"),
    _text("changed_by", 255),
    _time("changed_us"),
    _of_factory("mapping_factory"),
    **_MYSQL,
)

# What became of quarantined messages: the journal that holds them has one writer, which is not the worker.
quarantine_mark = sa.Table(
    "quarantine_mark",
    metadata,
    _id("factory_id", key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("received_us", sa.BigInteger, primary_key=True, autoincrement=False),
    _time("replayed_us"),
    _of_factory("quarantine_mark_factory"),
    **_MYSQL,
)

declined_device = sa.Table(
    "declined_device",
    metadata,
    _id("factory_id", key=True),
    _id(key=True),
    _text("key", 100),
    _text("declined_by", 255),
    _time("until_us"),
    _of_factory("declined_device_factory"),
    **_MYSQL,
)

retention_policy = sa.Table(
    "retention_policy",
    metadata,
    _id("factory_id", key=True),
    _id(key=True),
    _whole("place"),
    _text("name", 100),
    sa.Column("parameters", LONG_TEXT, nullable=False),
    _whole("raw_days"),
    _whole("minute_days"),
    _whole("hour_days"),
    _text("changed_by", 255),
    _time("changed_us"),
    _of_factory("retention_policy_factory"),
    **_MYSQL,
)

# What the engine calculates; a deleted one keeps its row, because its parameter keeps its history.
calculation = sa.Table(
    "calculation",
    metadata,
    _id("factory_id", key=True),
    _id(key=True),
    _whole("version"),
    _text("device_key", 100),
    _text("parameter_key", 100),
    _text("name", 100),
    _text("unit", 50),
    sa.Column("expression", LONG_TEXT, nullable=False),
    _number("maximum_age_s"),
    _flag("is_enabled"),
    _flag("is_deleted"),
    _text("changed_by", 255),
    _time("changed_us"),
    # Written by the engine alone.
    _whole("holds_from_seq", nullable=True),
    sa.Column("fault", LONG_TEXT, nullable=True),
    _of_factory("calculation_factory"),
    **_MYSQL,
)

# --- rules and alarms ------------------------------------------------------------------------------------------------

rule = sa.Table(
    "rule",
    metadata,
    _id("factory_id", key=True),
    _id(key=True),
    _whole("version"),
    _flag("is_deleted"),
    _time("created_us"),
    _of_factory("rule_factory"),
    **_MYSQL,
)

rule_version = sa.Table(
    "rule_version",
    metadata,
    _id("factory_id", key=True),
    _id("rule_id", key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("name", 200),
    sa.Column("priority", sa.Integer, nullable=False),
    _text("changed_by", 255),
    _time("changed_us"),
    _text("mode", 8),
    # Nullable because it was added to a table that had rows; every row has one.
    sa.Column("definition", LONG_TEXT, nullable=True),
    _text("reason", 500),
    # Written by the engine alone.
    _whole("holds_from_seq", nullable=True),
    sa.Column("fault", LONG_TEXT, nullable=True),
    _link("rule_version_rule", "rule_id", "rule"),
    **_MYSQL,
)
sa.Index("rule_version_id", rule_version.c.rule_id, rule_version.c.version)

alarm = sa.Table(
    "alarm",
    metadata,
    _id("factory_id", key=True),
    _id(key=True),
    _id("rule_id"),
    _id("device_id"),
    # The condition's facts: written by the engine alone.
    _whole("rule_version"),
    _text("rule_name", 200),
    _text("parameter_key", 100),
    _whole("series_id"),
    _text("unit", 50),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("message", LONG_TEXT, nullable=False),
    sa.Column("response", LONG_TEXT, nullable=False),
    _flag("is_active"),
    _whole("annunciation"),
    _time("raised_us", nullable=True),
    _time("cleared_us", nullable=True),
    _number("value", nullable=True),
    _whole("raised_order"),
    _flag("is_latching"),
    _flag("is_shadow"),
    _number("re_alarm_s"),
    _text("alarm_class", 32),
    _flag("is_suppressed"),
    _time("suppression_us"),
    # The others: written by operators' transactions and the life-cycle clock.
    _whole("acknowledged_annunciation"),
    _whole("acknowledged_renewal"),
    _time("acknowledged_us", nullable=True),
    _text("acknowledged_by", 255, nullable=True),
    sa.Column("comment", LONG_TEXT, nullable=True),
    _whole("reset_annunciation"),
    _whole("renewed_annunciation"),
    _whole("renewal"),
    _time("shelved_us", nullable=True),
    _time("shelved_until_us", nullable=True),
    _text("shelved_by", 255, nullable=True),
    sa.Column("shelved_reason", LONG_TEXT, nullable=True),
    _whole("shelved_ends_with", nullable=True),
    _time("out_us", nullable=True),
    _time("out_until_us", nullable=True),
    _text("out_by", 255, nullable=True),
    sa.Column("out_reason", LONG_TEXT, nullable=True),
    _whole("change"),
    _link("alarm_rule", "rule_id", "rule"),
    _link("alarm_device", "device_id", "device"),
    **_MYSQL,
)
sa.Index("alarm_change", alarm.c.change)

alarm_event = sa.Table(
    "alarm_event",
    metadata,
    _id("factory_id", key=True),
    _id(key=True),
    _id("alarm_id"),
    _whole("annunciation"),
    _text("kind", 16),
    _time("at_us"),
    _number("value", nullable=True),
    _text("actor", 255, nullable=True),
    sa.Column("comment", LONG_TEXT, nullable=True),
    _text("rule_name", 200),
    _text("device_name", 100),
    sa.Column("priority", sa.Integer, nullable=False),
    _whole("number"),
    _whole("renewal"),
    _text("cause", 16, nullable=True),
    _time("until_us", nullable=True),
    _flag("is_annunciation"),
    _flag("is_shadow"),
    sa.Column("request_id", sa.String(32), nullable=True),
    _link("alarm_event_alarm", "alarm_id", "alarm"),
    **_MYSQL,
)
sa.Index("alarm_event_of_alarm", alarm_event.c.factory_id, alarm_event.c.alarm_id, alarm_event.c.at_us)
sa.Index("alarm_event_at", alarm_event.c.factory_id, alarm_event.c.at_us, alarm_event.c.number)

engine_state = sa.Table(
    "engine_state",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", LONG_TEXT, nullable=False),
    sa.Column("blob", LONG_BYTES, nullable=False),
    _time("saved_us"),
    **_MYSQL,
)

# --- work ------------------------------------------------------------------------------------------------------------

schedule = sa.Table(
    "schedule",
    metadata,
    _id("factory_id", key=True),
    sa.Column("kind", sa.String(32), primary_key=True),
    _flag("is_enabled"),
    _text("local_time", 5),
    _time("changed_us", nullable=True),
    _time("next_slot_us", nullable=True),
    _of_factory("schedule_factory"),
    **_MYSQL,
)

job_run = sa.Table(
    "job_run",
    metadata,
    _id("factory_id", key=True),
    _id(key=True),
    _text("kind", 32),
    _text("state", 16),
    _time("slot_us", nullable=True),
    _time("start_us"),
    _time("end_us"),
    sa.Column("device_ids", LONG_TEXT, nullable=False),
    # Runs of before there were arguments have none.
    sa.Column("arguments", LONG_TEXT, nullable=True),
    _text("requested_by", 255),
    _time("created_us"),
    _time("not_before_us"),
    _time("started_us", nullable=True),
    _time("finished_us", nullable=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    _text("worker", 100, nullable=True),
    _time("lease_until_us", nullable=True),
    _flag("cancel_requested"),
    _number("progress"),
    sa.Column("message", LONG_TEXT, nullable=False),
    sa.Column("result", LONG_TEXT, nullable=False),
    _whole("change"),
    _of_factory("job_run_factory"),
    sa.UniqueConstraint("factory_id", "kind", "slot_us", name="job_run_slot"),
    **_MYSQL,
)
sa.Index("job_run_change", job_run.c.change)
sa.Index("job_run_state", job_run.c.state, job_run.c.not_before_us)
sa.Index("job_run_created", job_run.c.factory_id, job_run.c.created_us)

artifact = sa.Table(
    "artifact",
    metadata,
    _id("factory_id", key=True),
    _id(key=True),
    _id("run_id"),
    _text("name", 200),
    _text("media_type", 100),
    _whole("size_bytes"),
    _text("sha256", 64),
    _time("created_us"),
    _link("artifact_run", "run_id", "job_run"),
    **_MYSQL,
)
sa.Index("artifact_of_run", artifact.c.run_id)
