"""Readers of a journal: each consumer goes at its own pace from its own checkpoint."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from factoryops.domain.errors import DamagedFileError
from factoryops.domain.samples import SeriesKey
from factoryops.journal.records import Batch, MessageLedger, decode
from factoryops.journal.schema import last_seq_before, open_for_reading
from factoryops.journal.walk import DAMAGE, Row, rows_after, series_after, texts_after

logger = logging.getLogger(__name__)

LAST_SEQ: Final = (1 << 63) - 1
"""No row has a greater number."""

_SPAN_ROWS: Final = 8


@dataclass(frozen=True, slots=True)
class MissingRows:
    """Rows that should have followed and are not there: a loss that must be shown.

    Attributes:
        first / last: the sequence numbers between which rows are missing, both included; not every number in between
            was ever used.
    """

    first: int
    last: int


class JournalReader:
    """Reads one journal in order, in read transactions far shorter than a second.

    Opens the file when it appears and again when it has been replaced, so a reader may start before the writer.

    Attributes:
        position: the sequence number of the last row that was read.
        series: what each series id stands for, complete for every row that was read.
        texts: (factory, text) of each text code, likewise complete.
        missing: spans of rows that were found missing or damaged, oldest first; the consumer reports and clears them.
    """

    def __init__(self, path: Path, *, after_seq: int = 0) -> None:
        self._path = path
        self._connection: apsw.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self._series_number = self._text_number = 0
        self.position = after_seq
        self.series: dict[int, SeriesKey] = {}
        self.texts: dict[int, tuple[str, str]] = {}
        self.missing: list[MissingRows] = []

    def _connected(self) -> apsw.Connection | None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return self._connection
        identity = (status.st_dev, status.st_ino)
        if self._connection is None or identity != self._inode:
            self.close()
            try:
                self._connection = open_for_reading(self._path)
            except apsw.CantOpenError:
                return None
            self._inode, self._series_number, self._text_number = identity, 0, 0
        return self._connection

    def read(self, *, most_rows: int = 256, through_seq: int = LAST_SEQ) -> list[Batch]:
        """Up to `most_rows` batches after `position`, which moves behind them; empty when there is nothing new.

        Rows beyond `through_seq` are left for later.
        """
        connection = self._connected()
        if connection is None:
            return []
        try:
            rows = rows_after(connection, self.position, most_rows)
            self._load_names(connection)
        except (apsw.SQLError, apsw.BusyError):
            return []  # the writer has not made the tables yet, or is just recovering the file
        except DAMAGE as error:
            logger.warning("The journal %s cannot be read at the moment: %s", self._path, error)
            return []
        return self._decoded([row for row in rows if row[0] <= through_seq])

    def _load_names(self, connection: apsw.Connection) -> None:
        for number, identity, key in series_after(connection, self._series_number):
            if key is not None:
                self.series[identity] = key
            self._series_number = number
        for number, code, text in texts_after(connection, self._text_number):
            if text is not None:
                self.texts[code] = text
            self._text_number = number

    def _decoded(self, rows: list[Row]) -> list[Batch]:
        batches: list[Batch] = []
        for row in rows:
            seq, previous = row[0], row[1]
            if self.position and previous > self.position:
                self._note_missing(self.position + 1, previous)
            try:
                batches.append(decode(row))
            except DamagedFileError as error:
                logger.warning("%s", error)
                self._note_missing(seq, seq)
            self.position = seq
        return batches

    def _note_missing(self, first: int, last: int) -> None:
        if self.missing and self.missing[-1].last >= first - 1:
            first = self.missing.pop().first
        self.missing.append(MissingRows(first, last))

    def end(self) -> tuple[int, MessageLedger]:
        """The newest row's sequence number and totals; (0, zeros) when there is none."""
        connection = self._connected()
        if connection is not None:
            newest = "SELECT seq, previous, received_us, crc, data FROM batch ORDER BY seq DESC LIMIT 1"
            with contextlib.suppress(apsw.SQLError, apsw.BusyError, DamagedFileError, *DAMAGE):
                for row in connection.execute(newest):
                    return row[0], decode(row).entry.ledger
        return 0, MessageLedger()

    def last_seq_before(self, received_us: int) -> int:
        """The newest row received before `received_us`, 0 when there is none."""
        connection = self._connected()
        if connection is not None:
            with contextlib.suppress(apsw.SQLError, apsw.BusyError, *DAMAGE):
                return last_seq_before(connection, received_us)
        return 0

    def seq_back(self, seq: int, rows: int) -> int:
        """The row that lies `rows` rows before `seq`; 0 where there are not so many."""
        connection = self._connected()
        if connection is not None:
            query = "SELECT seq FROM batch WHERE seq <= ? ORDER BY seq DESC LIMIT 1 OFFSET ?"
            with contextlib.suppress(apsw.SQLError, apsw.BusyError, *DAMAGE):
                row = connection.execute(query, (seq, rows)).fetchone()
                return int(row[0]) if row else 0
        return 0

    def read_span(self, after_seq: int, through_seq: int) -> list[Batch]:
        """The sound rows after `after_seq`, up to and with `through_seq`; the position moves behind them."""
        self.position = after_seq
        found: list[Batch] = []
        while self.position < through_seq and (batches := self.read(most_rows=_SPAN_ROWS)):
            found += [batch for batch in batches if batch.seq <= through_seq]
        return found

    def count_samples(self, *, after_seq: int, through_seq: int = LAST_SEQ) -> int:
        """How many samples lie in rows after `after_seq`, up to and with `through_seq`."""
        connection = self._connected()
        if connection is not None:
            query = "SELECT coalesce(sum(sample_count), 0) FROM batch WHERE seq > ? AND seq <= ?"
            with contextlib.suppress(apsw.SQLError, apsw.BusyError, *DAMAGE):
                return int(connection.execute(query, (after_seq, through_seq)).get)
        return 0

    def quarantined(self, factory: str, *, before: int | None = None, most: int = 100) -> list[dict[str, object]]:
        """The newest quarantined messages of one factory, newest first; `before` pages on by their number."""
        connection = self._connected()
        if connection is None:
            return []
        names = ("number", "received_us", "client", "reason", "detail", "topic", "payload")
        query = (
            f"SELECT {', '.join(names)} FROM quarantine"  # noqa: S608 - the names are the constants above
            " WHERE factory = ? AND number < ? ORDER BY number DESC LIMIT ?"
        )
        bound = before if before is not None else 1 << 62
        with contextlib.suppress(apsw.SQLError, apsw.BusyError, *DAMAGE):
            return [dict(zip(names, row, strict=True)) for row in connection.execute(query, (factory, bound, most))]
        return []

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
