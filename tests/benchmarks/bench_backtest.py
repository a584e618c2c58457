"""Back-tests of one rule at 1 Hz from a real history.db: a month, a year, and a sweep."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.limits import PlainLimit
from factoryops.domain.conditions.tree import AllOf, Comparison, Condition, Frozen, Not, Parameter
from factoryops.domain.identity import FactoryId, RuleId
from factoryops.domain.rule import Rule, RuleDefinition, RuleInForce
from factoryops.domain.rule_variants import variants
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.history.local.reader import LocalHistoryReader
from factoryops.history.local.store import LocalHistory
from factoryops.history.queries import History
from factoryops.rules.back_test.material import Material
from factoryops.rules.back_test.trying import try_rule
from tests.benchmarks.figure import Figure

FACTORY = "0" * 32
KEY = SeriesKey(FACTORY, "press", "pressure")
DAY = 86_400
S = 1_000_000
START_US = 1_700_006_400 * S
HIGH = PlainLimit("pressure", Comparison.ABOVE, 6.0, 0.2).condition


def measure() -> list[Figure]:
    """A year of history, made once; each figure is elapsed time of one run."""
    folder = Path(tempfile.mkdtemp())
    try:
        _fill(folder / "history.db", 366)
        with closing(LocalHistoryReader(folder / "history.db")) as reader:
            history = History(reader, {})
            both = AllOf((HIGH, Not(Frozen(Parameter("pressure"), 60.0))))
            limits = variants(_definition(HIGH), limits=[5.5, 5.8, 6.0, 6.2, 6.5], on_delays_s=[0, 5, 30, 120])
            return [
                _figure(history, "30 days, a limit", HIGH, 30, asked="under 1"),
                _figure(history, "12 months, a limit", HIGH, 365, asked="under 10"),
                _figure(history, "30 days, a sweep of 20", HIGH, 30, limits),
                _figure(history, "30 days, a condition of two parts", both, 30),
            ]
    finally:
        shutil.rmtree(folder)


def _fill(path: Path, days: int) -> None:
    """A slow wave with noise and two decimals, once a second."""
    series = int(series_id(KEY))
    noise = np.random.default_rng(4)
    with closing(LocalHistory(path)) as store:
        for day in range(days):
            seconds = np.arange(day * DAY, (day + 1) * DAY, dtype=np.int64)
            value = np.round(5.0 + 1.2 * np.sin(seconds / 9_000) + noise.normal(0.0, 0.05, DAY), 2)
            samples = SampleColumns(
                np.full(DAY, series, np.int64), START_US + seconds * S, value, np.zeros(DAY, np.uint8)
            )
            store.append(samples, {series: KEY}, gaps=(), checkpoints={"journal": day + 1})


def _definition(condition: Condition) -> RuleDefinition:
    return RuleDefinition(name="Pressure high", condition=condition, priority=Priority.HIGH, on_delay_s=5.0)


def _figure(
    history: History, name: str, condition: Condition, days: int, swept: Sequence[RuleDefinition] = (), asked: str = ""
) -> Figure:
    rule = RuleInForce(
        Rule(RuleId("1" * 32), FactoryId(FACTORY), 1, _definition(condition)), frozenset({"press"}), "Europe/Berlin"
    )
    material = Material(
        factory=FACTORY,
        span=(START_US + DAY * S, START_US + (days + 1) * DAY * S),
        chunks=history.chunks,
        newest=lambda series, start_us, end_us: history.newest([series], start_us, end_us),
    )
    began, worked = time.perf_counter(), time.process_time()
    (result,) = try_rule(rule, swept, ["press"], material, lambda _: None)
    took_s, spent_s = time.perf_counter() - began, time.process_time() - worked
    note = f"{result.tally.on_time:,} samples, {len(result.events[0]):,} events, {spent_s:.2f} s of processor time"
    return Figure(f"back-test, {name}", took_s, "s", asked, note)
