"""Why alarms were raised and cleared."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import LONG_TEXT, create_table

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Each statement is skipped when it was done before."""
    create_table(
        "alarm_why",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("alarm_id", sa.String(length=32), nullable=False),
        sa.Column("annunciation", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("why", LONG_TEXT, nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="alarm_why_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
