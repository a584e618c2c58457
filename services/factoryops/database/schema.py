"""Bringing the schema up to date, and refusing to run on one that is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from factoryops.domain.errors import SetupError, UnavailableError

_LOCK_WAIT_S: Final = 60


def migrate(connection: sa.Connection) -> None:
    """Run the missing migrations; a repetition after any interruption completes them."""
    with _config() as config, _one_at_a_time(connection):
        _check_not_newer(connection, ScriptDirectory.from_config(config))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def check(connection: sa.Connection) -> None:
    """Raise SetupError unless the schema is exactly this program's."""
    with _config() as config:
        script = ScriptDirectory.from_config(config)
        _check_not_newer(connection, script)
        found, wanted = _revision(connection), script.get_current_head()
    if found is None and not sa.inspect(connection).get_table_names():
        raise SetupError("The database has no tables yet: run `factoryops-service migrate` first.")
    if found is None:
        raise SetupError("The database's first step was interrupted: run `factoryops-service migrate` to complete it.")
    if found != wanted:
        raise SetupError(
            f"The database is at step {found} and this program needs {wanted}: "
            "make a backup, then run `factoryops-service migrate`."
        )


def _check_not_newer(connection: sa.Connection, script: ScriptDirectory) -> None:
    found = _revision(connection)
    if found is not None and found not in {revision.revision for revision in script.walk_revisions()}:
        raise SetupError(
            f"The database is newer than this program (step {found}): install the newer program again, "
            "or restore a backup from before the upgrade."
        )


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


@contextmanager
def _config() -> Iterator[Config]:
    with as_file(files("factoryops.database") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        yield config


@contextmanager
def _one_at_a_time(connection: sa.Connection) -> Iterator[None]:
    """Hold the server's named lock; on SQLite the transaction itself keeps others out."""
    if connection.dialect.name == "sqlite":
        yield
        return
    name = sa.func.concat("factoryops.migrate.", sa.func.coalesce(sa.func.database(), ""))
    if connection.scalar(sa.select(sa.func.get_lock(name, _LOCK_WAIT_S))) != 1:
        raise UnavailableError("Somebody else has been migrating this database for a minute; try again later.")
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.rollback()
            connection.scalar(sa.select(sa.func.release_lock(name)))
            connection.rollback()
