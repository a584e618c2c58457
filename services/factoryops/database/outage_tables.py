"""The table of declared outages, which the figures of alarms leave out."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.columns import TABLE_OPTIONS, identity, metadata, moment, of_factory, text

outage = sa.Table(
    "outage",
    metadata,
    identity("factory_id", key=True),
    identity(key=True),
    moment("start_us"),
    moment("end_us"),
    text("reason", 500),
    text("declared_by", 255),
    moment("declared_us"),
    text("withdrawn_by", 255, nullable=True),
    moment("withdrawn_us", nullable=True),
    of_factory("outage_factory"),
    **TABLE_OPTIONS,
)
