"""The journal's file: an SQLite container with one row per group commit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import apsw

from factoryops.domain.errors import SetupError, StorageError

VERSION: Final = 4

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batch (
    seq INTEGER PRIMARY KEY,
    previous INTEGER NOT NULL,
    received_us INTEGER NOT NULL,
    sample_count INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS series (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id INTEGER NOT NULL UNIQUE,
    factory TEXT NOT NULL,
    device TEXT NOT NULL,
    parameter TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS text (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    code INTEGER NOT NULL UNIQUE,
    factory TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS clock (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    factory TEXT NOT NULL,
    device TEXT NOT NULL,
    offset_us INTEGER NOT NULL,
    UNIQUE (factory, device)
);
CREATE TABLE IF NOT EXISTS quarantine (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    received_us INTEGER NOT NULL,
    factory TEXT NOT NULL,
    client TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    topic BLOB NOT NULL,
    payload BLOB NOT NULL,
    device TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS quarantine_by_factory ON quarantine (factory, number);
CREATE INDEX IF NOT EXISTS quarantine_groups ON quarantine (factory, reason, device, topic, received_us);
"""

_FROM_1: Final = "ALTER TABLE quarantine ADD COLUMN device TEXT NOT NULL DEFAULT '';"


def open_for_writing(path: Path) -> apsw.Connection:
    """The one connection that writes `path`, its schema in place.

    Raises:
        SetupError: the file was written by a newer program.
        StorageError: the folder cannot be written.
        apsw.Error: the file is damaged; the caller sets it aside.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = apsw.Connection(str(path))
        connection.set_busy_timeout(2_000)
        connection.pragma("auto_vacuum", 2)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", 2)
        connection.pragma("wal_autocheckpoint", 1_000)
    except (
        OSError,
        apsw.CantOpenError,
        apsw.ReadOnlyError,
        apsw.PermissionsError,
        apsw.IOError,
        apsw.FullError,
    ) as error:
        raise StorageError(
            f"The journal {path} cannot be opened for writing ({error}). "
            "Nothing can be received; check the disk's free space and the service's right to write there."
        ) from error
    version = int(str(connection.pragma("user_version") or 0))
    if version > VERSION:
        connection.close()
        raise SetupError(
            f"{path} was written by a newer FactoryOps (journal version {version}, this program knows {VERSION}). "
            "Start the newer program, or restore the backup made before the upgrade."
        )
    if version < VERSION:
        changes = _FROM_1 if version == 1 else ""
        connection.execute("BEGIN IMMEDIATE;" + changes + SCHEMA + f"PRAGMA user_version = {VERSION}; COMMIT")
    return connection


def open_for_reading(path: Path) -> apsw.Connection:
    """A read-only connection to `path`; raises apsw.CantOpenError when the file is not there."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(2_000)
    return connection


def last_seq_before(connection: apsw.Connection, received_us: int) -> int:
    """The newest row received before `received_us`, 0 when there is none; by halving, for receive times only grow."""
    low = int(connection.execute("SELECT coalesce(min(seq), 0) FROM batch").get)
    high = int(connection.execute("SELECT coalesce(max(seq), 0) FROM batch").get)
    found = 0
    while low <= high and high:
        middle = (low + high + 1) // 2
        row = connection.execute(
            "SELECT seq, received_us FROM batch WHERE seq <= ? ORDER BY seq DESC LIMIT 1", (middle,)
        ).fetchone()
        if row is None:
            break
        if row[1] < received_us:
            found, low = row[0], middle + 1
        else:
            high = row[0] - 1
    return found
