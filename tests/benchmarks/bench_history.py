"""How fast history takes samples in and gives them back, and how small it keeps them."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np

from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.history.local.store import LocalHistory
from tests.benchmarks.figure import Figure

_START_US: Final = 1_700_006_400_000_000  # a UTC midnight
_S: Final = 1_000_000
_DAY_S: Final = 86_400
_SERIES: Final = 2_000
_FAST: Final = 50


def _keys() -> dict[int, SeriesKey]:
    keys = (SeriesKey("f" * 32, f"machine-{n // 8}", f"parameter-{n % 8}") for n in range(_SERIES))
    return {int(series_id(key)): key for key in keys}


def _samples(
    series: list[int], first_s: int, count: int, random: np.random.Generator, *, jitter_ms: int = 20
) -> SampleColumns:
    """`count` seconds of each series: two decimals, a few milliseconds of jitter, in order of time."""
    jitter = random.integers(-jitter_ms, jitter_ms + 1, (count, len(series))) * 1_000
    times = _START_US + (first_s + np.arange(count)[:, None]) * _S + jitter
    drift = np.cumsum(random.normal(0, 0.05, (count, len(series))), axis=0)
    values = np.round(50 + drift + random.normal(0, 0.3, (count, len(series))), 2)
    return SampleColumns(
        np.tile(np.array(series, np.int64), count), times.ravel(), values.ravel(), np.zeros(values.size, np.uint8)
    )


def _median_ms(work: Callable[[], object], *, times: int = 7) -> float:
    work()
    spent: list[float] = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        spent.append((time.perf_counter() - begun) * 1_000)
    return statistics.median(spent)


def _load_days(store: LocalHistory, keys: dict[int, SeriesKey], random: np.random.Generator) -> None:
    """A day at 1 Hz of the fast series, in hours."""
    fast = list(keys)[:_FAST]
    for hour in range(24):
        samples = _samples(fast, hour * 3_600, 3_600, random)
        store.append(samples, keys, gaps=(), checkpoints={"import": hour + 1})


def _seal_rate(store: LocalHistory, keys: dict[int, SeriesKey], random: np.random.Generator) -> Figure:
    """Seals of 10 s of 2,000 series at 1 Hz, compaction included."""
    seals = [_samples(list(keys), _DAY_S + n * 10, 10, random) for n in range(60)]
    begun = time.perf_counter()
    for n, samples in enumerate(seals):
        store.append(samples, keys, gaps=(), checkpoints={"journal": n + 1})
        store.tidy(budget_s=0.25)
    while store.tidy(budget_s=5) >= 48:
        pass
    rate = sum(map(len, seals)) / (time.perf_counter() - begun)
    return Figure("history: samples sealed", rate, "samples/s", "", "2,000 series, 10 s per seal, compaction included")


def _bytes_per_sample(path: Path, store: LocalHistory) -> Figure:
    size = path.stat().st_size
    ledger = store.ledger()
    return Figure(
        "history: size on disk", size / ledger.stored, "B/sample", "at most 3", "two-decimal data, 20 ms jitter, 1 Hz"
    )


def _query_figures(store: LocalHistory, keys: dict[int, SeriesKey]) -> list[Figure]:
    series = list(keys)
    day = (_START_US, _START_US + _DAY_S * _S)
    one = _median_ms(lambda: store.binned(series[:1], *day, 120 * _S))
    raw = _median_ms(lambda: store.raw(series[0], *day, most=100_000))
    many = _median_ms(lambda: store.binned(series[:_FAST], *day, 120 * _S), times=3)
    latest = _median_ms(lambda: store.latest(series))
    return [
        Figure("history: 24 h of one series at 1 Hz as 720 bins", one, "ms"),
        Figure("history: 24 h of one series raw (86,400)", raw, "ms"),
        Figure("history: 24 h of 50 series as 720 bins each", many, "ms"),
        Figure("history: latest of 2,000 series", latest, "ms"),
    ]


def measure() -> list[Figure]:
    """Everything about history."""
    random, keys = np.random.default_rng(1), _keys()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.db"
        with closing(LocalHistory(path)) as store:
            _load_days(store, keys, random)
            seal = _seal_rate(store, keys, random)
            queries = _query_figures(store, keys)
        with closing(LocalHistory(path)) as store:
            size = _bytes_per_sample(path, store)
    return [seal, size, *queries]
