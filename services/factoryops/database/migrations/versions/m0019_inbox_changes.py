"""Whose inbox changed is found without reading all that was ever delivered."""

from __future__ import annotations

from factoryops.database.migrations.steps import create_index

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """The statement is skipped when it was done before."""
    create_index("notification_delivery_changed", "notification_delivery", ["channel", "changed_us"])
