"""Tables of how a factory works: shifts, operating positions and rules that the clock evaluates."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.columns import (
    LONG_TEXT,
    TABLE_OPTIONS,
    identity,
    metadata,
    moment,
    of_factory,
    text,
    whole,
)

shift = sa.Table(
    "shift",
    metadata,
    identity("factory_id", key=True),
    identity(key=True),
    whole("version"),
    text("name", 100),
    sa.Column("content", LONG_TEXT, nullable=False),
    text("changed_by", 255),
    moment("changed_us"),
    of_factory("shift_factory"),
    **TABLE_OPTIONS,
)

operating_position = sa.Table(
    "operating_position",
    metadata,
    identity("factory_id", key=True),
    identity(key=True),
    whole("version"),
    text("name", 100),
    sa.Column("content", LONG_TEXT, nullable=False),
    text("changed_by", 255),
    moment("changed_us"),
    of_factory("operating_position_factory"),
    **TABLE_OPTIONS,
)

scheduled_rule = sa.Table(
    "scheduled_rule",
    metadata,
    identity("factory_id", key=True),
    identity(key=True),
    whole("version"),
    text("name", 200),
    sa.Column("content", LONG_TEXT, nullable=False),
    text("changed_by", 255),
    moment("changed_us"),
    of_factory("scheduled_rule_factory"),
    **TABLE_OPTIONS,
)
