"""What a run is asked to do beyond its kind, span and devices."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import LONG_TEXT, add_column

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Runs of before have no arguments."""
    add_column("job_run", sa.Column("arguments", LONG_TEXT, nullable=True))
