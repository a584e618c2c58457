"""Kinds of credentials, the broker's hash of a secret, and rotation with overlap."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from factoryops.database.migrations.steps import add_column

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Each statement is skipped, or without effect, when it was done before."""
    table = "mqtt_credential"
    add_column(table, sa.Column("kind", sa.String(length=16), nullable=False, server_default="gateway"))
    add_column(table, sa.Column("broker_hash", sa.String(length=200), nullable=False, server_default=""))
    add_column(table, sa.Column("previous_sha256", sa.String(length=64), nullable=True))
    add_column(table, sa.Column("previous_broker_hash", sa.String(length=200), nullable=True))
    add_column(table, sa.Column("previous_until_us", sa.BigInteger(), nullable=True))
    credential = sa.table(table, sa.column("kind", sa.String), sa.column("device_key", sa.String))
    of_devices = sa.update(credential).where(credential.c.device_key.is_not(None)).values(kind="device")
    op.get_bind().execute(of_devices)
