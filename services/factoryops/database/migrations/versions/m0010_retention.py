"""How long history is kept."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import LONG_TEXT, create_table

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """The statement is skipped when it was done before."""
    create_table(
        "retention_policy",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("parameters", LONG_TEXT, nullable=False),
        sa.Column("raw_days", sa.BigInteger(), nullable=False),
        sa.Column("minute_days", sa.BigInteger(), nullable=False),
        sa.Column("hour_days", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(length=255), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="retention_policy_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
