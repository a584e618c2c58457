"""The table of alarm philosophies: one row per factory that has said how its alarms are handled."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.columns import LONG_TEXT, TABLE_OPTIONS, identity, metadata, moment, of_factory, text, whole

alarm_philosophy = sa.Table(
    "alarm_philosophy",
    metadata,
    identity("factory_id", key=True),
    identity(key=True),
    whole("version"),
    sa.Column("content", LONG_TEXT, nullable=False),
    text("changed_by", 255),
    moment("changed_us"),
    of_factory("alarm_philosophy_factory"),
    **TABLE_OPTIONS,
)
