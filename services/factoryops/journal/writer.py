"""The one writer of a journal: append, fsync, and only then return."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Self

import apsw

from factoryops.domain.errors import ConflictError, StorageError
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.domain.time import now_us
from factoryops.journal.records import Entry, Gap, MessageLedger, QuarantinedMessage, decode, encode
from factoryops.journal.schema import open_for_writing

logger = logging.getLogger(__name__)

QUARANTINE_LIMIT: Final = 20_000
"""Quarantined messages kept; the oldest beyond it go, and the ledger still counts them."""

_INSERT_BATCH: Final = "INSERT INTO batch (seq, received_us, sample_count, crc, data) VALUES (?, ?, ?, ?, ?)"
_INSERT_SERIES: Final = "INSERT INTO series (id, factory, device, parameter) VALUES (?, ?, ?, ?)"
_INSERT_QUARANTINE: Final = (
    "INSERT INTO quarantine (received_us, factory, client, reason, detail, topic, payload) VALUES (?, ?, ?, ?, ?, ?, ?)"
)


class JournalWriter:
    """Appends to one journal file; a process has one, and so has a file.

    `append` may run on another thread than the one that made the writer, but never on two at once.

    Attributes:
        last_seq: the newest durable row, or the one before the first.
        ledger: the totals as of that row.
        was_damaged: the file found at opening was set aside; a gap record says so.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.was_damaged = False
        self._connection = self._open_or_set_aside()
        self._known: dict[int, SeriesKey] = {
            row[0]: SeriesKey(row[1], row[2], row[3])
            for row in self._connection.execute("SELECT id, factory, device, parameter FROM series")
        }
        self.last_seq, self.ledger = self._read_end()
        if self.was_damaged:
            self._record_damage()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_or_set_aside(self) -> apsw.Connection:
        try:
            connection = open_for_writing(self._path)
            if connection.pragma("quick_check") == "ok":
                return connection
            connection.close()
        except (apsw.NotADBError, apsw.CorruptError) as error:
            logger.warning("The journal is damaged: %s", error)
        set_aside(self._path)
        self.was_damaged = True
        return open_for_writing(self._path)

    def _read_end(self) -> tuple[int, MessageLedger]:
        for seq, crc, data in self._connection.execute("SELECT seq, crc, data FROM batch ORDER BY seq DESC LIMIT 1"):
            return seq, decode(seq, data, crc).entry.ledger
        # Sequence numbers of a new file start at the clock: always above those of a file that was lost.
        return now_us(), MessageLedger()

    def _record_damage(self) -> None:
        moment = now_us()
        reason = (
            "The journal was damaged and has been set aside. Samples received shortly before may be missing; "
            "the damaged file is kept beside the new one."
        )
        self.append(Entry(moment, self.ledger, gaps=(Gap(moment - 60_000_000, moment, reason),)))

    def missing_series(self, keys: Iterable[SeriesKey]) -> list[SeriesKey]:
        """Those of `keys` that have no series record yet; raises ConflictError when two keys share an id."""
        missing: list[SeriesKey] = []
        for key in keys:
            known = self._known.get(series_id(key))
            if known is None:
                missing.append(key)
            elif known != key:
                raise ConflictError(f"{key} and {known} have the same series id; rename one of the parameters.")
        return missing

    def append(self, entry: Entry, new_series: Iterable[SeriesKey] = ()) -> int:
        """Write one entry and return its sequence number once it is on disk.

        Args:
            entry: what to keep; its ledger holds the totals after it.
            new_series: keys first used by this entry.

        Raises:
            StorageError: nothing of the entry was kept; acknowledge nothing.
        """
        seq = self.last_seq + 1
        blob, crc = encode(entry)
        added = self.missing_series(dict.fromkeys(new_series))
        try:
            self._commit(seq, entry, blob, crc, added)
        except apsw.Error as error:
            self._roll_back()
            raise StorageError(
                f"The journal {self._path} cannot be written ({error}). Nothing is acknowledged until it can; "
                "check the disk and its free space."
            ) from error
        self._known.update((series_id(key), key) for key in added)
        self.last_seq, self.ledger = seq, entry.ledger
        return seq

    def _commit(self, seq: int, entry: Entry, blob: bytes, crc: int, added: list[SeriesKey]) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        if added:
            self._connection.executemany(_INSERT_SERIES, [(series_id(key), *key) for key in added])
        if entry.quarantined:
            self._connection.executemany(_INSERT_QUARANTINE, [_quarantine_row(one) for one in entry.quarantined])
            execute(
                "DELETE FROM quarantine WHERE number <= (SELECT max(number) FROM quarantine) - ?",
                (QUARANTINE_LIMIT,),
            )
        execute(_INSERT_BATCH, (seq, entry.received_us, len(entry.samples), crc, blob))
        execute("COMMIT")

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except apsw.Error as error:
                logger.warning("The journal could not roll back: %s", error)

    def reopen(self) -> None:
        """Take a new connection after a failed write: SQLite may not retry an fsync on the old one."""
        self._connection.close()
        self._connection = open_for_writing(self._path)
        self.last_seq, self.ledger = self._read_end()

    def trim(self, below_seq: int, *, most: int = 2_000) -> int:
        """Delete up to `most` rows below `below_seq`, never the newest, and give their space back; returns how many."""
        below_seq = min(below_seq, self.last_seq)
        self._connection.execute(
            "DELETE FROM batch WHERE seq IN (SELECT seq FROM batch WHERE seq < ? ORDER BY seq LIMIT ?)",
            (below_seq, most),
        )
        deleted = self._connection.changes()
        if deleted:
            self._connection.execute("PRAGMA incremental_vacuum(2000)")
        return deleted

    def size_bytes(self) -> int:
        """What the journal takes on disk, its write-ahead log included."""
        return sum(part.stat().st_size for part in _files_of(self._path) if part.exists())

    def close(self) -> None:
        """Close the file; what was appended stays."""
        self._connection.close()


def import_samples(writer: JournalWriter, samples: SampleColumns, keys: Iterable[SeriesKey]) -> int:
    """Append samples that are nobody's messages (back-fill, calculated values), counting only values."""
    old = writer.ledger
    ledger = MessageLedger(
        old.received, old.accepted, old.quarantined, old.values_accepted + len(samples), old.values_late,
        old.values_refused,
    )  # fmt: skip
    return writer.append(Entry(now_us(), ledger, samples), keys)


def _quarantine_row(one: QuarantinedMessage) -> tuple[int, str, str, str, str, bytes, bytes]:
    return (one.received_us, one.factory, one.client, one.reason, one.detail, one.topic, one.payload)


def _files_of(path: Path) -> list[Path]:
    return [path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")]


def set_aside(path: Path) -> Path:
    """Move a damaged file and its companions out of the way, kept for inspection; returns the new path."""
    moved = path.with_name(f"{path.stem}.damaged-{now_us()}{path.suffix}")
    for part in _files_of(path):
        if part.exists():
            os.replace(part, moved.with_name(part.name.replace(path.name, moved.name)))  # noqa: PTH105 - overwrites on Windows too
    logger.warning("%s was set aside as %s", path, moved)
    return moved
