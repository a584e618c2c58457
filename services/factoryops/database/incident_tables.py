"""The table of marked incidents, which rules are held against when they are tried on history."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.columns import LONG_TEXT, TABLE_OPTIONS, identity, metadata, moment, of_factory, text

incident = sa.Table(
    "incident",
    metadata,
    identity("factory_id", key=True),
    identity(key=True),
    moment("start_us"),
    moment("end_us"),
    sa.Column("content", LONG_TEXT, nullable=False),
    text("marked_by", 255),
    moment("marked_us"),
    of_factory("incident_factory"),
    **TABLE_OPTIONS,
)
