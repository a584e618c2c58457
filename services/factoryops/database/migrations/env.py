"""How alembic runs the steps: on the connection it is given, never on one of its own."""

from __future__ import annotations

from alembic import context

from factoryops.database.columns import metadata


def run() -> None:
    """Run what is missing, on SQLite in one transaction (elsewhere every DDL statement commits itself)."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transactional_ddl=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
