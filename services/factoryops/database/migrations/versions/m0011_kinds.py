"""What a parameter's samples are: numbers, true or false, or texts."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import add_column

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """The statement is skipped when it was done before."""
    add_column("parameter", sa.Column("kind", sa.String(length=16), nullable=False, server_default="number"))
