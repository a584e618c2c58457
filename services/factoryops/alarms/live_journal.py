"""The engine's own journal: raises and clears for the live side within milliseconds, and calculated values."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from factoryops.alarms.engine import Calculated
from factoryops.contracts.transitions import AlarmTransition, encode_transition
from factoryops.domain.errors import StorageError
from factoryops.domain.samples import SampleColumns, SeriesKey
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
_MOST_UNTOLD_VALUES: Final = 500_000
"""Calculated values kept likewise; those beyond are lost, and a gap says so."""


class LiveJournal:
    """Appends transitions, gaps and calculated values, and rings the doorbell. Used from one thread at a time.

    Attributes:
        problem: why the file cannot be written at the moment, "" when it can.
        calculated_through_us: calculated values before this watermark are in the file.
    """

    def __init__(self, path: Path, checkpoints_folder: Path, doorbell_folder: Path) -> None:
        """Open or make the file; raises StorageError or SetupError when it cannot be."""
        self._checkpoints = checkpoints_folder
        self._writer = JournalWriter(path, known_end=highest_checkpoint(checkpoints_folder, _CONSUMERS, _JOURNAL))
        self._bell = Doorbell(doorbell_folder)
        self._untold: list[AlarmTransition] = []
        self._gaps: list[Gap] = []
        self._calculated: list[Calculated] = []
        self._trimmed_at = time.monotonic()
        self.calculated_through_us = self._writer.watermark_us
        self.problem = ""

    def tell(
        self,
        transitions: Sequence[AlarmTransition],
        gaps: Sequence[Gap] = (),
        calculated: Sequence[Calculated] = (),
        names: Mapping[int, SeriesKey] | None = None,
    ) -> None:
        """Make everything known; what cannot be written now is tried again with the next call.

        Args:
            transitions: raises and clears.
            gaps: spans that were not evaluated.
            calculated: steps of calculated values; those that are in the file already are passed over.
            names: what their series stand for.
        """
        self._untold += transitions
        self._gaps += gaps
        self._calculated += (step for step in calculated if step.watermark_us > self.calculated_through_us)
        if not self._untold and not self._gaps and not self._calculated:
            return
        self._bound()
        try:
            if self.problem:
                self._writer.reopen()
            self._append(names or {})
        except StorageError as error:
            self._failed(error)
            return
        self._bell.ring()
        self._untold.clear()
        self._gaps.clear()
        self._calculated.clear()
        self.problem = ""

    def _append(self, names: Mapping[int, SeriesKey]) -> None:
        samples = SampleColumns.joined([step.samples for step in self._calculated])
        through_us = max([self.calculated_through_us, *(step.watermark_us for step in self._calculated)])
        old = self._writer.ledger
        ledger = msgspec.structs.replace(old, values_accepted=old.values_accepted + len(samples))
        events = tuple(encode_transition(one) for one in self._untold)
        entry = Entry(now_us(), ledger, samples, watermark_us=through_us, gaps=tuple(self._gaps), events=events)
        series = np.unique(samples.series).tolist()
        self._writer.append(entry, [names[one] for one in series if one in names])
        self.calculated_through_us = through_us

    def _bound(self) -> None:
        """Keep no more for a file that cannot be written than memory is meant for; lost values become a gap."""
        del self._untold[:-_MOST_UNTOLD]
        waiting = sum(len(step.samples) for step in self._calculated)
        while waiting > _MOST_UNTOLD_VALUES:
            lost = self._calculated.pop(0).samples
            waiting -= len(lost)
            reason = "Calculated values were lost: the file that carries them could not be written for too long."
            self._gaps.append(Gap(int(lost.time_us.min()), int(lost.time_us.max()) + 1, reason))
            del self._gaps[:-_MOST_UNTOLD]

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
