"""Marked incidents."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import LONG_TEXT, create_table

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Each statement is skipped when it was done before."""
    create_table(
        "incident",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("content", LONG_TEXT, nullable=False),
        sa.Column("marked_by", sa.String(length=255), nullable=False),
        sa.Column("marked_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="incident_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
