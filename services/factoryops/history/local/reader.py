"""Queries of `history.db`: read-only, from any process and thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from factoryops.domain.bins import BinSummaries
from factoryops.domain.samples import SampleColumns
from factoryops.domain.summaries import combine
from factoryops.history.books import BooksReader
from factoryops.history.local.binning import SeriesView, binned_view
from factoryops.history.local.blocks import DAY_US, SharedBlocks, collect_series, find_blocks, find_shared
from factoryops.history.store import Cancelled, go_on, never

_DAYS_AT_ONCE: Final = 32
"""So many days' bins of a series are read in one transaction, lest it hold the file's log for long."""

_BOUNDS: Final = """
SELECT min(moment), max(moment) FROM (
    SELECT min(first_us) AS moment FROM block WHERE series = ?1
    UNION ALL SELECT max(first_us) FROM block WHERE series = ?1
    UNION ALL SELECT min(first_us) FROM rollup WHERE series = ?1
    UNION ALL SELECT max(first_us) FROM rollup WHERE series = ?1
    UNION ALL SELECT min(first_us) FROM block INDEXED BY block_shared WHERE series = 0
    UNION ALL SELECT max(first_us) FROM block INDEXED BY block_shared WHERE series = 0
)
"""
"""Between which moments blocks and roll-ups of a series begin; none reaches over the end of a day."""


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

    def chunks(
        self, series: int, start_us: int, end_us: int, *, cancelled: Cancelled = never
    ) -> Iterator[SampleColumns]:
        """Every sample of the span, a day at a time, each ascending in time, one per time."""
        return self._by_days(series, (start_us, end_us), cancelled)

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
            found = (self._binned(one, part, width_us, cancelled) for part in self._parts(one, (start_us, end_us)))
            parts = [bins for bins in found if bins is not None]
            if parts:
                answer[one] = combine(parts, width_us) if len(parts) > 1 else parts[0]
        return answer

    def _binned(self, series: int, span: tuple[int, int], width_us: int, cancelled: Cancelled) -> BinSummaries | None:
        go_on(cancelled)
        with self._snapshot() as connection:
            if connection is None:
                return None
            view = SeriesView(connection, self._shared, series, self._connections.generation)
            return binned_view(view, span, width_us)

    def _parts(self, series: int, span: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """What there is of a span, cut at midnights into parts for one short transaction each."""
        start_us, end_us = span
        if end_us - start_us > _DAYS_AT_ONCE * DAY_US:
            start_us, end_us = self._inhabited(series, span)
        while start_us < end_us:
            until_us = min(end_us, start_us - start_us % DAY_US + _DAYS_AT_ONCE * DAY_US)
            yield start_us, until_us
            start_us = until_us

    def _inhabited(self, series: int, span: tuple[int, int]) -> tuple[int, int]:
        """The part of a span, in whole days, in which a series may have samples; empty when it has none."""
        with self._reading() as connection:
            first_us, last_us = connection.execute(_BOUNDS, (series,)).get if connection else (None, None)
        if first_us is None or last_us is None:
            return span[0], span[0]
        return max(span[0], first_us - first_us % DAY_US), min(span[1], last_us - last_us % DAY_US + DAY_US)
