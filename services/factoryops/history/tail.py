"""The tail of a journal: what was received after the historian's checkpoint, held in memory by those who query."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from factoryops.domain.samples import SampleColumns
from factoryops.history.merging import newest_of_each
from factoryops.journal.records import Batch

_BYTES_PER_SAMPLE: Final = 25
_CHUNK_SAMPLES: Final = 32_768
_CHUNK_BATCHES: Final = 512


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Consecutive journal rows; settled, their samples are ordered by (series, time), one per series and time."""

    last_seq: int
    samples: SampleColumns


class Tail:
    """A view of one journal's newest rows, bounded in bytes; one thread feeds it, any thread may ask.

    Args:
        most_bytes: beyond this the oldest rows are dropped and `pending_from_us` says so.

    Attributes:
        texts: (factory, text) by code, of all texts the journal names; whoever feeds the tail puts its reader's here.
    """

    def __init__(self, *, most_bytes: int = 128_000_000) -> None:
        self._most_samples = max(1, most_bytes // _BYTES_PER_SAMPLE)
        self.texts: Mapping[int, tuple[str, str]] = {}
        self._lock = threading.Lock()
        self._chunks: list[_Chunk] = []
        self._fresh: list[_Chunk] = []
        self._fresh_count = 0
        self._count = 0
        self._dropped: list[tuple[int, int]] = []  # (last journal row, earliest sample time) of what was dropped

    def __len__(self) -> int:
        """Samples held."""
        return self._count

    def feed(self, batch: Batch) -> None:
        """Take the next row of the journal."""
        if not len(batch.samples):
            return
        with self._lock:
            self._fresh.append(_Chunk(batch.seq, batch.samples))
            self._fresh_count += len(batch.samples)
            self._count += len(batch.samples)
            if self._fresh_count >= _CHUNK_SAMPLES or len(self._fresh) >= _CHUNK_BATCHES:
                self._settle()
            while self._count > self._most_samples:
                self._drop_oldest()

    def _settle(self) -> None:
        """Turn the fresh rows into one chunk; the lock is held."""
        if not self._fresh:
            return
        joined = SampleColumns.joined([row.samples for row in self._fresh]).sorted_unique()
        self._chunks.append(_Chunk(self._fresh[-1].last_seq, joined))
        self._count += len(joined) - self._fresh_count
        self._fresh, self._fresh_count = [], 0

    def _drop_oldest(self) -> None:
        self._settle()
        oldest = self._chunks.pop(0)
        self._count -= len(oldest.samples)
        self._dropped.append((oldest.last_seq, int(oldest.samples.time_us.min())))

    def forget_through(self, seq: int) -> None:
        """The store's queries show every row up to `seq` now: let go of them (whole chunks at a time)."""
        with self._lock:
            self._settle_through(seq)
            kept = [chunk for chunk in self._chunks if chunk.last_seq > seq]
            self._count -= sum(len(chunk.samples) for chunk in self._chunks[: len(self._chunks) - len(kept)])
            self._chunks = kept
            self._dropped = [dropped for dropped in self._dropped if dropped[0] > seq]

    def _settle_through(self, seq: int) -> None:
        """Drop fresh rows up to `seq`, so that they do not linger in a chunk with younger ones; the lock is held."""
        known = sum(row.last_seq <= seq for row in self._fresh)
        forgotten = sum(len(row.samples) for row in self._fresh[:known])
        del self._fresh[:known]
        self._fresh_count -= forgotten
        self._count -= forgotten

    @property
    def pending_from_us(self) -> int | None:
        """The earliest time from which samples are neither here nor in the store; None when nothing was dropped."""
        with self._lock:
            return min((earliest for _, earliest in self._dropped), default=None)

    def _snapshot(self) -> list[SampleColumns]:
        """The samples in order of arrival; every part ordered by (series, time)."""
        with self._lock:
            parts = [chunk.samples for chunk in self._chunks]
            fresh = [row.samples for row in self._fresh]
        if fresh:
            parts.append(SampleColumns.joined(fresh).sorted_unique())
        return parts

    def select(self, series: Iterable[int], start_us: int, end_us: int) -> SampleColumns:
        """The samples of `series` in [start, end), ordered by (series, time), the last of each time alone."""
        wanted = np.unique(np.fromiter(series, np.int64))
        parts = self._snapshot()
        found = [part.take(index) for part in parts for index in _spans(part, wanted, start_us, end_us)]
        return SampleColumns.joined(found).sorted_unique()

    def latest(self, series: Sequence[int] | None = None) -> SampleColumns:
        """The newest sample of every series here, or of those of `series` that are."""
        newest = newest_of_each(SampleColumns.joined([newest_of_each(part) for part in self._snapshot()]))
        if series is None:
            return newest
        return newest.take(np.isin(newest.series, np.fromiter(series, np.int64)))


def _spans(
    part: SampleColumns, wanted: npt.NDArray[np.int64], start_us: int, end_us: int
) -> Iterable[npt.NDArray[np.intp]]:
    """Index arrays of each wanted series' samples inside the span."""
    first = np.searchsorted(part.series, wanted, "left")
    last = np.searchsorted(part.series, wanted, "right")
    for low, high in zip(first.tolist(), last.tolist(), strict=True):
        if low < high:
            times = part.time_us[low:high]
            inside = np.arange(low + np.searchsorted(times, start_us), low + np.searchsorted(times, end_us))
            if len(inside):
                yield inside
