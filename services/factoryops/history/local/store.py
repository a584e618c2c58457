"""The embedded store: the historian's side of `history.db`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw
import numpy as np

from factoryops.domain.bins import run_starts
from factoryops.domain.errors import DamagedFileError, FactoryOpsError, SetupError, StorageError
from factoryops.domain.retention import RetentionPlan
from factoryops.domain.samples import SampleColumns, SeriesKey
from factoryops.domain.time import now_us
from factoryops.history.books import Books, open_for_writing
from factoryops.history.clock_changes import ClockChange
from factoryops.history.local import rollups
from factoryops.history.local import upgrade as old_files
from factoryops.history.local.blocks import (
    OWN_FROM,
    PAGE_BYTES,
    SCHEMA,
    VERSION,
    SharedBlocks,
    collect_series,
    insert_own,
    insert_shared,
    split_by_day,
)
from factoryops.history.local.compaction import Compaction
from factoryops.history.local.reader import LocalHistoryReader
from factoryops.history.local.retention import Retention
from factoryops.history.local.scrub import Scrub
from factoryops.history.store import NO_TEXTS
from factoryops.journal.failpoint import failpoint
from factoryops.journal.file_lock import FileLock
from factoryops.journal.records import NEVER_TOLD, Gap
from factoryops.journal.writer import set_aside
from factoryops.observability.heartbeat import Problem

logger = logging.getLogger(__name__)

_WHOLE_CHECK_BYTES: Final = 1 << 30
"""Larger files are checked without their blocks, which carry checksums of their own."""

_SCRUB_SHARE: Final = 0.1
"""Of the time for upkeep: years of history are looked through in hours, and nobody notices."""

_BOOK_TABLES: Final = ("ledger", "checkpoint", "series", "latest_page", "gap", "clock_change", "text")


class LocalHistory(LocalHistoryReader):
    """A HistoryStore over `path`; one process writes it, and in it one thread at a time.

    Raises:
        SetupError: the file was written by a newer program.
        StorageError: it cannot be written.

    Attributes:
        was_damaged: the file found at opening was set aside; a gap says so.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._path = path
        self._lock = FileLock(path.with_name(f"{path.name}.lock"))
        self.was_damaged = False
        self._take_lock()
        try:
            self._start()
        except FactoryOpsError:
            self._lock.release()
            raise

    def _take_lock(self) -> None:
        try:
            is_ours = self._lock.take()
        except OSError as error:
            raise StorageError(
                f"The history file {self._path} cannot be opened for writing ({error}). Samples wait in the journal; "
                "give the service's user the right to write there."
            ) from error
        if not is_ours:
            raise SetupError(
                f"The history file {self._path} is being written by another process (id {self._lock.holder()}). "
                "Only one may: end that process, or give this one a data folder of its own."
            )

    def _start(self) -> None:
        self._connection = self._open_or_set_aside()
        self._books = Books(self._connection)
        self._own_shared = SharedBlocks(most_samples=1_000_000)
        self._compaction = Compaction(self._connection, self._own_shared)
        self._retention = Retention(self._connection)
        self._scrub = Scrub(self._connection)
        self._roll_up_old = old_files.RollUpOld(self._connection)
        self._written = int(self._connection.execute("SELECT coalesce(max(written), 0) FROM block").get)
        if self.was_damaged:
            self._record_damage()

    def _begin_anew(self, error: apsw.Error) -> DamagedFileError:
        """The file turned out to be damaged while in use: set it aside and start a new one."""
        logger.warning("The history file is damaged: %s", error)
        self._connection.close()
        set_aside(self._path)
        self.was_damaged = True
        self._start()
        return DamagedFileError(
            f"The history file {self._path} was damaged and has been set aside; a new one is being filled from the "
            "journal. Restore a backup to have older history back."
        )

    def _open_or_set_aside(self) -> apsw.Connection:
        try:
            connection = _open(self._path)
            if _is_sound(connection, self._path):
                return connection
            connection.close()
        except (apsw.NotADBError, apsw.CorruptError) as error:
            logger.warning("The history file is damaged: %s", error)
        set_aside(self._path)
        self.was_damaged = True
        return _open(self._path)

    def _record_damage(self) -> None:
        reason = (
            "The history file was damaged and has been set aside; it is kept beside the new one. "
            "What the journal still holds is stored again, older history is missing until a backup is restored."
        )
        self.append(SampleColumns.empty(), {}, gaps=[Gap(0, now_us(), reason, told_us=NEVER_TOLD)], checkpoints={})

    def append(
        self,
        samples: SampleColumns,
        keys: Mapping[int, SeriesKey],
        *,
        gaps: Sequence[Gap],
        checkpoints: Mapping[str, int],
        texts: Mapping[int, tuple[str, str]] = NO_TEXTS,
        clocks: Sequence[ClockChange] = (),
    ) -> None:
        """Keep all of it in one transaction; see HistoryStore.append.

        A value that is not finite is refused singly.
        """
        accepted, refused = _finite(samples)
        ordered = accepted.sorted_unique()
        with self._transaction():
            if self._books.holds(checkpoints):
                return
            replaced = len(accepted) - len(ordered) + self._count_present(ordered)
            self._insert(ordered)
            self._books.add_series(keys)
            self._books.add_texts(texts)
            self._books.add_latest(ordered)
            self._books.add_gaps(gaps)
            self._books.add_clocks(clocks)
            self._books.count(stored=len(accepted) - replaced, replaced=replaced, refused=refused)
            failpoint("before_upload")
            self._books.move_checkpoints(checkpoints)
            failpoint("after_upload_before_checkpoint")
        self._written += 1
        self._books.committed(keys, texts)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with self._connection:
                yield
        except (apsw.CorruptError, apsw.NotADBError) as error:
            raise self._begin_anew(error) from error
        except apsw.Error as error:
            raise StorageError(
                f"The history file {self._path} cannot be written ({error}). Samples wait in the journal; "
                "check the disk and its free space."
            ) from error

    def _insert(self, ordered: SampleColumns) -> None:
        for part in split_by_day(ordered) if len(ordered) else ():
            starts = run_starts(part.series)
            lengths = np.diff(starts, append=len(part))
            is_long = np.repeat(lengths >= OWN_FROM, lengths)
            insert_own(self._connection, part.take(is_long), written=self._written + 1)
            insert_shared(self._connection, part.take(~is_long), written=self._written + 1)

    def _count_present(self, ordered: SampleColumns) -> int:
        """How many of these samples take the place of a stored one; newer ones than the series' newest need no look."""
        starts = run_starts(ordered.series)
        ends = np.append(starts[1:], len(ordered))[: len(starts)]
        newest = self._books.last_us.times_us(ordered.series[starts])
        is_older = ordered.time_us[starts] <= newest
        chosen = (starts[is_older].tolist(), ends[is_older].tolist(), newest[is_older].tolist())
        return sum(self._present_in(ordered.part(low, high), at_us) for low, high, at_us in zip(*chosen, strict=True))

    def _present_in(self, samples: SampleColumns, newest_us: int) -> int:
        """How many of one series' samples are stored already; the series' newest is at `newest_us`."""
        span = (int(samples.time_us[0]), min(int(samples.time_us[-1]), newest_us) + 1)
        stored = collect_series(self._connection, self._own_shared, int(samples.series[0]), span)
        return int(np.isin(samples.time_us, stored.time_us, assume_unique=True).sum())

    def tidy(self, *, budget_s: float) -> int:
        """Turn shared blocks into large ones of one series each; returns how many seals are left in shared ones."""
        with self._translated():
            left = self._compaction.run(budget_s=budget_s)
            self._roll_up_old.run(budget_s=budget_s)
            self._scrub.run(budget_s=budget_s * _SCRUB_SHARE)
            return left

    def retain(self, plan: RetentionPlan, *, budget_s: float) -> bool:
        """Give up old samples, minutes and hours; returns whether all that was due is done."""
        with self._translated():
            return self._retention.run(plan, now_us(), budget_s=budget_s)

    def problems(self) -> Sequence[Problem]:
        """None: this store has no parts that fail alone."""
        return ()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (apsw.CorruptError, apsw.NotADBError) as error:
            raise self._begin_anew(error) from error
        except apsw.Error as error:
            raise StorageError(f"The history file {self._path} cannot be tidied up ({error}).") from error

    def close(self) -> None:
        """Let go of the file."""
        super().close()
        self._connection.close()
        self._lock.release()


def _open(path: Path) -> apsw.Connection:
    schema = SCHEMA + rollups.SCHEMA + old_files.SCHEMA
    return open_for_writing(path, version=VERSION, schema=schema, page_bytes=PAGE_BYTES, upgrade=old_files.upgrade)


def _is_sound(connection: apsw.Connection, path: Path) -> bool:
    if path.stat().st_size <= _WHOLE_CHECK_BYTES:
        return bool(connection.pragma("quick_check") == "ok")
    return all(connection.pragma("quick_check", table) == "ok" for table in _BOOK_TABLES)


def _finite(samples: SampleColumns) -> tuple[SampleColumns, dict[str, int]]:
    is_finite = np.isfinite(samples.value)
    if is_finite.all():
        return samples, {}
    return samples.take(is_finite), {"not_finite": int((~is_finite).sum())}
