"""Queries of `history.db`: read-only, from any process and thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from factoryops.domain.bins import BinSummaries, bin_samples
from factoryops.domain.samples import SampleColumns
from factoryops.history.books import BooksReader
from factoryops.history.local.blocks import SharedBlocks, collect_series
from factoryops.history.store import Cancelled, go_on, never


class LocalHistoryReader(BooksReader):
    """A HistoryReader over `path`, which need not exist yet; safe from several threads.

    Call `close` when no thread asks any more.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._shared = SharedBlocks()

    def _samples(self, series: int, start_us: int, end_us: int) -> SampleColumns:
        with self._reading() as connection:
            if connection is None or start_us >= end_us:
                return SampleColumns.empty()
            connection.execute("BEGIN")  # so that compaction meanwhile changes nothing
            try:
                generation = self._connections.generation
                return collect_series(connection, self._shared, series, (start_us, end_us), generation)
            finally:
                connection.execute("COMMIT")

    def newest(self, series: Sequence[int], start_us: int, end_us: int) -> SampleColumns:
        """The newest sample within the span of each of `series` that has one, in no particular order."""
        found = [self._samples(one, start_us, end_us) for one in series]
        return SampleColumns.joined([samples.take(np.array([len(samples) - 1])) for samples in found if len(samples)])

    def raw(self, series: int, start_us: int, end_us: int, *, most: int, cancelled: Cancelled = never) -> SampleColumns:
        """The first `most` samples of the span, ascending in time, one per time."""
        go_on(cancelled)
        samples = self._samples(series, start_us, end_us)
        return samples if len(samples) <= most else samples.take(np.arange(most))

    def binned(
        self, series: Sequence[int], start_us: int, end_us: int, width_us: int, *, cancelled: Cancelled = never
    ) -> dict[int, BinSummaries]:
        """Summaries per bin of each series that has samples in the span; bins are aligned to absolute time."""
        answer: dict[int, BinSummaries] = {}
        for one in series:
            go_on(cancelled)
            samples = self._samples(one, start_us, end_us)
            if len(samples):
                answer[one] = bin_samples(samples.time_us, samples.value, width_us, samples.flags)
        return answer
