"""Queries of an InfluxDB server, and of the state file the historian keeps beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from factoryops.domain.bins import BinSummaries, bin_samples
from factoryops.domain.samples import SampleColumns
from factoryops.history.books import BooksReader, read_keys
from factoryops.history.influx.flux import Answer, parse_answer, raw_query
from factoryops.history.influx.lines import EARLIEST_US, FLAGS, LATEST_US, SAMPLES, SeriesName, name_of
from factoryops.history.influx.transport import InfluxConfig, Transport
from factoryops.history.store import Cancelled, go_on, never

_ALL: Final = 1 << 62


class InfluxHistoryReader(BooksReader):
    """A HistoryReader over a server and a state file, which need not exist yet; safe from several threads."""

    def __init__(self, config: InfluxConfig, state_path: Path) -> None:
        super().__init__(state_path)
        self._config = config
        self._transport = Transport(config)
        self._names: dict[int, SeriesName] = {}
        self._factories: set[str] = set()

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
            name = self._config.bucket(factory)
            with self._reading() as connection:
                if connection and connection.execute("SELECT 1 FROM bucket WHERE name = ?", (name,)).fetchone():
                    self._factories.add(factory)
        return factory in self._factories

    def newest(self, series: Sequence[int], start_us: int, end_us: int) -> SampleColumns:
        """The newest sample within the span of each of `series` that has one, in no particular order."""
        found = [self.raw(one, start_us, end_us, most=_ALL) for one in series]
        return SampleColumns.joined([samples.take(np.array([len(samples) - 1])) for samples in found if len(samples)])

    def raw(self, series: int, start_us: int, end_us: int, *, most: int, cancelled: Cancelled = never) -> SampleColumns:
        """The first `most` samples of the span, ascending in time, one per time."""
        go_on(cancelled)
        span = _within_reach(start_us, end_us)
        name = self._named([series]).get(series)
        if name is None or span is None or not self._has_bucket(name.factory):
            return SampleColumns.empty()
        query = raw_query(self._config.bucket(name.factory), name, span, most=most)
        answers = parse_answer(self._transport.query(query))
        samples, flagged = (answers.get((result, "", ""), Answer()) for result in (SAMPLES, FLAGS))
        return _with_flags(series, samples, flagged)

    def binned(
        self, series: Sequence[int], start_us: int, end_us: int, width_us: int, *, cancelled: Cancelled = never
    ) -> dict[int, BinSummaries]:
        """Summaries per bin of each series that has samples in the span; bins are aligned to absolute time."""
        answer: dict[int, BinSummaries] = {}
        for one in series:
            samples = self.raw(one, start_us, end_us, most=_ALL, cancelled=cancelled)
            if len(samples):
                answer[one] = bin_samples(samples.time_us, samples.value, width_us, samples.flags)
        return answer

    def close(self) -> None:
        """Let go of connections and the file."""
        super().close()
        self._transport.close()


def _within_reach(start_us: int, end_us: int) -> tuple[int, int] | None:
    """The part of a span that InfluxDB can name; None when it is empty."""
    span = max(start_us, EARLIEST_US), min(end_us, LATEST_US + 1)
    return span if span[0] < span[1] else None


def _with_flags(series: int, samples: Answer, flagged: Answer) -> SampleColumns:
    time_us = samples.time_us()
    flags = np.zeros(len(time_us), np.uint8)
    flag_time_us = flagged.time_us()
    place = np.searchsorted(time_us, flag_time_us)
    is_there = place < len(time_us)
    is_there[is_there] = time_us[place[is_there]] == flag_time_us[is_there]
    flags[place[is_there]] = flagged.value().astype(np.uint8)[is_there]
    return SampleColumns(np.full(len(time_us), series, np.int64), time_us, samples.value(), flags)
