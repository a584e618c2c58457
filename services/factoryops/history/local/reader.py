"""Queries of `history.db`: read-only, from any process and thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import apsw

from factoryops.domain.bins import BinSummaries
from factoryops.domain.samples import SampleColumns
from factoryops.history.books import BooksReader
from factoryops.history.local.binning import SeriesView, binned_view
from factoryops.history.local.blocks import DAY_US, SharedBlocks, collect_series, find_blocks, find_shared
from factoryops.history.store import Cancelled, go_on, never


class LocalHistoryReader(BooksReader):
    """A HistoryReader over `path`, which need not exist yet; safe from several threads.

    Call `close` when no thread asks any more.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._shared = SharedBlocks()

    @contextmanager
    def _snapshot(self) -> Iterator[apsw.Connection | None]:
        """A read transaction, so that compaction meanwhile changes nothing; None while there is no file."""
        with self._reading() as connection:
            if connection is None:
                yield None
                return
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")

    def newest(self, series: Sequence[int], start_us: int, end_us: int) -> SampleColumns:
        """The newest sample within the span of each of `series` that has one, in no particular order."""
        found: list[SampleColumns] = []
        for one in series:
            parts = self._by_days(one, (start_us, end_us), never, is_backwards=True)
            found += [part.part(len(part) - 1, len(part)) for part in [next(parts, None)] if part is not None]
        return SampleColumns.joined(found)

    def raw(self, series: int, start_us: int, end_us: int, *, most: int, cancelled: Cancelled = never) -> SampleColumns:
        """The first `most` samples of the span, ascending in time, one per time."""
        go_on(cancelled)
        parts: list[SampleColumns] = []
        missing = most
        for part in self._by_days(series, (start_us, end_us), cancelled):
            parts.append(part.part(0, missing))
            missing -= len(parts[-1])
            if missing <= 0:
                break
        return SampleColumns.joined(parts)

    def _by_days(
        self, series: int, span: tuple[int, int], cancelled: Cancelled, *, is_backwards: bool = False
    ) -> Iterator[SampleColumns]:
        """The samples of each UTC day of the span that has some."""
        days = self._days(series, span)
        for day_us in reversed(days) if is_backwards else days:
            go_on(cancelled)
            part = max(span[0], day_us), min(span[1], day_us + DAY_US)
            with self._snapshot() as connection:
                if connection is None:
                    return
                samples = collect_series(connection, self._shared, series, part, self._connections.generation)
            if len(samples):
                yield samples

    def _days(self, series: int, span: tuple[int, int]) -> list[int]:
        """The days of which blocks may hold samples of the series; no block reaches over the end of one."""
        with self._snapshot() as connection:
            if connection is None or span[0] >= span[1]:
                return []
            heads = [*find_blocks(connection, series, *span), *find_shared(connection, *span, (series, series))]
        return sorted({head.first_us - head.first_us % DAY_US for head in heads})

    def binned(
        self, series: Sequence[int], start_us: int, end_us: int, width_us: int, *, cancelled: Cancelled = never
    ) -> dict[int, BinSummaries]:
        """Summaries per bin of each series that has samples in the span; bins are aligned to absolute time."""
        answer: dict[int, BinSummaries] = {}
        for one in series:
            go_on(cancelled)
            bins = self._binned(one, (start_us, end_us), width_us)
            if bins is not None:
                answer[one] = bins
        return answer

    def _binned(self, series: int, span: tuple[int, int], width_us: int) -> BinSummaries | None:
        with self._snapshot() as connection:
            if connection is None or span[0] >= span[1]:
                return None
            view = SeriesView(connection, self._shared, series, self._connections.generation)
            return binned_view(view, span, width_us)
