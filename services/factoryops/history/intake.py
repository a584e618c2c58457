"""What the historian has read from the journals and not sealed yet."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np
from msgspec import structs

from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey
from factoryops.domain.time import now_us
from factoryops.history.clock_changes import ClockChange, changes_in
from factoryops.journal.reader import LAST_SEQ, JournalReader, MissingRows
from factoryops.journal.records import NEVER_TOLD, Batch, Gap

logger = logging.getLogger(__name__)

_ROWS_AT_ONCE: Final = 32
_SEALED_FIRST: Final = ("import", "derived", "journal")
"""Of the same series and time in one seal, a device's own sample wins over a calculated and an imported one."""
_DEVICES: Final = "journal"
_CALCULATED: Final = "derived"
_ROWS_BACK: Final = 8_192
"""A watermark comes every second, at the most rows that a second can have."""
_TO_THE_END: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Sheaf:
    """What goes to the store in one append."""

    samples: SampleColumns
    keys: Mapping[int, SeriesKey]
    gaps: tuple[Gap, ...]
    checkpoints: Mapping[str, int]
    texts: Mapping[int, tuple[str, str]]
    clocks: tuple[ClockChange, ...] = ()


class HasFront(Protocol):
    """Knows how far the journals have been read."""

    def front(self, journal: str) -> int:
        """The last row of `journal` that need not be read again."""
        ...


@dataclass(slots=True)
class _Source:
    """One journal: what was read from it and waits.

    Attributes:
        watermark_us: the highest one up to the newest row, 0 when none is known.
    """

    name: str
    reader: JournalReader
    batches: list[Batch] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    received_us: int = 0
    accepted: int = 0
    waiting: int = 0
    watermark_us: int = 0

    def read(self, *, most_samples: int, through_seq: int) -> None:
        """Read on until `most_samples` wait or nothing is new up to `through_seq`."""
        while self.waiting < most_samples and (
            batches := self.reader.read(most_rows=_ROWS_AT_ONCE, through_seq=through_seq)
        ):
            self._note_missing(batches)
            self.batches += [self._kept(batch) for batch in batches]
            self.received_us = batches[-1].entry.received_us
            self.waiting += sum(len(batch.samples) for batch in batches)

    def _kept(self, batch: Batch) -> Batch:
        """The batch without what history does not keep (quarantined messages may be large)."""
        gaps = tuple(self._as_told(gap) for gap in batch.entry.gaps)
        self.watermark_us = max(self.watermark_us, batch.entry.watermark_us)
        return Batch(batch.seq, replace(batch.entry, quarantined=(), events=(), gaps=gaps))

    def _as_told(self, gap: Gap) -> Gap:
        """When conditions were told: of what stands in the rows that they are judged by, or says so itself."""
        if self.name == _DEVICES:
            return structs.replace(gap, told_us=self.watermark_us)
        return gap if self.name == _CALCULATED and gap.told_us else structs.replace(gap, told_us=NEVER_TOLD)

    def _note_missing(self, batches: list[Batch]) -> None:
        """Rows that are not there become gaps, from the row before them to the one after."""
        for missing in self.reader.missing:
            start_us = self._received_before(batches, missing)
            after = (batch.entry.received_us for batch in batches if batch.seq > missing.last)
            gap = Gap(start_us, next(after, now_us()), _lost(missing, self.name), told_us=NEVER_TOLD)
            logger.warning("%s", gap.reason)
            self.gaps.append(gap)
        self.reader.missing.clear()

    def _received_before(self, batches: list[Batch], missing: MissingRows) -> int:
        before = [batch.entry.received_us for batch in batches if batch.seq < missing.first]
        if before:
            return before[-1]
        return self.received_us or (batches[0].entry.received_us if batches else now_us())

    def samples(self) -> SampleColumns:
        joined = SampleColumns.joined([batch.samples for batch in self.batches if len(batch.samples)])
        if self.name != "import":
            return joined
        flags = joined.flags | np.uint8(SampleFlag.IMPORTED)
        return SampleColumns(joined.series, joined.time_us, joined.value, flags)

    def clocks(self) -> Iterator[ClockChange]:
        """What the rows say of devices' clocks."""
        return (change for batch in self.batches for change in changes_in(batch, self.reader.series))


def _lost(missing: MissingRows, journal: str) -> str:
    count = missing.last - missing.first + 1
    rows = f"Row {missing.first}" if count == 1 else f"Rows {missing.first} to {missing.last}"
    return f"{rows} of the file {journal}.db could not be read; samples received in this span are missing."


class Intake:
    """Reads all journals from the store's fronts on; bounded by what the caller lets it read.

    Attributes:
        accepted_at_checkpoint: journal name -> values accepted up to the store's front, by the journal's ledger.
    """

    def __init__(self, journals: Mapping[str, Path], store: HasFront) -> None:
        names = sorted(journals, key=lambda name: _SEALED_FIRST.index(name) if name in _SEALED_FIRST else -1)
        self._sources = [_Source(name, JournalReader(journals[name], after_seq=store.front(name))) for name in names]
        for source in self._sources:
            _learn_where_it_stands(source, journals[source.name])
        self.accepted_at_checkpoint = {source.name: source.accepted for source in self._sources}

    def read(self, *, most_samples: int, through: Mapping[str, int] = _TO_THE_END) -> None:
        """Read what is new, until about `most_samples` wait; of a journal in `through` no further than its row.

        What devices send comes first, so that no import delays it.
        """
        for source in reversed(self._sources):
            room = most_samples - self.waiting_samples
            if room > 0:
                last = through.get(source.name, LAST_SEQ)
                source.read(most_samples=source.waiting + room, through_seq=last)

    @property
    def waiting_samples(self) -> int:
        """How many samples wait."""
        return sum(source.waiting for source in self._sources)

    def is_full(self, most_samples: int) -> bool:
        """Whether so much waits that reading has stopped."""
        return self.waiting_samples >= most_samples

    @property
    def has_news(self) -> bool:
        """Whether anything waits, be it rows without samples."""
        return any(source.batches for source in self._sources)

    @property
    def oldest_waiting_us(self) -> int | None:
        """When the oldest row that waits was received."""
        return min((source.batches[0].entry.received_us for source in self._sources if source.batches), default=None)

    @property
    def newest_waiting_us(self) -> int:
        """When the newest row that waits was received; 0 when none waits."""
        return max((source.batches[-1].entry.received_us for source in self._sources if source.batches), default=0)

    def sheaf(self) -> Sheaf:
        """All that waits."""
        waiting = [source for source in self._sources if source.batches]
        samples = SampleColumns.joined([part for source in waiting if len(part := source.samples())])
        known = {series: key for source in waiting for series, key in source.reader.series.items()}
        recorded = (gap for source in waiting for batch in source.batches for gap in batch.entry.gaps)
        found = (gap for source in waiting for gap in source.gaps)
        return Sheaf(
            samples=samples,
            keys={one: known[one] for one in np.unique(samples.series).tolist() if one in known},
            gaps=(*recorded, *found),
            checkpoints={source.name: source.batches[-1].seq for source in waiting},
            texts=_texts_in(samples, waiting),
            clocks=tuple(change for source in waiting for change in source.clocks()),
        )

    def sealed(self, sheaf: Sheaf) -> None:
        """The store has `sheaf`: let go of it."""
        for source in self._sources:
            if source.name in sheaf.checkpoints:
                source.accepted = source.batches[-1].entry.ledger.values_accepted
                source.batches.clear()
                source.gaps.clear()
                source.waiting = 0
        self.accepted_at_checkpoint = {source.name: source.accepted for source in self._sources}

    def close(self) -> None:
        """Let go of the files."""
        for source in self._sources:
            source.reader.close()


def _texts_in(samples: SampleColumns, sources: Sequence[_Source]) -> dict[int, tuple[str, str]]:
    """What the text codes in the samples stand for."""
    is_text = (samples.flags & SampleFlag.TEXT) != 0
    if not is_text.any():
        return {}
    known = {code: text for source in sources for code, text in source.reader.texts.items()}
    codes = np.unique(samples.value[is_text]).astype(np.int64).tolist()
    return {code: known[code] for code in codes if code in known}


def _learn_where_it_stands(source: _Source, path: Path) -> None:
    """Read the row at the checkpoint once more for its totals, where it is still there."""
    checkpoint = source.reader.position
    if checkpoint == 0:
        return
    reader = JournalReader(path, after_seq=checkpoint - 1)
    for batch in reader.read(most_rows=1):
        if batch.seq == checkpoint:
            source.accepted = batch.entry.ledger.values_accepted
            source.received_us = batch.entry.received_us
    if source.name == _DEVICES:
        source.watermark_us = _watermark_at(reader, checkpoint)
    reader.close()


def _watermark_at(reader: JournalReader, seq: int) -> int:
    """The newest watermark up to a row, 0 where none is near enough."""
    begin = reader.seq_back(seq, _ROWS_BACK)
    while seq > begin:
        after = max(begin, reader.seq_back(seq, _ROWS_AT_ONCE))
        found = max((batch.entry.watermark_us for batch in reader.read_span(after, seq)), default=0)
        if found:
            return found
        seq = after
    return 0
