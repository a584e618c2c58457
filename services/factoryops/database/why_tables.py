"""The table of why alarms were raised and cleared."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.columns import LONG_TEXT, TABLE_OPTIONS, identity, metadata, of_factory, text, whole

alarm_why = sa.Table(
    "alarm_why",
    metadata,
    identity("factory_id", key=True),
    identity(key=True),
    identity("alarm_id"),
    whole("annunciation"),
    text("kind", 16),
    sa.Column("why", LONG_TEXT, nullable=False),
    of_factory("alarm_why_factory"),
    **TABLE_OPTIONS,
)
"""Beside the events, so that lists of them need not read it; written once, with the event."""
