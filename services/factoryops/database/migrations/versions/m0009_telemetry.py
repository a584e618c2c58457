"""Tenant ids of factories, clock offsets of devices, deadbands of parameters."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import add_column

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Each statement is skipped when it was done before."""
    add_column("factory", sa.Column("tenant", sa.String(length=16), nullable=False, server_default=""))
    add_column("device", sa.Column("clock_offset_us", sa.BigInteger(), nullable=False, server_default="0"))
    add_column("parameter", sa.Column("deadband", sa.Double(), nullable=True))
    add_column("parameter", sa.Column("deadband_max_s", sa.Double(), nullable=False, server_default="600"))
