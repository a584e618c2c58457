"""${message}."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import create_index, create_table

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Each statement is skipped when it was done before."""
