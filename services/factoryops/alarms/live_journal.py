"""The engine's own journal: where the live side reads raises and clears within milliseconds."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from factoryops.contracts.transitions import AlarmTransition, encode_transition
from factoryops.domain.errors import StorageError
from factoryops.domain.time import US_PER_S, now_us
from factoryops.journal.checkpoints import highest_checkpoint, lowest_checkpoint
from factoryops.journal.doorbell import Doorbell
from factoryops.journal.records import Entry, Gap
from factoryops.journal.writer import JournalWriter

logger = logging.getLogger(__name__)

_JOURNAL: Final = "derived"
_CONSUMERS: Final = ("historian",)
_KEEP_US: Final = 6 * 3_600 * US_PER_S
_TRIM_EVERY_S: Final = 60.0
_MOST_UNTOLD: Final = 5_000
"""Transitions kept for the live side while the file cannot be written; the database is told of all in any case."""


class LiveJournal:
    """Appends transitions and gaps, and rings the doorbell. Used from one thread at a time.

    Attributes:
        problem: why the file cannot be written at the moment, "" when it can.
    """

    def __init__(self, path: Path, checkpoints_folder: Path, doorbell_folder: Path) -> None:
        """Open or make the file; raises StorageError or SetupError when it cannot be."""
        self._checkpoints = checkpoints_folder
        self._writer = JournalWriter(path, known_end=highest_checkpoint(checkpoints_folder, _CONSUMERS, _JOURNAL))
        self._bell = Doorbell(doorbell_folder)
        self._untold: list[AlarmTransition] = []
        self._gaps: list[Gap] = []
        self._trimmed_at = time.monotonic()
        self.problem = ""

    def tell(self, transitions: Sequence[AlarmTransition], gaps: Sequence[Gap] = ()) -> None:
        """Make transitions and gaps known; what cannot be written now is tried again with the next call."""
        self._untold += transitions
        self._gaps += gaps
        if not self._untold and not self._gaps:
            return
        del self._untold[:-_MOST_UNTOLD]
        events = tuple(encode_transition(one) for one in self._untold)
        try:
            if self.problem:
                self._writer.reopen()
            self._writer.append(Entry(now_us(), self._writer.ledger, gaps=tuple(self._gaps), events=events))
        except StorageError as error:
            self._failed(error)
            return
        self._bell.ring()
        self._untold.clear()
        self._gaps.clear()
        self.problem = ""

    def _failed(self, error: StorageError) -> None:
        if not self.problem:
            logger.warning("%s", error)
        self.problem = (
            "Alarms reach the screens late, because the file that carries them cannot be written. "
            f"They are recorded in the database as always. ({error})"
        )

    def tidy(self) -> None:
        """Now and then, remove rows that everybody has read and nobody needs any more."""
        if time.monotonic() - self._trimmed_at < _TRIM_EVERY_S:
            return
        self._trimmed_at = time.monotonic()
        try:
            old = self._writer.last_seq_before(now_us() - _KEEP_US)
            self._writer.trim(min(old, lowest_checkpoint(self._checkpoints, _CONSUMERS, _JOURNAL)), most=2_000)
        except StorageError as error:
            self._failed(error)

    def close(self) -> None:
        """Let go of the file."""
        self._writer.close()
        self._bell.close()
