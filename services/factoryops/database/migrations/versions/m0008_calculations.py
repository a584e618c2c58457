"""Calculated parameters."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import LONG_TEXT, create_table

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """The statement is skipped when it was done before."""
    create_table(
        "calculation",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("device_key", sa.String(length=100), nullable=False),
        sa.Column("parameter_key", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("unit", sa.String(length=50), nullable=False),
        sa.Column("expression", LONG_TEXT, nullable=False),
        sa.Column("maximum_age_s", sa.Double(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.String(length=255), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.Column("holds_from_seq", sa.BigInteger(), nullable=True),
        sa.Column("fault", LONG_TEXT, nullable=True),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="calculation_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
