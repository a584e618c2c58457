"""Rules that the clock evaluates over history."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import LONG_TEXT, create_table

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """The statement is skipped when it was done before."""
    create_table(
        "scheduled_rule",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("content", LONG_TEXT, nullable=False),
        sa.Column("changed_by", sa.String(length=255), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="scheduled_rule_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
