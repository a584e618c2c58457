"""Mappings, what became of quarantined messages, and devices that were declined."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import LONG_TEXT, create_table

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Each statement is skipped when it was done before."""
    create_table(
        "mapping",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("content", LONG_TEXT, nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.String(length=255), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="mapping_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
    create_table(
        "quarantine_mark",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("replayed_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="quarantine_mark_factory"),
        sa.PrimaryKeyConstraint("factory_id", "number", "received_us"),
    )
    create_table(
        "declined_device",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("declined_by", sa.String(length=255), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="declined_device_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
