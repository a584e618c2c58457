"""Schedules, runs and the files they leave."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import LONG_TEXT, create_index, create_table

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Each statement is skipped when it was done before."""
    create_table(
        "schedule",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("local_time", sa.String(length=5), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=True),
        sa.Column("next_slot_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="schedule_factory"),
        sa.PrimaryKeyConstraint("factory_id", "kind"),
    )
    create_table(
        "job_run",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("slot_us", sa.BigInteger(), nullable=True),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("device_ids", LONG_TEXT, nullable=False),
        sa.Column("requested_by", sa.String(length=255), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("not_before_us", sa.BigInteger(), nullable=False),
        sa.Column("started_us", sa.BigInteger(), nullable=True),
        sa.Column("finished_us", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=100), nullable=True),
        sa.Column("lease_until_us", sa.BigInteger(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("message", LONG_TEXT, nullable=False),
        sa.Column("result", LONG_TEXT, nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="job_run_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
        sa.UniqueConstraint("factory_id", "kind", "slot_us", name="job_run_slot"),
    )
    create_index("job_run_change", "job_run", ["change"])
    create_index("job_run_created", "job_run", ["factory_id", "created_us"])
    create_index("job_run_state", "job_run", ["state", "not_before_us"])
    create_table(
        "artifact",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id", "run_id"], ["job_run.factory_id", "job_run.id"], name="artifact_run"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
    create_index("artifact_of_run", "artifact", ["run_id"])
