"""The import journal's one writer at a time: back-fill, re-processed quarantine and the demonstration's first day.

Whoever imports takes the lock beside the file, appends in bounded commits, and lets go. Rows the historian has passed
go when the replay window no longer covers them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import msgspec
import numpy as np

from factoryops.domain.errors import UnavailableError
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey
from factoryops.domain.time import US_PER_S, now_us
from factoryops.journal.checkpoints import highest_checkpoint, lowest_checkpoint, publish_checkpoint
from factoryops.journal.doorbell import Doorbell
from factoryops.journal.file_lock import FileLock
from factoryops.journal.records import Entry, Gap
from factoryops.journal.writer import JournalWriter

JOURNAL: Final = "import"
_WRITER: Final = "writer"
_CONSUMERS: Final = ("historian",)
_ROWS_AT_ONCE: Final = 200
_TRIM_EVERY_S: Final = 1.0
_LOOK_EVERY_S: Final = 0.2
_PATIENCE_S: Final = 60.0
_NOTHING: Final[Mapping[int, tuple[str, str]]] = {}

MOST_SAMPLES: Final = 10_000
"""Samples of one commit: readers take up to 256 rows at a time and hold them in memory."""


@dataclass(frozen=True, slots=True)
class ImportPlace:
    """Where imports are written, and how long they stay there.

    Attributes:
        journal: the import journal's file.
        checkpoints_folder / doorbell_folder: of the installation.
        size_limit_bytes: beyond it rows go as soon as the historian has them, whatever the replay window says.
        replay_window_s: how long rows stay after the historian has read them.
    """

    journal: Path
    checkpoints_folder: Path
    doorbell_folder: Path
    size_limit_bytes: int = 5 << 30
    replay_window_s: float = 86_400.0


class ImportWriter:
    """Open it, append, close it; nobody else imports meanwhile. Used from one thread.

    Raises:
        UnavailableError: somebody else is importing; try again later.
        StorageError: the file cannot be written.
        SetupError: the file was written by a newer program.
    """

    def __init__(self, place: ImportPlace) -> None:
        self._place = place
        self._lock = FileLock(place.journal.with_suffix(".lock"))
        if not self._lock.take():
            raise UnavailableError(
                "Another import is being written at the moment, and imports are written one after the other. "
                "Try again when it is done."
            )
        try:
            self._writer = JournalWriter(place.journal, known_end=self._known_end())
        except BaseException:
            self._lock.release()
            raise
        self._bell = Doorbell(place.doorbell_folder)
        self._trimmed_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _known_end(self) -> int:
        return highest_checkpoint(self._place.checkpoints_folder, (*_CONSUMERS, _WRITER), JOURNAL)

    @property
    def was_damaged(self) -> bool:
        """Whether the file found at opening was set aside; a gap says what may be missing."""
        return self._writer.damaged_us > 0

    @property
    def folder(self) -> Path:
        """Where the file lies."""
        return self._place.journal.parent

    @property
    def last_seq(self) -> int:
        """The newest durable row."""
        return self._writer.last_seq

    def append(
        self,
        samples: SampleColumns,
        keys: Mapping[int, SeriesKey],
        *,
        texts: Mapping[int, tuple[str, str]] = _NOTHING,
        gaps: Iterable[Gap] = (),
    ) -> int:
        """Write `samples`, flagged as imported, and return the last row's number once all of it is on disk.

        The historian is told of every commit. Repeating an import changes nothing: the same samples are the same.

        Args:
            samples: any number; commits hold up to `MOST_SAMPLES` each.
            keys: what each series id in `samples` stands for.
            texts: (factory, text) of each text code in `samples`.
            gaps: spans in which data may be missing; written with the first commit.

        Raises:
            StorageError: it cannot be written; what an earlier commit wrote stays.
            ConflictError: two keys share a series id.
        """
        pending = tuple(gaps)
        flagged = _flagged(samples)
        for first in range(0, max(1, len(samples)), MOST_SAMPLES):
            part = flagged.take(np.arange(first, min(first + MOST_SAMPLES, len(samples))))
            self._commit(part, keys, texts, pending)
            pending = ()
        self._tidy()
        return self._writer.last_seq

    def _commit(
        self,
        part: SampleColumns,
        keys: Mapping[int, SeriesKey],
        texts: Mapping[int, tuple[str, str]],
        gaps: tuple[Gap, ...],
    ) -> None:
        old = self._writer.ledger
        ledger = msgspec.structs.replace(old, values_accepted=old.values_accepted + len(part))
        used = [keys[one] for one in np.unique(part.series).tolist()]
        self._writer.append(Entry(now_us(), ledger, part, gaps=gaps), used, texts.values())
        self._bell.ring()

    def _tidy(self) -> None:
        if time.monotonic() - self._trimmed_at >= _TRIM_EVERY_S:
            self._trimmed_at = time.monotonic()
            self._leave_mark()
            self.trim()

    def trim(self) -> int:
        """Let rows go that the historian has and the replay window no longer covers; returns how many.

        Raises:
            StorageError: the file cannot be written.
        """
        trimmed = 0
        below = min(self._no_longer_covered(), self._passed())
        while deleted := self._writer.trim(below, most=_ROWS_AT_ONCE):
            trimmed += deleted
        return trimmed

    def _passed(self) -> int:
        return lowest_checkpoint(self._place.checkpoints_folder, _CONSUMERS, JOURNAL)

    def _no_longer_covered(self) -> int:
        if self._writer.used_bytes() > self._place.size_limit_bytes:
            return self._writer.last_seq
        return self._writer.last_seq_before(now_us() - int(self._place.replay_window_s * US_PER_S))

    def wait_for_room(self) -> None:
        """Wait while the file is larger than it may be, for the historian to take up what was imported.

        Raises:
            UnavailableError: the historian takes up nothing.
        """
        pause, passed, since = threading.Event(), -1, time.monotonic()
        while self._writer.used_bytes() > self._place.size_limit_bytes:
            self.trim()
            if self._passed() != passed:
                passed, since = self._passed(), time.monotonic()
            if time.monotonic() - since > _PATIENCE_S:
                raise UnavailableError(
                    "The import waits for history to take up what was imported so far, and nothing moves. "
                    "Start the service, or look at the historian on the health page; then go on with the import."
                )
            pause.wait(_LOOK_EVERY_S)

    def _leave_mark(self) -> None:
        """Say how far the file reaches, so that one cut short by damage is noticed at the next opening."""
        publish_checkpoint(self._place.checkpoints_folder, _WRITER, JOURNAL, self._writer.last_seq)

    def close(self) -> None:
        """Let go of the file and of the lock; what was appended stays."""
        try:
            self._leave_mark()
        finally:
            self._bell.close()
            self._writer.close()
            self._lock.release()


def _flagged(samples: SampleColumns) -> SampleColumns:
    flags = samples.flags | np.uint8(SampleFlag.IMPORTED)
    return SampleColumns(samples.series, samples.time_us, samples.value, flags)
