"""Every fact of an alarm's life and every event of it; classes of alarms."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from factoryops.database.migrations.steps import LONG_TEXT, add_column, create_index, create_table, drop_unique

revision = "0018"
down_revision = "0017"

_EVENT: Final = sa.table("alarm_event", sa.column("kind"), sa.column("is_annunciation"))


def upgrade() -> None:
    """Each statement is skipped when it was done before."""
    for column in _alarm_columns():
        add_column("alarm", column)
    for column in _event_columns():
        add_column("alarm_event", column)
    # Until now every raise told somebody, and nothing else did.
    op.execute(sa.update(_EVENT).where(_EVENT.c.kind == "raised").values(is_annunciation=sa.true()))
    create_index("alarm_event_of_alarm", "alarm_event", ["factory_id", "alarm_id", "at_us"])
    # What identifies an event is in its id; an alarm can be shelved twice in one annunciation.
    drop_unique("alarm_event_once", "alarm_event")
    create_table(
        "alarm_philosophy",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("content", LONG_TEXT, nullable=False),
        sa.Column("changed_by", sa.String(length=255), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="alarm_philosophy_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )


def _alarm_columns() -> list[sa.Column[Any]]:
    flags = ("is_latching", "is_shadow", "is_suppressed")
    counts = ("raised_order", "suppression_us", "acknowledged_renewal", "reset_annunciation")
    moments = ("shelved_us", "shelved_until_us", "shelved_ends_with", "out_us", "out_until_us")
    return [
        *(_zero(name, sa.Boolean()) for name in flags),
        *(_zero(name, sa.BigInteger()) for name in (*counts, "renewed_annunciation", "renewal")),
        _zero("re_alarm_s", sa.Double()),
        sa.Column("alarm_class", sa.String(length=32), nullable=False, server_default=""),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in moments),
        *(sa.Column(name, sa.String(length=255), nullable=True) for name in ("shelved_by", "out_by")),
        *(sa.Column(name, LONG_TEXT, nullable=True) for name in ("shelved_reason", "out_reason")),
    ]


def _event_columns() -> list[sa.Column[Any]]:
    return [
        _zero("renewal", sa.BigInteger()),
        sa.Column("cause", sa.String(length=16), nullable=True),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        _zero("is_annunciation", sa.Boolean()),
        _zero("is_shadow", sa.Boolean()),
        sa.Column("request_id", sa.String(length=32), nullable=True),
    ]


def _zero(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, server_default="0")
