"""What both adapters write down beside the samples: checkpoints, series, newest values, gaps, clocks and the ledger.

They lie in one SQLite file per store (for the embedded store, in `history.db` itself), so that they move in one
transaction with the effect they describe.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw
import numpy as np

from factoryops.domain.errors import SetupError, StorageError, UnavailableError
from factoryops.domain.samples import SampleColumns, SeriesKey
from factoryops.history import clock_changes, latest
from factoryops.history.clock_changes import ClockChange
from factoryops.history.merging import newest_of_each
from factoryops.history.store import StoreLedger
from factoryops.journal.records import Gap

SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS ledger (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoint (journal TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY,
    factory TEXT NOT NULL,
    device TEXT NOT NULL,
    parameter TEXT NOT NULL
);
{latest.SCHEMA}
{clock_changes.SCHEMA}
CREATE TABLE IF NOT EXISTS text (code INTEGER PRIMARY KEY, factory TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS gap (
    number INTEGER PRIMARY KEY,
    start_us INTEGER NOT NULL,
    end_us INTEGER NOT NULL,
    factory TEXT NOT NULL,
    reason TEXT NOT NULL,
    told_us INTEGER NOT NULL DEFAULT 0,
    UNIQUE (start_us, end_us, factory, reason)
);
"""

ADD_GAP: Final = "INSERT OR IGNORE INTO gap (start_us, end_us, factory, reason, told_us) VALUES (?, ?, ?, ?, ?)"

_REFUSED: Final = "refused:"
EXPIRED: Final = "expired"
_CANNOT_OPEN: Final = (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError, apsw.IOError, apsw.FullError)


def _has_table(connection: apsw.Connection, name: str) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (name,)).get is not None


def _tells_when(connection: apsw.Connection) -> bool:
    """Whether the file keeps of gaps when conditions were told of them; those of older programs do not."""
    return connection.execute("SELECT 1 FROM pragma_table_info('gap') WHERE name = 'told_us'").get is not None


def _as_it_is(connection: apsw.Connection) -> None:
    """Nothing to bring up to date."""


def open_for_writing(
    path: Path,
    *,
    version: int,
    schema: str,
    page_bytes: int = 4_096,
    upgrade: Callable[[apsw.Connection], None] = _as_it_is,
) -> apsw.Connection:
    """The one connection that writes `path`, its schema in place; `upgrade` brings a file of an older version up to it.

    Raises:
        SetupError: the file was written by a newer program.
        StorageError: it cannot be written.
        apsw.Error: it is damaged; the caller sets it aside.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = apsw.Connection(str(path))
        connection.set_busy_timeout(2_000)
        _refuse_newer(connection, path, version)
        connection.pragma("page_size", page_bytes)
        connection.pragma("auto_vacuum", 2)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", 2)
    except (OSError, *_CANNOT_OPEN) as error:
        raise StorageError(
            f"The history file {path} cannot be opened for writing ({error}). "
            "Samples wait in the journal; check the disk's free space and the service's right to write there."
        ) from error
    with connection:
        if _has_table(connection, "latest"):
            connection.execute(latest.SCHEMA)
            latest.take_over(connection)
        if _has_table(connection, "gap") and not _tells_when(connection):
            connection.execute("ALTER TABLE gap ADD COLUMN told_us INTEGER NOT NULL DEFAULT 0")
        upgrade(connection)
        connection.execute(f"{SCHEMA}{schema}PRAGMA user_version = {version};")
    return connection


def _refuse_newer(connection: apsw.Connection, path: Path, version: int) -> None:
    found = int(str(connection.pragma("user_version") or 0))
    if found > version:
        connection.close()
        raise SetupError(
            f"{path} was written by a newer FactoryOps (history version {found}, this program knows {version}). "
            "Start the newer program, or restore the backup made before the upgrade."
        )


class Books:
    """Writes them, always inside a transaction the caller has begun.

    Attributes:
        last_us: the newest sample of each series.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.last_us = latest.Latest(connection)
        self._known = {row[0] for row in connection.execute("SELECT id FROM series")}
        self._known_texts = {row[0] for row in connection.execute("SELECT code FROM text")}

    def holds(self, checkpoints: Mapping[str, int]) -> bool:
        """Whether every one of `checkpoints` (at least one) has been reached already."""
        return bool(checkpoints) and all(
            read_checkpoint(self._connection, journal) >= seq for journal, seq in checkpoints.items()
        )

    def add_series(self, keys: Mapping[int, SeriesKey]) -> None:
        """Remember what series ids stand for."""
        added = [(identity, *key) for identity, key in keys.items() if identity not in self._known]
        if added:
            self._connection.executemany("INSERT OR IGNORE INTO series VALUES (?, ?, ?, ?)", added)

    def add_texts(self, texts: Mapping[int, tuple[str, str]]) -> None:
        """Remember what text codes stand for."""
        added = [(code, *text) for code, text in texts.items() if code not in self._known_texts]
        if added:
            self._connection.executemany("INSERT OR IGNORE INTO text VALUES (?, ?, ?)", added)

    def add_latest(self, samples: SampleColumns) -> None:
        """Move the newest values on."""
        if len(samples):
            self.last_us.write(newest_of_each(samples))

    def add_gaps(self, gaps: Sequence[Gap]) -> None:
        """Remember gaps; the same one twice is one."""
        rows = [(gap.start_us, gap.end_us, gap.factory, gap.reason, gap.told_us) for gap in gaps]
        self._connection.executemany(ADD_GAP, rows)

    def add_clocks(self, changes: Sequence[ClockChange]) -> None:
        """Remember changes of clock offsets; the same one twice is one."""
        clock_changes.add_changes(self._connection, changes)

    def count(self, *, stored: int, replaced: int, refused: Mapping[str, int]) -> None:
        """Add to the ledger."""
        amounts = {"stored": stored, "replaced": replaced, **{_REFUSED + why: n for why, n in refused.items()}}
        add_to_ledger(self._connection, amounts)

    def move_checkpoints(self, checkpoints: Mapping[str, int]) -> None:
        """Say how far the journals are contained."""
        self._connection.executemany("INSERT OR REPLACE INTO checkpoint VALUES (?, ?)", list(checkpoints.items()))

    def committed(self, keys: Mapping[int, SeriesKey], texts: Mapping[int, tuple[str, str]]) -> None:
        """The transaction that held these is on disk: remember it in memory, too."""
        self._known.update(keys)
        self._known_texts.update(texts)
        self.last_us.committed()


def add_to_ledger(connection: apsw.Connection, amounts: Mapping[str, int]) -> None:
    """Move the ledger's totals on."""
    sql = "INSERT INTO ledger VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET count = count + excluded.count"
    connection.executemany(sql, [item for item in amounts.items() if item[1]])


def read_checkpoint(connection: apsw.Connection, journal: str) -> int:
    """The checkpoint of one journal; 0 when there is none."""
    row = connection.execute("SELECT seq FROM checkpoint WHERE journal = ?", (journal,)).fetchone()
    return int(row[0]) if row else 0


def read_gaps(connection: apsw.Connection, factory: str, start_us: int, end_us: int) -> list[Gap]:
    """Gaps of this factory, or of all, that touch [start, end), oldest first."""
    told_us = "told_us" if _tells_when(connection) else "0"
    sql = (
        f"SELECT start_us, end_us, reason, factory, {told_us} FROM gap"  # noqa: S608 - one of the two words above
        " WHERE factory IN ('', ?) AND start_us < ? AND end_us >= ? ORDER BY start_us, number"
    )
    return [Gap(*row) for row in connection.execute(sql, (factory, end_us, start_us))]


def read_ledger(connection: apsw.Connection) -> StoreLedger:
    """The ledger's totals."""
    counts = {str(name): int(count) for name, count in connection.execute("SELECT name, count FROM ledger")}
    refused = {name.removeprefix(_REFUSED): n for name, n in counts.items() if name.startswith(_REFUSED)}
    return StoreLedger(counts.get("stored", 0), counts.get("replaced", 0), refused, expired=counts.get(EXPIRED, 0))


def read_keys(connection: apsw.Connection, series: Sequence[int]) -> dict[int, SeriesKey]:
    """What the given series ids stand for; unknown ones are left out."""
    sql = "SELECT factory, device, parameter FROM series WHERE id = ?"
    found = ((one, connection.execute(sql, (one,)).fetchone()) for one in series)
    return {one: SeriesKey(*row) for one, row in found if row is not None}


def read_texts(connection: apsw.Connection, codes: Sequence[int]) -> dict[int, str]:
    """The texts that these codes stand for; unknown ones are left out."""
    sql = "SELECT text FROM text WHERE code = ?"
    found = ((one, connection.execute(sql, (one,)).fetchone()) for one in codes)
    return {one: str(row[0]) for one, row in found if row is not None}


class ReadConnections:
    """Read-only connections to one file, one per thread; opened when the file appears, and again when it is replaced.

    Attributes:
        generation: counts the files seen, so that what was remembered of an older one can be forgotten.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: list[apsw.Connection] = []
        self._identity: tuple[int, int] | None = None
        self.generation = 0

    def get(self) -> apsw.Connection | None:
        """This thread's connection; None while the file is not there or has no tables yet."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        identity = (status.st_dev, status.st_ino)
        held: tuple[tuple[int, int], apsw.Connection] | None = getattr(self._local, "held", None)
        if held is not None and held[0] == identity:
            return held[1]
        if held is not None:
            self._close_one(held[1])
        return self._open_one(identity)

    def _open_one(self, identity: tuple[int, int]) -> apsw.Connection | None:
        self._local.held = None
        try:
            connection = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READONLY)
            connection.set_busy_timeout(2_000)
            if not connection.pragma("user_version"):
                connection.close()
                return None
        except (apsw.CantOpenError, apsw.BusyError):
            return None
        with self._lock:
            self._open.append(connection)
            if identity != self._identity:
                self._identity = identity
                self.generation += 1
        self._local.held = (identity, connection)
        return connection

    def _close_one(self, connection: apsw.Connection) -> None:
        with self._lock:
            self._open.remove(connection)
        connection.close()

    def close(self) -> None:
        """Close the connections of all threads; none of them may be in use."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
        self._local = threading.local()


class BooksReader:
    """The part of a reader that both adapters share: answers from the books, from any thread."""

    def __init__(self, path: Path) -> None:
        self._connections = ReadConnections(path)

    @contextmanager
    def _reading(self) -> Iterator[apsw.Connection | None]:
        """This thread's connection; what goes wrong with the file is said in words."""
        try:
            yield self._connections.get()
        except apsw.Error as error:
            raise UnavailableError(
                f"The history file cannot be read at the moment ({error}). Nothing is lost; "
                "should it last, see what the health page says of the historian."
            ) from error

    def latest(self, series: Sequence[int]) -> SampleColumns:
        """The newest sample of each of `series` that has one."""
        with self._reading() as connection:
            return (
                latest.read_latest(connection, np.fromiter(series, np.int64)) if connection else SampleColumns.empty()
            )

    def texts(self, codes: Sequence[int]) -> dict[int, str]:
        """The texts that these codes stand for; unknown ones are left out."""
        with self._reading() as connection:
            return read_texts(connection, codes) if connection else {}

    def gaps(self, factory: str, start_us: int, end_us: int) -> list[Gap]:
        """Gaps of this factory, or of all, that touch the span."""
        with self._reading() as connection:
            return read_gaps(connection, factory, start_us, end_us) if connection else []

    def clocks(self, factory: str) -> list[ClockChange]:
        """Every change of a device's clock offset in this factory, in their order."""
        with self._reading() as connection:
            return clock_changes.read_changes(connection, factory) if connection else []

    def checkpoint(self, journal: str) -> int:
        """The last row of `journal` whose samples these queries can see."""
        with self._reading() as connection:
            return read_checkpoint(connection, journal) if connection else 0

    def front(self, journal: str) -> int:
        """The last row of `journal` that the ledger accounts for."""
        with self._reading() as connection:
            return read_checkpoint(connection, journal) if connection else 0

    def ledger(self) -> StoreLedger:
        """Running totals."""
        with self._reading() as connection:
            return read_ledger(connection) if connection else StoreLedger(0, 0, {})

    def close(self) -> None:
        """Let go of the file."""
        self._connections.close()
