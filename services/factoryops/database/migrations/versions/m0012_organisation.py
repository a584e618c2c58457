"""Shifts and operating positions."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import LONG_TEXT, create_table

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Each statement is skipped when it was done before."""
    for name in ("shift", "operating_position"):
        create_table(
            name,
            sa.Column("factory_id", sa.String(length=32), nullable=False),
            sa.Column("id", sa.String(length=32), nullable=False),
            sa.Column("version", sa.BigInteger(), nullable=False),
            sa.Column("name", sa.String(length=100), nullable=False),
            sa.Column("content", LONG_TEXT, nullable=False),
            sa.Column("changed_by", sa.String(length=255), nullable=False),
            sa.Column("changed_us", sa.BigInteger(), nullable=False),
            sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name=f"{name}_factory"),
            sa.PrimaryKeyConstraint("factory_id", "id"),
        )
