"""How fast history takes samples in and gives them back, and how small it keeps them.

The file that is asked holds a hundred million samples: 25 series for 30 days and 50 for a day at 1 Hz, 1,925 for a day
at 0.2 Hz. A process of its own goes on sealing into it, 100,000 samples a second, while it is asked. Then a whole
service is started on it and asked over HTTP.
"""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Final

import apsw
import numpy as np

from factoryops.domain.bins import align_down
from factoryops.domain.retention import Keep, RetentionPlan, RetentionPolicy
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.domain.time import now_us
from factoryops.history.local.reader import LocalHistoryReader
from factoryops.history.local.store import LocalHistory
from tests.benchmarks.asking import factory_of, know, measure_requests
from tests.benchmarks.figure import Figure
from tests.benchmarks.plant import SLUG
from tests.support.installation import Installation

_S: Final = 1_000_000
_DAY_US: Final = 86_400 * _S
_TODAY_US: Final = align_down(now_us(), _DAY_US)
_DAY, _MONTH = (_TODAY_US - _DAY_US, _TODAY_US), (_TODAY_US - 30 * _DAY_US, _TODAY_US)
_SERIES: Final = 2_000
_LONG, _FAST, _DAYS = 25, 75, 30
_BUSY_SERIES: Final = 10_000
_BUSY_SEALS: Final = 60
_MADE_UP, _SEALED = "made up", "sealed"
"""Journals that are not the service's: it starts where its own begin."""


def _keys(factory: str, count: int, prefix: str = "machine") -> dict[int, SeriesKey]:
    keys = (SeriesKey(factory, f"{prefix}-{n // 8}", f"parameter-{n % 8}") for n in range(count))
    return {int(series_id(key)): key for key in keys}


def _samples(
    series: list[int], start_us: int, count: int, random: np.random.Generator, *, every_us: int = _S
) -> SampleColumns:
    """`count` samples of each series: two decimals, a few milliseconds of jitter, series after series."""
    shape = (len(series), count)
    times = start_us + np.arange(count) * every_us + random.integers(0, min(40_000, every_us) // 1_000, shape) * 1_000
    values = np.round(50 + np.cumsum(random.normal(0, 0.05, shape), axis=1) + random.normal(0, 0.3, shape), 2)
    flags = np.zeros(values.size, np.uint8)
    return SampleColumns(np.repeat(np.array(series, np.int64), count), times.ravel(), values.ravel(), flags)


def _load(store: LocalHistory, keys: dict[int, SeriesKey], random: np.random.Generator) -> Figure:
    """A hundred million samples, as an import brings them."""
    series = list(keys)
    begun, number = time.perf_counter(), 0
    for day in range(_DAYS, 0, -1):
        start_us = _TODAY_US - day * _DAY_US
        parts = [_samples(series[:_LONG], start_us, 86_400, random)]
        if day == 1:
            parts.append(_samples(series[_LONG:_FAST], start_us, 86_400, random))
            slow = series[_FAST:]
            groups = (slow[first : first + 100] for first in range(0, len(slow), 100))
            parts += [_samples(group, start_us, 17_280, random, every_us=5 * _S) for group in groups]
        for part in parts:
            number += 1
            store.append(part, keys, gaps=(), checkpoints={_MADE_UP: number})
    while store.tidy(budget_s=5) >= 48:
        pass
    rate = store.ledger().stored / (time.perf_counter() - begun)
    return Figure("history: samples imported", rate, "samples/s", "", "made up, sealed and rolled up")


def _sizes(path: Path) -> list[Figure]:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    count, samples = connection.execute("SELECT sum(count), sum(length(data)) FROM block").get
    rolled = connection.execute("SELECT sum(length(hours) + length(minutes)) FROM rollup").get
    connection.close()
    return [
        Figure("history: size on disk", path.stat().st_size / count, "B/sample", "at most 3", "roll-ups included"),
        Figure("history: samples alone", samples / count, "B/sample", "", "two-decimal data, 40 ms jitter"),
        Figure("history: roll-ups alone", rolled / count, "B/sample"),
    ]


def _go_on_sealing(path: str, factory: str, is_going: Event, stop: Event) -> None:
    """100,000 samples/s of 2,000 series, sealed as the historian does, from today's midnight on."""
    keys, random = _keys(factory, _SERIES), np.random.default_rng(2)
    with closing(LocalHistory(Path(path))) as store:
        turn = 0
        while not stop.is_set():
            begun = time.monotonic()
            samples = _samples(list(keys), _TODAY_US + turn * 2 * _S, 100, random, every_us=20_000)
            store.append(samples, keys, gaps=(), checkpoints={_SEALED: turn + 1})
            store.tidy(budget_s=0.25)
            turn += 1
            is_going.set()
            stop.wait(max(0.0, 2.0 - (time.monotonic() - begun)))


@contextmanager
def _while_sealing(path: Path, factory: str) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    is_going, stop = context.Event(), context.Event()
    process = context.Process(target=_go_on_sealing, args=(str(path), factory, is_going, stop))
    process.start()
    is_going.wait(60)
    try:
        yield
    finally:
        stop.set()
        process.join()


def _median_ms(work: Callable[[], object], *, times: int = 15) -> float:
    work()
    spent: list[float] = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        spent.append((time.perf_counter() - begun) * 1_000)
    return statistics.median(spent)


def _query_figures(reader: LocalHistoryReader, keys: dict[int, SeriesKey]) -> list[Figure]:
    series, day, month = list(keys), _DAY, _MONTH
    now = (_TODAY_US - _DAY_US + 120 * _S, _TODAY_US + 120 * _S)
    note = "while 100,000 samples/s are sealed"
    return [
        Figure(
            "history: 24 h of one series as 720 bins",
            _median_ms(lambda: reader.binned(series[:1], *day, 120 * _S)), "ms", "under 10", note,
        ),
        Figure(
            "history: 24 h up to the newest seals, as 720 bins",
            _median_ms(lambda: reader.binned(series[:1], *now, 120 * _S)), "ms", "under 10", note,
        ),
        Figure(
            "history: 30 days of one series as 720 bins",
            _median_ms(lambda: reader.binned(series[:1], *month, 3_600 * _S)), "ms", "under 10", note,
        ),
        Figure(
            "history: 24 h of 50 series as 720 bins each",
            _median_ms(lambda: reader.binned(series[:50], *day, 120 * _S), times=5), "ms", "under 200", note,
        ),
        Figure(
            "history: 24 h of one series raw (86,400)",
            _median_ms(lambda: reader.raw(series[0], *day, most=10**6)), "ms",
        ),
        Figure("history: latest of 2,000 series", _median_ms(lambda: reader.latest(series)), "ms", "under 5", note),
    ]  # fmt: skip


def _retention(store: LocalHistory, factory: str) -> Figure:
    """The oldest day of 25 series at 1 Hz: 2,160,000 samples become minutes and hours."""
    plan = RetentionPlan({factory: [RetentionPolicy("all", Keep(raw_days=_DAYS - 1))]})
    begun, worked = time.perf_counter(), time.process_time()
    while not store.retain(plan, budget_s=0.1):
        pass
    spent_ms, worked_ms = ((time.perf_counter() - begun) * 1_000, (time.process_time() - worked) * 1_000)
    note = f"{store.ledger().expired:,} samples in short transactions; {worked_ms:.0f} ms of processor time"
    return Figure("history: one day's retention", spent_ms, "ms", "under 100", note)


def _busy_seals() -> Figure:
    """10,000 series at 60 Hz: how much of a core sealing and compaction take."""
    keys, random = _keys("f" * 32, _BUSY_SERIES, "busy"), np.random.default_rng(3)
    spent_s, stored = 0.0, 0
    with tempfile.TemporaryDirectory() as folder, closing(LocalHistory(Path(folder) / "history.db")) as store:
        for turn in range(_BUSY_SEALS):
            samples = _samples(list(keys), _TODAY_US + turn * 333_000, 20, random, every_us=16_650)
            arrived = samples.take(np.argsort(samples.time_us // 100_000, kind="stable"))
            begun = time.process_time()
            store.append(arrived, keys, gaps=(), checkpoints={"journal": turn + 1})
            store.tidy(budget_s=0.25)
            spent_s += time.process_time() - begun
            stored += len(samples)
        begun = time.process_time()
        while store.tidy(budget_s=5) >= 48:
            pass
        spent_s += time.process_time() - begun
    share = spent_s / stored * 600_000
    return Figure(
        "history: share of a core for 600,000 samples/s",
        share,
        "cores",
        "about 0.5",
        "10,000 series, sealed and compacted",
    )


def measure() -> list[Figure]:
    """Everything about history."""
    with tempfile.TemporaryDirectory() as folder:
        made = Installation(Path(folder) / "plant")
        made.add_factory(SLUG)
        factory, path = factory_of(made), made.data.history
        keys = _keys(factory, _SERIES)
        with closing(LocalHistory(path)) as store:
            figures = [_load(store, keys, np.random.default_rng(1))]
        figures += _sizes(path)
        with closing(LocalHistoryReader(path)) as reader, _while_sealing(path, factory):
            figures += _query_figures(reader, keys)
        figures += _over_http(made, keys)
        with closing(LocalHistory(path)) as store:
            figures.append(_retention(store, factory))
    return [*figures, _busy_seals()]


def _over_http(made: Installation, keys: dict[int, SeriesKey]) -> list[Figure]:
    know(made, keys)
    try:
        return measure_requests(made, list(keys.values()), _DAY, _MONTH)
    finally:
        made.kill()
