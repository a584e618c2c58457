"""Declared outages."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import create_table

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """The statement is skipped when it was done before."""
    create_table(
        "outage",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("declared_by", sa.String(length=255), nullable=False),
        sa.Column("declared_us", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_by", sa.String(length=255), nullable=True),
        sa.Column("withdrawn_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="outage_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
