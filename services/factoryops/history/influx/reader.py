"""Queries of an InfluxDB server, and of the state file the historian keeps beside it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import apsw
import numpy as np
import numpy.typing as npt

from factoryops.domain.bins import BinSummaries, bin_samples
from factoryops.domain.samples import SampleColumns
from factoryops.domain.summaries import combine, take_bins
from factoryops.domain.time import US_PER_S
from factoryops.history.books import BooksReader, read_keys, read_ledger
from factoryops.history.influx.answers import Answer, Origin, parse_answer
from factoryops.history.influx.flux import newest_query, raw_query, series_query
from factoryops.history.influx.lines import EARLIEST_US, FLAGS, LATEST_US, SAMPLES, SeriesName, name_of
from factoryops.history.influx.rollups import FORMS, HOUR_US, Piece, column_names, from_answers, pieces
from factoryops.history.influx.state import read_checkpoint_of_all, read_held_back, read_unrolled
from factoryops.history.influx.tokens import ClosedBucketError
from factoryops.history.influx.transport import InfluxConfig, Transport
from factoryops.history.store import Cancelled, StoreLedger, go_on, never

logger = logging.getLogger(__name__)

_ROWS_PER_PAGE: Final = 250_000
_SERIES_PER_QUERY: Final = 50
_SERIES_TIME_US: Final = 50 * 3_600 * US_PER_S
"""So much time of all its series together is asked for at once, that an answer is some tens of megabytes at most."""
_WORTH_US: Final = 2 * HOUR_US
"""Shorter spans are read sample by sample."""

Span = tuple[int, int]


class InfluxHistoryReader(BooksReader):
    """A HistoryReader over a server and a state file, which need not exist yet; safe from several threads."""

    def __init__(self, config: InfluxConfig, state_path: Path) -> None:
        super().__init__(state_path)
        self._config = config
        self._transport = Transport(config)
        self._names: dict[int, SeriesName] = {}
        self._factories: set[str] = set()

    def checkpoint(self, journal: str) -> int:
        """The last row of `journal` that every factory's bucket contains."""
        with self._reading() as connection:
            return read_checkpoint_of_all(connection, journal) if connection else 0

    def lagging_factories(self) -> set[str]:
        """Factories whose samples are held back."""
        with self._reading() as connection:
            return {row[0] for row in connection.execute("SELECT factory FROM lagging")} if connection else set()

    def ledger(self) -> StoreLedger:
        """Running totals."""
        with self._reading() as connection:
            return _read_ledger(connection) if connection else StoreLedger(0, 0, {})

    def _named(self, series: Sequence[int]) -> dict[int, SeriesName]:
        """The names of those series that InfluxDB can name and that were ever announced."""
        unknown = [one for one in series if one not in self._names]
        with self._reading() as connection:
            if unknown and connection is not None:
                self._names |= {one: name_of(key) for one, key in read_keys(connection, unknown).items()}
        return {one: self._names[one] for one in series if one in self._names}

    def _has_bucket(self, factory: str) -> bool:
        """Whether anything was ever written for this factory: a bucket that is gone must not look like an empty one."""
        if factory not in self._factories:
            with self._reading() as connection:
                known = "SELECT 1 FROM bucket WHERE factory = ?"
                if connection and connection.execute(known, (factory,)).fetchone():
                    self._factories.add(factory)
        return factory in self._factories

    def _places(self, series: Sequence[int]) -> dict[str, dict[SeriesName, int]]:
        """The series that can have samples."""
        found: dict[str, dict[SeriesName, int]] = {}
        for one, name in self._named(series).items():
            if self._has_bucket(name.factory):
                found.setdefault(name.factory, {})[name] = one
        return found

    def newest(self, series: Sequence[int], start_us: int, end_us: int) -> SampleColumns:
        """The newest sample within the span of each of `series` that has one, in no particular order."""
        span = _within_reach(start_us, end_us)
        found: list[SampleColumns] = []
        if span is None:
            return SampleColumns.empty()
        for factory, names in self._places(series).items():
            for part in _parts(list(names), _SERIES_PER_QUERY):
                query = newest_query(self._config.bucket(factory), part, span)
                answers = parse_answer(self._transport.query(factory, query))
                found += [samples_of(names[name], answers, name) for name in part]
        return SampleColumns.joined([one for one in found if len(one)])

    def raw(self, series: int, start_us: int, end_us: int, *, most: int, cancelled: Cancelled = never) -> SampleColumns:
        """The first `most` samples of the span, ascending in time, one per time."""
        go_on(cancelled)
        return SampleColumns.joined(list(self._pages(series, (start_us, end_us), most, cancelled)))

    def chunks(
        self, series: int, start_us: int, end_us: int, *, cancelled: Cancelled = never
    ) -> Iterator[SampleColumns]:
        """Every sample of the span, a page at a time, each ascending in time, one per time."""
        return self._pages(series, (start_us, end_us), 1 << 62, cancelled)

    def _pages(self, series: int, asked: Span, most: int, cancelled: Cancelled) -> Iterator[SampleColumns]:
        """The first `most` samples of a span, page by page; none of them is empty."""
        span = _within_reach(*asked)
        name = self._named([series]).get(series)
        while name is not None and span is not None and most > 0 and self._has_bucket(name.factory):
            go_on(cancelled)
            rows = min(most, _ROWS_PER_PAGE)
            query = raw_query(self._config.bucket(name.factory), name, span, most=rows)
            page = samples_of(series, parse_answer(self._transport.query(name.factory, query)))
            if len(page):
                yield page
            if len(page) < rows:
                return
            most -= len(page)
            span = int(page.time_us[-1]) + 1, span[1]

    def binned(
        self, series: Sequence[int], start_us: int, end_us: int, width_us: int, *, cancelled: Cancelled = never
    ) -> dict[int, BinSummaries]:
        """Summaries per bin of each series that has samples in the span; bins are aligned to absolute time."""
        answer: dict[int, BinSummaries] = {}
        for one in series:
            parts = [
                part
                for piece in self._pieces(one, (start_us, end_us), width_us)
                if (part := self._rows(one, piece, width_us, cancelled)) is not None
            ]
            if parts:
                answer[one] = combine(parts, width_us)
        return answer

    def _pieces(self, series: int, span: Span, width_us: int) -> list[Piece]:
        row_us = next((row_us for row_us in sorted(FORMS, reverse=True) if width_us % row_us == 0), 0)
        with self._reading() as connection:
            if connection is None or not row_us or span[1] - span[0] < _WORTH_US:
                return [Piece(span, 0)]
            trusted_us, unrolled = read_unrolled(connection, series, (span[0] - HOUR_US, span[1]))
        return pieces(span, row_us, trusted_us, unrolled)

    def _rows(self, series: int, piece: Piece, width_us: int, cancelled: Cancelled) -> BinSummaries | None:
        """A part of a series' bins, from rows or from samples."""
        go_on(cancelled)
        if piece.row_us:
            try:
                return self._kept_rows(series, piece)
            except ClosedBucketError as error:
                logger.warning("Samples are read instead of roll-ups: %s", error)
        samples = self.raw(series, *piece.span, most=1 << 62, cancelled=cancelled)
        samples = samples.take(~np.isin(samples.time_us // HOUR_US * HOUR_US, piece.without))
        return bin_samples(samples.time_us, samples.value, width_us, samples.flags) if len(samples) else None

    def _kept_rows(self, series: int, piece: Piece) -> BinSummaries | None:
        name, span = self._named([series]).get(series), _within_reach(*piece.span)
        if name is None or span is None or not self._has_bucket(name.factory):
            return None
        form = FORMS[piece.row_us]
        query = series_query(self._config.bucket(name.factory, form), column_names(name), span, [form])
        rows = from_answers(parse_answer(self._transport.query(name.factory, query)), name, piece.row_us)
        if rows is None:
            return None
        is_wanted = ~np.isin(rows.start_us // HOUR_US * HOUR_US, piece.without)
        return take_bins(rows, is_wanted) if is_wanted.any() else None

    def _stored_times(
        self, factory: str, names: Sequence[SeriesName], span: Span
    ) -> Iterator[tuple[SeriesName, npt.NDArray[np.int64]]]:
        """The times at which these series have samples in the span."""
        if self._has_bucket(factory):
            at_once = max(1, min(_SERIES_PER_QUERY, _SERIES_TIME_US // (span[1] - span[0])))
            for part in _parts(names, at_once):
                query = series_query(self._config.bucket(factory), part, span, [SAMPLES])
                answers = parse_answer(self._transport.query(factory, query))
                for name in part:
                    yield name, answers.get(Origin(SAMPLES, name.device, name.field), Answer.empty()).time_us

    def close(self) -> None:
        """Let go of connections and the file."""
        super().close()
        self._transport.close()


def _read_ledger(connection: apsw.Connection) -> StoreLedger:
    with connection:  # one moment of both
        totals, held_back = read_ledger(connection), read_held_back(connection)
    return StoreLedger(totals.stored, totals.replaced, totals.refused, held_back)


def _within_reach(start_us: int, end_us: int) -> Span | None:
    """The part of a span that InfluxDB can name; None when it is empty."""
    span = max(start_us, EARLIEST_US), min(end_us, LATEST_US + 1)
    return span if span[0] < span[1] else None


def _parts(names: Sequence[SeriesName], at_once: int) -> Iterator[Sequence[SeriesName]]:
    return (names[first : first + at_once] for first in range(0, len(names), at_once))


def samples_of(series: int, answers: dict[Origin, Answer], name: SeriesName | None = None) -> SampleColumns:
    """The samples of one series in an answer; `name` says which where there are several."""
    device, field = (name.device, name.field) if name else ("", "")
    samples, flagged = (answers.get(Origin(result, device, field), Answer.empty()) for result in (SAMPLES, FLAGS))
    flags = np.zeros(len(samples.time_us), np.uint8)
    place = np.searchsorted(samples.time_us, flagged.time_us)
    is_there = place < len(flags)
    is_there[is_there] = samples.time_us[place[is_there]] == flagged.time_us[is_there]
    flags[place[is_there]] = flagged.value.astype(np.uint8)[is_there]
    return SampleColumns(np.full(len(flags), series, np.int64), samples.time_us, samples.value, flags)
