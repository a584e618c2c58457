"""The one writer of a journal: append, fsync, and only then return."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

import apsw
import msgspec

from factoryops.domain.errors import ConflictError, DamagedFileError, StorageError
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id, text_code
from factoryops.domain.time import now_us
from factoryops.journal.quarantine_bounds import QuarantineBounds
from factoryops.journal.records import Entry, Gap, MessageLedger, QuarantinedMessage, checksum, decode, encode
from factoryops.journal.salvage import holes, salvage, tail_gap
from factoryops.journal.schema import last_seq_before, open_for_writing
from factoryops.journal.walk import clocks, series_after, tells_damage, texts_after

logger = logging.getLogger(__name__)

CHECKED_BYTES: Final = 256 << 20
"""Up to this size a file is checked page by page at opening; above, rows prove themselves when they are read."""

KEPT_FREE_PAGES: Final = 2_000
"""Free pages that stay in the file for the rows to come, at least; moving pages about would only delay commits."""

_GIVEN_BACK_PAGES: Final = 200

_ROW_BYTES: Final = 70
"""What a row takes in the file beside its blob: its other columns, and its share of half-filled pages."""

_INSERT_BATCH: Final = (
    "INSERT INTO batch (seq, previous, received_us, sample_count, crc, data) VALUES (?, ?, ?, ?, ?, ?)"
)
_INSERT_SERIES: Final = (
    "INSERT INTO series (id, factory, device, parameter)"
    " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)"
)
"""All rows in one step. Row by row, the event loop could take Python's lock between any two of ten thousand."""

_INSERT_TEXT: Final = "INSERT INTO text (code, factory, text) VALUES (?, ?, ?)"
_SET_CLOCK: Final = "INSERT OR REPLACE INTO clock (factory, device, offset_us) VALUES (?, ?, ?)"
_INSERT_QUARANTINE: Final = (
    "INSERT INTO quarantine (received_us, factory, client, reason, detail, topic, payload, device)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


class JournalWriter:
    """Appends to one journal file; a process has one, and so has a file.

    `append` may run on another thread than the one that made the writer, but never on two at once. Each opening starts
    a new run of sequence numbers at the clock, so that a row that was lost by damage never shares its number with a
    later one; every row names the one before it.

    Attributes:
        last_seq: the newest durable row, 0 when there is none.
        ledger: the totals as of that row.
        watermark_us: what that row said of time, 0 when nothing.
        written_bytes: what was appended since the file was opened, headers of rows included.
        damaged_us: when the file was last found damaged and set aside, 0 for never; its sound rows were taken over,
            and gaps say what is missing.
    """

    def __init__(self, path: Path, *, known_end: int = 0) -> None:
        """Open or make the journal at `path`.

        Args:
            path: the file; its folder is made.
            known_end: a row known to have been durable; when the file ends before it, a gap is recorded.

        Raises:
            SetupError: the file was written by a newer program.
            StorageError: the folder cannot be written.
        """
        self._path = path
        self._doubt_file = path.with_name(path.name + ".doubtful")
        self._is_doubtful = self._doubt_file.exists()
        self.damaged_us = 0
        self.written_bytes = 0
        self._open()
        if not self.damaged_us and known_end > self.last_seq:
            self._record([tail_gap(self._connection)])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def series(self) -> Mapping[int, SeriesKey]:
        """Every series that has its record, by id."""
        return self._known

    @property
    def texts(self) -> Mapping[int, tuple[str, str]]:
        """(factory, text) of every text that has its record, by code."""
        return self._texts

    @property
    def clocks(self) -> Mapping[tuple[str, str], int]:
        """The recorded clock offset of each device that has or had one, in microseconds, by factory id and key."""
        return self._clocks

    def _open(self) -> None:
        """Open the file and learn what is durable; one that cannot be trusted is set aside first.

        Raises:
            StorageError: the folder cannot be written, or the file cannot be read for another reason than damage.
        """
        try:
            if not self._is_usable():
                self._begin_anew()
        except apsw.Error as error:
            raise StorageError(
                f"The journal {self._path} cannot be opened ({error}). Nothing can be received; check the disk."
            ) from error

    def _is_usable(self) -> bool:
        if self._is_doubtful:
            return False
        connection: apsw.Connection | None = None
        try:
            self._connection = connection = open_for_writing(self._path)
            if self._is_sound(connection):
                self._take_stock()
                return True
        except apsw.Error as error:
            if not tells_damage(error):
                raise
            logger.warning("The journal is damaged: %s", error)
        if connection is not None:
            connection.close()
        return False

    def _is_sound(self, connection: apsw.Connection) -> bool:
        if self._path.stat().st_size > CHECKED_BYTES:
            return True
        return bool(connection.pragma("quick_check") == "ok")

    def _begin_anew(self) -> None:
        """Set the file aside, take its sound rows over into a new one, and record what is missing."""
        damaged = set_aside(self._path)
        self._connection = open_for_writing(self._path)
        logger.warning("%d rows of the damaged journal were taken over", salvage(damaged, self._connection))
        self._take_stock()
        self._doubt_file.unlink(missing_ok=True)
        self._is_doubtful = False
        self.damaged_us = now_us()
        self._record([*holes(self._connection), tail_gap(self._connection)])

    def _note_damage(self, error: apsw.Error) -> None:
        """Remember, across a restart too, that the file must be set aside if an error tells of damage."""
        if tells_damage(error):
            self._is_doubtful = True
            with contextlib.suppress(OSError):
                self._doubt_file.touch()

    def _take_stock(self) -> None:
        """Learn from the file what is durable."""
        connection = self._connection
        self._known = self._sound_series()
        self._texts = self._sound_texts()
        self._clocks = {(factory, device): offset_us for factory, device, offset_us in clocks(connection)}
        self._quarantine = QuarantineBounds(connection)
        self.last_seq, self.ledger, self.watermark_us = self._newest_sound()
        self._next_seq = max(self.last_seq + 1, now_us())

    def _sound_series(self) -> dict[int, SeriesKey]:
        known: dict[int, SeriesKey] = {}
        for number, identity, key in list(series_after(self._connection, 0)):
            if key is None:
                # It is written anew when its series is next seen.
                self._connection.execute("DELETE FROM series WHERE number = ?", (number,))
            else:
                known[identity] = key
        return known

    def _sound_texts(self) -> dict[int, tuple[str, str]]:
        known: dict[int, tuple[str, str]] = {}
        for number, code, text in list(texts_after(self._connection, 0)):
            if text is None:
                # It is written anew when its text is next seen.
                self._connection.execute("DELETE FROM text WHERE number = ?", (number,))
            else:
                known[code] = text
        return known

    def _newest_sound(self) -> tuple[int, MessageLedger, int]:
        last_seq = int(self._connection.execute("SELECT coalesce(max(seq), 0) FROM batch").get)
        newest_first = "SELECT seq, previous, received_us, crc, data FROM batch ORDER BY seq DESC"
        for row in self._connection.execute(newest_first):
            try:
                entry = decode(row).entry
            except DamagedFileError as error:
                logger.warning("%s", error)
                continue
            return last_seq, entry.ledger, entry.watermark_us
        return last_seq, MessageLedger(), 0

    def _record(self, gaps: Sequence[Gap]) -> None:
        self.append(Entry(now_us(), self.ledger, gaps=tuple(gaps)))

    def _missing_series(self, keys: Iterable[SeriesKey]) -> dict[int, SeriesKey]:
        """Those of `keys` that have no series record yet, by id; raises ConflictError when two keys share one."""
        missing: dict[int, SeriesKey] = {}
        for key in keys:
            identity = series_id(key)
            known = self._known.get(identity) or missing.setdefault(identity, key)
            if known != key:
                raise ConflictError(f"{key} and {known} have the same series id; rename one of the parameters.")
        return missing

    def append(
        self, entry: Entry, new_series: Iterable[SeriesKey] = (), new_texts: Iterable[tuple[str, str]] = ()
    ) -> int:
        """Write one entry and return its sequence number once it is on disk.

        Args:
            entry: what to keep; its ledger holds the totals after it.
            new_series: keys first used by this entry.
            new_texts: (factory, text) of texts first used by this entry.

        Raises:
            StorageError: nothing of the entry was kept; acknowledge nothing.
        """
        if self._is_doubtful:
            raise StorageError(
                f"The journal {self._path} is damaged. It is set aside and what is sound in it is taken over; "
                "nothing is acknowledged until that is done."
            )
        seq = self._next_seq
        blob = encode(entry)
        added = self._missing_series(new_series)
        texts = {code: text for text in new_texts if (code := text_code(*text)) not in self._texts}
        try:
            self._commit(seq, entry, blob, added, texts)
        except apsw.Error as error:
            self._roll_back()
            self._note_damage(error)
            raise StorageError(
                f"The journal {self._path} cannot be written ({error}). Nothing is acknowledged until it can; "
                "check the disk and its free space."
            ) from error
        self.written_bytes += len(blob) + _ROW_BYTES
        self._known.update(added)
        self._texts.update(texts)
        self._clocks.update(((one.factory, one.device), one.offset_us) for one in entry.clocks)
        self.last_seq, self.ledger, self.watermark_us = seq, entry.ledger, entry.watermark_us
        self._next_seq = seq + 1
        return seq

    def _commit(
        self, seq: int, entry: Entry, blob: bytes, added: Mapping[int, SeriesKey], texts: Mapping[int, tuple[str, str]]
    ) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        if added:
            listed = msgspec.json.encode([(identity, *key) for identity, key in added.items()])
            execute(_INSERT_SERIES, (listed.decode(),))
        if texts:
            self._connection.executemany(_INSERT_TEXT, [(code, *text) for code, text in texts.items()])
        if entry.clocks:
            rows = [(one.factory, one.device, one.offset_us) for one in entry.clocks]
            self._connection.executemany(_SET_CLOCK, rows)
        if entry.quarantined:
            self._connection.executemany(_INSERT_QUARANTINE, [_quarantine_row(one) for one in entry.quarantined])
        crc = checksum(seq, self.last_seq, entry.received_us, blob)
        execute(_INSERT_BATCH, (seq, self.last_seq, entry.received_us, len(entry.samples), crc, blob))
        execute("COMMIT")
        self._quarantine.note(entry.quarantined)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except apsw.Error as error:
                logger.warning("The journal could not roll back: %s", error)

    def reopen(self) -> None:
        """Take a new connection after a failed write: SQLite may not retry an fsync on the old one.

        A file that turned out to be damaged is set aside.

        Raises:
            StorageError: it cannot be written still.
        """
        with contextlib.suppress(apsw.Error):
            self._connection.close()
        self._open()

    def trim(self, below_seq: int, *, most: int = 200) -> int:
        """Delete up to `most` rows below `below_seq`, never the newest, and give spare space back; returns how many.

        Quarantined messages beyond their limits go with them.

        Raises:
            StorageError: the file cannot be written.
        """
        try:
            self._quarantine.trim()
            self._connection.execute(
                "DELETE FROM batch WHERE seq IN (SELECT seq FROM batch WHERE seq < ? ORDER BY seq LIMIT ?)",
                (min(below_seq, self.last_seq), most),
            )
            deleted = self._connection.changes()
            self._give_space_back()
        except apsw.Error as error:
            self._note_damage(error)
            raise StorageError(f"Old rows of the journal {self._path} cannot be removed ({error}).") from error
        return deleted

    def _give_space_back(self) -> None:
        """Shorten the file by a few pages when far more lie free than the next rows will take."""
        pages, free = (int(str(self._connection.pragma(name))) for name in ("page_count", "freelist_count"))
        spare = free - max(KEPT_FREE_PAGES, pages // 4)
        if spare > 0:
            # Each step of the statement frees one page: it must be read to its end.
            self._connection.execute(f"PRAGMA incremental_vacuum({min(spare, _GIVEN_BACK_PAGES)})").fetchall()

    def last_seq_before(self, received_us: int) -> int:
        """The newest row received before `received_us`, 0 when there is none; raises StorageError when unreadable."""
        try:
            return last_seq_before(self._connection, received_us)
        except apsw.Error as error:
            raise StorageError(f"The journal {self._path} cannot be read ({error}).") from error

    def used_bytes(self) -> int:
        """What the journal's rows take, free pages not counted; raises StorageError when it cannot be told."""
        try:
            pages, free, page_bytes = (
                int(str(self._connection.pragma(name))) for name in ("page_count", "freelist_count", "page_size")
            )
        except (apsw.Error, ValueError) as error:
            raise StorageError(f"The size of the journal {self._path} cannot be read ({error}).") from error
        return (pages - free) * page_bytes

    def size_bytes(self) -> int:
        """What the journal takes on disk, its write-ahead log included."""
        return sum(part.stat().st_size for part in _files_of(self._path) if part.exists())

    def close(self) -> None:
        """Close the file; what was appended stays."""
        self._connection.close()


def import_samples(writer: JournalWriter, samples: SampleColumns, keys: Iterable[SeriesKey]) -> int:
    """Append samples that are nobody's messages (back-fill, calculated values), counting only values."""
    old = writer.ledger
    ledger = msgspec.structs.replace(old, values_accepted=old.values_accepted + len(samples))
    return writer.append(Entry(now_us(), ledger, samples), keys)


def _quarantine_row(one: QuarantinedMessage) -> tuple[int, str, str, str, str, bytes, bytes, str]:
    return (one.received_us, one.factory, one.client, one.reason, one.detail, one.topic, one.payload, one.device)


def _files_of(path: Path) -> list[Path]:
    return [path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")]


def set_aside(path: Path) -> Path:
    """Move a damaged file and its companions out of the way, kept for inspection; returns the new path."""
    moved = path.with_name(f"{path.stem}.damaged-{now_us()}{path.suffix}")
    for part in _files_of(path):
        if part.exists():
            part.replace(moved.with_name(part.name.replace(path.name, moved.name)))
    logger.warning("%s was set aside as %s", path, moved)
    return moved
