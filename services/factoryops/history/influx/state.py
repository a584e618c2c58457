"""The state file beside the server: how far each bucket has come, what was refused, what was promised to be there.

It moves only after the server has confirmed. A crash in between sends the same lines again, which overwrite themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw
import numpy as np

from factoryops.domain.errors import StorageError
from factoryops.domain.samples import SampleColumns
from factoryops.domain.time import now_us
from factoryops.history.books import Books, open_for_writing, read_checkpoint
from factoryops.history.influx.marker import Promise
from factoryops.history.influx.rollups import HOUR_US
from factoryops.history.influx.upload import RefusedValue
from factoryops.journal.writer import set_aside

logger = logging.getLogger(__name__)

VERSION: Final = 2
REFUSED_KEPT: Final = 20_000

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS bucket (factory TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS held_back (factory TEXT PRIMARY KEY, samples INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lagging (
    factory TEXT NOT NULL,
    journal TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (factory, journal)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marker (
    factory TEXT NOT NULL,
    hour_us INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (factory, hour_us)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lost (
    factory TEXT PRIMARY KEY,
    from_us INTEGER NOT NULL,
    found_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unrolled (
    series INTEGER NOT NULL,
    hour_us INTEGER NOT NULL,
    is_never INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (series, hour_us)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unrolled_by_hour ON unrolled (hour_us) WHERE is_never = 0;
CREATE TABLE IF NOT EXISTS distrust (until_us INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS refused_value (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    refused_us INTEGER NOT NULL,
    factory TEXT NOT NULL,
    line TEXT NOT NULL,
    words TEXT NOT NULL
);
"""

_ADD_REFUSED: Final = "INSERT INTO refused_value (refused_us, factory, line, words) VALUES (?, ?, ?, ?)"
_TRIM_REFUSED: Final = "DELETE FROM refused_value WHERE number <= (SELECT max(number) FROM refused_value) - ?"


class State:
    """The one connection that writes the file.

    Attributes:
        was_damaged: the file was damaged and has been set aside.

    Raises:
        SetupError: the file was written by a newer program.
        StorageError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.was_damaged = False
        self.connection = self._open_or_set_aside()
        self.books = Books(self.connection)

    def _open_or_set_aside(self) -> apsw.Connection:
        try:
            connection = open_for_writing(self._path, version=VERSION, schema=_SCHEMA)
            if connection.pragma("quick_check") == "ok":
                return connection
            connection.close()
        except (apsw.NotADBError, apsw.CorruptError) as error:
            logger.warning("The state file of the upload is damaged: %s", error)
        set_aside(self._path)
        self.was_damaged = True
        return open_for_writing(self._path, version=VERSION, schema=_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; raises StorageError when it cannot be written."""
        try:
            with self.connection:
                yield
        except apsw.Error as error:
            raise StorageError(
                f"The state file of the upload, {self._path}, cannot be written ({error}). "
                "Samples wait in the journal; check the disk and its free space."
            ) from error

    def front(self, journal: str) -> int:
        """The last row of a journal that the ledger accounts for."""
        return read_checkpoint(self.connection, journal)

    def lagging(self) -> dict[str, dict[str, int]]:
        """Of each factory whose samples are held back: journal -> last row contained."""
        found: dict[str, dict[str, int]] = {}
        for factory, journal, seq in self.connection.execute("SELECT factory, journal, seq FROM lagging"):
            found.setdefault(factory, {})[journal] = seq
        return found

    def hold_back(self, factory: str, journals: Mapping[str, int], samples: int) -> None:
        """Samples of a factory stay in the journals: from `journals` on, unless it lags from further back."""
        self.connection.executemany(
            "INSERT OR IGNORE INTO lagging VALUES (?, ?, ?)", [(factory, name, seq) for name, seq in journals.items()]
        )
        self.connection.execute(
            "INSERT INTO held_back VALUES (?, ?)"
            " ON CONFLICT (factory) DO UPDATE SET samples = samples + excluded.samples",
            (factory, samples),
        )

    def catch_up(self, factory: str, journals: Mapping[str, int], samples: int) -> None:
        """Samples that were held back are in their bucket now."""
        self.connection.executemany(
            "INSERT OR REPLACE INTO lagging VALUES (?, ?, ?)", [(factory, name, seq) for name, seq in journals.items()]
        )
        self.connection.execute("UPDATE held_back SET samples = samples - ? WHERE factory = ?", (samples, factory))

    def caught_up(self, factory: str) -> None:
        """Nothing of a factory is held back any more."""
        self.connection.execute("DELETE FROM lagging WHERE factory = ?", (factory,))
        self.connection.execute("DELETE FROM held_back WHERE factory = ?", (factory,))

    def factories(self) -> list[str]:
        """Those that have a bucket with samples in it."""
        return [row[0] for row in self.connection.execute("SELECT factory FROM bucket")]

    def promise(self, factory: str) -> Promise:
        """What must be found in a factory's bucket."""
        uploads = self.connection.execute("SELECT hour_us, number FROM marker WHERE factory = ?", (factory,))
        lost = self.connection.execute("SELECT from_us, found_us FROM lost WHERE factory = ?", (factory,)).fetchone()
        return Promise(dict(uploads), *(lost or ()))

    def keep_promise(self, factory: str, promise: Promise) -> None:
        """Remember what must be found in a factory's bucket."""
        self.connection.execute("DELETE FROM marker WHERE factory = ?", (factory,))
        self.connection.execute("DELETE FROM lost WHERE factory = ?", (factory,))
        rows = [(factory, hour_us, number) for hour_us, number in promise.uploads.items()]
        self.connection.executemany("INSERT INTO marker VALUES (?, ?, ?)", rows)
        if promise.lost_from_us:
            lost = (factory, promise.lost_from_us, promise.found_us)
            self.connection.execute("INSERT INTO lost VALUES (?, ?, ?)", lost)
            self.distrust_rollups(promise.found_us)

    def distrust_rollups(self, until_us: int) -> None:
        """Roll-ups of hours that began before this may be missing without our knowing: samples are read instead."""
        self.connection.execute("DELETE FROM distrust WHERE until_us <= ?", (until_us,))
        self.connection.execute("INSERT INTO distrust VALUES (?)", (until_us,))

    def mark_unrolled(self, samples: SampleColumns) -> None:
        """The hours of these samples, ordered by series and time, must be summarised anew."""
        hour_us = samples.time_us // HOUR_US * HOUR_US
        is_first = np.ones(len(samples), np.bool_)
        is_first[1:] = (samples.series[1:] != samples.series[:-1]) | (hour_us[1:] != hour_us[:-1])
        rows = zip(samples.series[is_first].tolist(), hour_us[is_first].tolist(), strict=True)
        self.connection.executemany("INSERT OR IGNORE INTO unrolled (series, hour_us) VALUES (?, ?)", list(rows))

    def hours_to_roll(self, last_us: int, *, without: Sequence[str], most: int) -> tuple[int, str, list[int]]:
        """The oldest hour that began by `last_us` and must be summarised, a factory, and series of it; may be none."""
        marks = ",".join("?" * len(without))
        columns = "SELECT hour_us, factory, series.id FROM unrolled JOIN series ON series.id = unrolled.series"
        due = f"is_never = 0 AND hour_us <= ? AND factory NOT IN ({marks})"
        sql = f"{columns} WHERE {due} ORDER BY hour_us LIMIT ?"
        rows = list(self.connection.execute(sql, (last_us, *without, most)))
        if not rows:
            return 0, "", []
        return rows[0][0], rows[0][1], [row[2] for row in rows if row[:2] == rows[0][:2]]

    def rolled(self, hour_us: int, series: Sequence[int], *, never: Sequence[int]) -> None:
        """An hour of these series has been summarised; that of those in `never` cannot be."""
        self.connection.executemany(
            "DELETE FROM unrolled WHERE series = ? AND hour_us = ?", [(one, hour_us) for one in series]
        )
        self.connection.executemany(
            "UPDATE unrolled SET is_never = 1 WHERE series = ? AND hour_us = ?", [(one, hour_us) for one in never]
        )

    def add_buckets(self, factories: Sequence[str]) -> None:
        """Remember that these have a bucket with samples in it."""
        self.connection.executemany("INSERT OR IGNORE INTO bucket VALUES (?)", [(one,) for one in factories])

    def keep_refused(self, factory: str, refused: Sequence[RefusedValue]) -> None:
        """Put aside what the server refused, with its words."""
        if refused:
            moment = now_us()
            rows = [(moment, factory, one.line, one.words) for one in refused]
            self.connection.executemany(_ADD_REFUSED, rows)
            self.connection.execute(_TRIM_REFUSED, (REFUSED_KEPT,))

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()


def read_checkpoint_of_all(connection: apsw.Connection, journal: str) -> int:
    """The last row of a journal that every bucket contains."""
    front = read_checkpoint(connection, journal)
    return int(
        connection.execute(
            "SELECT min(?, coalesce(min(seq), ?)) FROM lagging WHERE journal = ?", (front, front, journal)
        ).get
    )


def read_unrolled(connection: apsw.Connection, series: int, span: tuple[int, int]) -> tuple[int, list[int]]:
    """From when on roll-ups can be trusted, and the hours of a series in the span whose samples must be read."""
    trusted_us = int(connection.execute("SELECT coalesce(max(until_us), ?) FROM distrust", (-(1 << 62),)).get)
    hours = "SELECT hour_us FROM unrolled WHERE series = ? AND hour_us >= ? AND hour_us < ? ORDER BY hour_us"
    return trusted_us, [row[0] for row in connection.execute(hours, (series, *span))]


def read_held_back(connection: apsw.Connection) -> int:
    """How many samples wait in the journals for their bucket."""
    return int(connection.execute("SELECT coalesce(sum(samples), 0) FROM held_back").get)
