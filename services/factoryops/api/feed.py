"""What the journals say, as the live hub needs it: read in one thread, split by factory."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from factoryops.api.presence import PresenceBook, SeriesIndex
from factoryops.contracts.transitions import AlarmTransition, decode_transition
from factoryops.domain.identity import FactoryId
from factoryops.domain.samples import SampleColumns
from factoryops.history.tail import Tail
from factoryops.journal.reader import JournalReader
from factoryops.journal.records import Batch

logger = logging.getLogger(__name__)

_MOST_ROWS: Final = 512
_NOT_LIVE: Final = "import"
"""Imported samples are history: queries see them at once, live clients are not sent them."""


@dataclass(frozen=True, slots=True)
class News:
    """What one look into a journal brought.

    Attributes:
        rows: how many rows; 0 when there was nothing new.
        samples: of each factory, in the order of the journal.
        received_us: receive time of the newest of them.
        watermark_us: 0 when none was written.
        is_full: there is more to read at once.
    """

    rows: int
    samples: list[tuple[FactoryId, SampleColumns]]
    transitions: list[AlarmTransition]
    received_us: int
    watermark_us: int
    is_full: bool


class JournalFeed:
    """Follows one journal from the historian's checkpoint and keeps the history's tail fed. Blocks; one thread."""

    def __init__(self, name: str, path: Path, tail: Tail | None, presence: PresenceBook, *, after_seq: int) -> None:
        self.name = name
        self._reader = JournalReader(path, after_seq=after_seq)
        self._tail = tail
        if tail is not None:
            tail.texts = self._reader.texts
        self._presence = presence
        self._index = SeriesIndex()

    @property
    def position(self) -> int:
        """The last row that was read."""
        return self._reader.position

    def read(self) -> News:
        """What is new."""
        batches = self._reader.read(most_rows=_MOST_ROWS)
        for missing in self._reader.missing:
            logger.warning("rows %s to %s of %s are missing", missing.first, missing.last, self.name)
        self._reader.missing.clear()
        if not batches:
            return News(0, [], [], 0, 0, False)
        self._index.learn(self._reader.series)
        if self._tail is not None:
            for batch in batches:
                self._tail.feed(batch)
        samples = SampleColumns.joined([batch.samples for batch in batches if len(batch.samples)])
        received_us = max(batch.entry.received_us for batch in batches)
        if self.name == "journal":
            self._presence.note(self._index, samples, received_us)
            heard = b"".join(batch.entry.heard for batch in batches)
            if heard:
                self._presence.hear(self._index, heard, received_us)
        return News(
            len(batches),
            [] if self.name == _NOT_LIVE else self._index.split(samples),
            _transitions(batches),
            received_us,
            max(batch.entry.watermark_us for batch in batches),
            len(batches) == _MOST_ROWS,
        )

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()


def _transitions(batches: list[Batch]) -> list[AlarmTransition]:
    found: list[AlarmTransition] = []
    for batch in batches:
        for event in batch.entry.events:
            try:
                found.append(decode_transition(event))
            except msgspec.DecodeError as error:
                logger.warning("an event of row %s cannot be read: %s", batch.seq, error)
    return found
