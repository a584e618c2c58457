"""The installation and the plant."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import create_index, create_table, insert_missing

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Each statement is skipped when it was done before."""
    _installation()
    _plant()


def _installation() -> None:
    create_table(
        "counter",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    create_table(
        "unit_of_work",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    create_index("unit_of_work_at", "unit_of_work", ["at_us"])
    create_table(
        "factory",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("adopts_automatically", sa.Boolean(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("slug", name="factory_slug"),
    )
    create_table(
        "factory_counter",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("plant_change", sa.BigInteger(), nullable=False),
        sa.Column("audit_number", sa.BigInteger(), nullable=False),
        sa.Column("audit_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="factory_counter_factory"),
        sa.PrimaryKeyConstraint("factory_id"),
    )


def _plant() -> None:
    create_table(
        "device",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("area", sa.String(length=100), nullable=False),
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("last_received_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="device_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
    )
    create_table(
        "parameter",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("series_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("unit", sa.String(length=50), nullable=False),
        sa.Column("decimals", sa.Integer(), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("normal_low", sa.Double(), nullable=True),
        sa.Column("normal_high", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["factory_id", "device_id"], ["device.factory_id", "device.id"], name="parameter_device"
        ),
        sa.PrimaryKeyConstraint("factory_id", "id"),
        sa.UniqueConstraint("factory_id", "series_id", name="parameter_series"),
    )
    table = sa.table("counter", sa.column("name", sa.String), sa.column("value", sa.BigInteger))
    insert_missing(table, "name", [{"name": name, "value": 0} for name in ("access", "alarms", "rules", "runs")])
