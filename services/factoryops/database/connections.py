"""How connections to the two kinds of databases are made."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine import URL, make_url

from factoryops.database.guard import watch
from factoryops.domain.errors import SetupError

IS_WRITING: Final = "factoryops_is_writing"
_BUSY_TIMEOUT_S: Final = 10.0
_POOL: Final[dict[str, Any]] = {"pool_size": 8, "max_overflow": 8, "pool_timeout": 5.0}
_MYSQL_SESSION: Final = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00',"
    " innodb_lock_wait_timeout = 5"
)


def open_engine(text: str) -> sa.Engine:
    """The engine of a database URL; connects to nothing yet but checks the folder of an SQLite file."""
    try:
        url = make_url(text)
    except exc.ArgumentError as error:
        raise SetupError(
            "The database address cannot be read; it looks like sqlite:///factoryops.db or mysql+pymysql://user:password@host/name."
        ) from error
    if url.get_backend_name() == "sqlite":
        engine = _open_sqlite(url)
    elif url.drivername in ("mysql+pymysql", "mariadb+pymysql"):
        engine = _open_mysql(url)
    else:
        raise SetupError(f"A database of kind {url.drivername} is not supported: use sqlite or mysql+pymysql.")
    watch(engine)
    return engine


def _open_sqlite(url: URL) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        raise SetupError("The database must be a file, because several processes share it.")
    _check_file(Path(url.database))
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S}, **_POOL)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _check_file(path: Path) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise SetupError(f"The folder {folder} for the database does not exist: create it or change the setting.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise SetupError(f"The database {path} cannot be written: give the service's user the right to, or move it.")


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """No write-ahead log: this SQLite is the standard library's, whose old versions can damage one (SQLite 3.51.3)."""
    connection.isolation_level = None
    for pragma in ("journal_mode = TRUNCATE", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """A writer takes its turn at once, since a reader that turns writer later can only fail."""
    is_writing = connection.get_execution_options().get(IS_WRITING, True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _open_mysql(url: URL) -> sa.Engine:
    # No ping before each use: a unit that meets a dead connection is repeated whole on a new one anyway, and against a
    # server that hangs a ping would only add its own 10 s to the unit's.
    arguments: dict[str, Any] = {"charset": "utf8mb4", "connect_timeout": 3, "read_timeout": 10, "write_timeout": 10}
    engine = sa.create_engine(
        url,
        connect_args=arguments,
        isolation_level="READ COMMITTED",
        pool_recycle=600,
        **_POOL,
    )
    event.listen(engine, "connect", _prepare_mysql)
    return engine


def _prepare_mysql(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MYSQL_SESSION)
