"""People, sessions, MQTT credentials and the audit trail."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.database.migrations.steps import LONG_TEXT, create_index, create_table

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Each statement is skipped when it was done before."""
    create_table(
        "user_account",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="user_account_factory"),
        sa.PrimaryKeyConstraint("factory_id", "id"),
        sa.UniqueConstraint("factory_id", "name", name="user_account_name"),
    )
    create_index("user_account_id", "user_account", ["id"])
    create_table(
        "session",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["factory_id", "user_id"], ["user_account.factory_id", "user_account.id"], name="session_user"
        ),
        sa.PrimaryKeyConstraint("token_sha256"),
    )
    create_index("session_of_user", "session", ["factory_id", "user_id"])
    create_table(
        "mqtt_credential",
        sa.Column("username", sa.String(length=100), nullable=False),
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("device_key", sa.String(length=100), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="mqtt_credential_factory"),
        sa.PrimaryKeyConstraint("username"),
    )
    create_table(
        "audit_entry",
        sa.Column("factory_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("old", LONG_TEXT, nullable=False),
        sa.Column("new", LONG_TEXT, nullable=False),
        sa.Column("reason", LONG_TEXT, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name="audit_entry_factory"),
        sa.PrimaryKeyConstraint("factory_id", "number"),
    )
