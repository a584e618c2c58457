"""Queries of an InfluxDB server, and of the state file the historian keeps beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from factoryops.domain.bins import BinnedSeries
from factoryops.domain.samples import SampleColumns
from factoryops.history.books import BooksReader, read_keys
from factoryops.history.influx.flux import Answer, binned_query, parse_answer, raw_query
from factoryops.history.influx.lines import EARLIEST_US, FLAGS, LATEST_US, SAMPLES, SeriesName, name_of
from factoryops.history.influx.transport import InfluxConfig, Transport

_SERIES_PER_QUERY: Final = 50


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

    def raw(self, series: int, start_us: int, end_us: int, *, most: int) -> SampleColumns:
        """The first `most` samples of the span, ascending in time, one per time."""
        span = _within_reach(start_us, end_us)
        name = self._named([series]).get(series)
        if name is None or span is None or not self._has_bucket(name.factory):
            return SampleColumns.empty()
        query = raw_query(self._config.bucket(name.factory), name, span, most=most)
        answers = parse_answer(self._transport.query(query))
        samples, flagged = (answers.get((result, "", ""), Answer()) for result in (SAMPLES, FLAGS))
        return _with_flags(series, samples, flagged)

    def binned(self, series: Sequence[int], start_us: int, end_us: int, width_us: int) -> dict[int, BinnedSeries]:
        """Statistics per bin of each series that has samples in the span; bins are aligned to absolute time."""
        span = _within_reach(start_us, end_us)
        if span is None:
            return {}
        by_factory: dict[str, dict[SeriesName, int]] = defaultdict(dict)
        for one, name in self._named(series).items():
            if self._has_bucket(name.factory):
                by_factory[name.factory][name] = one
        found: dict[int, BinnedSeries] = {}
        for factory, names in by_factory.items():
            for part in _parts(list(names)):
                query = binned_query(self._config.bucket(factory), part, span, width_us)
                answers = parse_answer(self._transport.query(query))
                found |= {names[name]: _bins(name, answers, width_us) for name in part if _has(name, answers)}
        return found

    def close(self) -> None:
        """Let go of connections and the file."""
        super().close()
        self._transport.close()


def _within_reach(start_us: int, end_us: int) -> tuple[int, int] | None:
    """The part of a span that InfluxDB can name; None when it is empty."""
    span = max(start_us, EARLIEST_US), min(end_us, LATEST_US + 1)
    return span if span[0] < span[1] else None


def _parts(names: list[SeriesName]) -> Iterator[list[SeriesName]]:
    return (names[first : first + _SERIES_PER_QUERY] for first in range(0, len(names), _SERIES_PER_QUERY))


def _with_flags(series: int, samples: Answer, flagged: Answer) -> SampleColumns:
    time_us = samples.time_us()
    flags = np.zeros(len(time_us), np.uint8)
    flag_time_us = flagged.time_us()
    place = np.searchsorted(time_us, flag_time_us)
    is_there = place < len(time_us)
    is_there[is_there] = time_us[place[is_there]] == flag_time_us[is_there]
    flags[place[is_there]] = flagged.value().astype(np.uint8)[is_there]
    return SampleColumns(np.full(len(time_us), series, np.int64), time_us, samples.value(), flags)


def _has(name: SeriesName, answers: Mapping[tuple[str, str, str], Answer]) -> bool:
    return ("count", name.device, name.field) in answers


def _bins(name: SeriesName, answers: Mapping[tuple[str, str, str], Answer], width_us: int) -> BinnedSeries:
    minimum, maximum, mean, count = (
        answers[function, name.device, name.field] for function in ("min", "max", "mean", "count")
    )
    start_us = count.time_us()
    return BinnedSeries(
        width_us=width_us,
        start_us=start_us - start_us % width_us,
        count=count.value().astype(np.int64),
        minimum=minimum.value(),
        maximum=maximum.value(),
        mean=mean.value(),
    )
