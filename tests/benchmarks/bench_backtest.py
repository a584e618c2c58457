"""Back-tests of one rule at 1 Hz from a real history.db: a month and a year, limits and compound conditions, sweeps."""

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
from factoryops.domain.conditions.tree import (
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Condition,
    Constant,
    Count,
    Deviation,
    Frozen,
    Held,
    Not,
    Parameter,
    Rate,
    Window,
    WindowFunction,
)
from factoryops.domain.identity import FactoryId, RuleId
from factoryops.domain.rule import Rule, RuleDefinition, RuleInForce
from factoryops.domain.rule_variants import variants
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.domain.schedules import ALWAYS, Schedule, WeeklyWindow
from factoryops.history.local.reader import LocalHistoryReader
from factoryops.history.local.store import LocalHistory
from factoryops.history.queries import History
from factoryops.rules.back_test.material import Material
from factoryops.rules.back_test.trying import try_rule
from tests.benchmarks.figure import Figure

FACTORY = "0" * 32
KEYS = (
    SeriesKey(FACTORY, "press", "pressure"),
    SeriesKey(FACTORY, "press", "flow"),
    SeriesKey(FACTORY, "pump", "pressure"),
)
DAY = 86_400
S = 1_000_000
START_US = 1_700_006_400 * S
MONTH, YEAR = 30, 365
HIGH = PlainLimit("pressure", Comparison.ABOVE, 6.0, 0.2).condition
FLOW = Compare(Parameter("flow"), Comparison.ABOVE, Constant(5.5))
PUMP = Compare(Parameter("pressure", "pump"), Comparison.ABOVE, Constant(5.5), deadband=0.2)
SHIFT = Schedule((WeeklyWindow("06:00", "14:00", (1, 2, 3, 4, 5)),))
ORDINARY: dict[str, Condition] = {
    "two limits": AllOf((HIGH, FLOW)),
    "either of two limits": AnyOf((HIGH, FLOW)),
    "a limit that held": Held(HIGH, 30.0),
    "a limit beside another device's": AllOf((HIGH, PUMP)),
    "a limit, and not frozen": AllOf((HIGH, Not(Frozen(Parameter("pressure"), 60.0)))),
}
PRESSURE = Parameter("pressure")
LOOKING_BACK: dict[str, Condition] = {
    "a mean of a minute": Window(PRESSURE, WindowFunction.MEAN, 60.0, Comparison.ABOVE, 6.0, 0.1),
    "a mean of ten minutes": Window(PRESSURE, WindowFunction.MEAN, 600.0, Comparison.ABOVE, 6.0, 0.1),
    "the least of ten minutes": Window(PRESSURE, WindowFunction.MIN, 600.0, Comparison.ABOVE, 6.0, 0.1),
    "the greatest of ten minutes": Window(PRESSURE, WindowFunction.MAX, 600.0, Comparison.BELOW, 4.0, 0.1),
    "a sum of ten minutes": Window(PRESSURE, WindowFunction.SUM, 600.0, Comparison.ABOVE, 3_600.0, 60.0),
    "a rate over a minute": Rate(PRESSURE, Comparison.ABOVE, 0.005, 60.0),
    "away from its mean of ten minutes": Deviation(PRESSURE, 0.25, 600.0),
    "away from its mean of an hour": Deviation(PRESSURE, 0.9, 3_600.0),
    "ten times within an hour": Count(HIGH, 10, 3_600.0),
    "frozen for a minute": Frozen(PRESSURE, 60.0),
}


def measure() -> list[Figure]:
    """A year of history, made once; each figure is elapsed time of one run."""
    folder = Path(tempfile.mkdtemp())
    try:
        fill(folder / "history.db", YEAR + 1)
        with closing(LocalHistoryReader(folder / "history.db")) as reader:
            return _figures(History(reader, {}))
    finally:
        shutil.rmtree(folder)


def _figures(history: History) -> list[Figure]:
    limits = variants(definition(HIGH), limits=[5.5, 5.8, 6.0, 6.2, 6.5], on_delays_s=[0, 5, 30, 120])
    delays = variants(definition(ORDINARY["two limits"]), on_delays_s=[0, 5, 30, 120], off_delays_s=[0, 5, 30, 60, 120])
    found = [
        figure(history, "30 days, a limit", definition(HIGH), MONTH, asked="under 1"),
        figure(history, "12 months, a limit", definition(HIGH), YEAR, asked="under 10"),
        figure(history, "30 days, a sweep of 20", definition(HIGH), MONTH, limits),
    ]
    for name, condition in {**ORDINARY, **LOOKING_BACK}.items():
        found += [
            figure(history, f"30 days, {name}", definition(condition), MONTH, asked="under 1"),
            figure(history, f"12 months, {name}", definition(condition), YEAR, asked="under 10"),
        ]
    found += [
        figure(history, "30 days, a limit on working days", definition(HIGH, SHIFT), MONTH, asked="under 1"),
        figure(history, "12 months, a limit on working days", definition(HIGH, SHIFT), YEAR, asked="under 10"),
        figure(history, "30 days, two limits, a sweep of 20 delays", definition(ORDINARY["two limits"]), MONTH, delays),
    ]
    return found


def fill(path: Path, days: int) -> None:
    """Slow waves with noise and two decimals, once a second."""
    noise = np.random.default_rng(4)
    with closing(LocalHistory(path)) as store:
        for day in range(days):
            seconds = np.arange(day * DAY, (day + 1) * DAY, dtype=np.int64)
            samples = SampleColumns.joined([_wave(key, seconds, noise) for key in KEYS])
            keys = {int(series_id(key)): key for key in KEYS}
            store.append(samples, keys, gaps=(), checkpoints={"journal": day + 1})


def _wave(key: SeriesKey, seconds: np.ndarray, noise: np.random.Generator) -> SampleColumns:
    period_s = 9_000 + 2_000 * KEYS.index(key)
    value = np.round(5.0 + 1.2 * np.sin(seconds / period_s) + noise.normal(0.0, 0.05, DAY), 2)
    series = np.full(DAY, int(series_id(key)), np.int64)
    return SampleColumns(series, START_US + seconds * S, value, np.zeros(DAY, np.uint8))


def definition(condition: Condition, schedule: Schedule = ALWAYS) -> RuleDefinition:
    """A rule as the benchmark tries it."""
    return RuleDefinition(
        name="Pressure high", condition=condition, priority=Priority.HIGH, on_delay_s=5.0, schedule=schedule
    )


def figure(
    history: History, name: str, rule: RuleDefinition, days: int, swept: Sequence[RuleDefinition] = (), asked: str = ""
) -> Figure:
    """One back-test, timed."""
    in_force = RuleInForce(Rule(RuleId("1" * 32), FactoryId(FACTORY), 1, rule), frozenset({"press"}), "Europe/Berlin")
    material = Material(
        factory=FACTORY,
        span=(START_US + DAY * S, START_US + (days + 1) * DAY * S),
        chunks=history.chunks,
        newest=lambda series, start_us, end_us: history.newest([series], start_us, end_us),
    )
    began, worked = time.perf_counter(), time.process_time()
    (result,) = try_rule(in_force, swept, ["press"], material, lambda _: None, most_shown=5_000)
    took_s, spent_s = time.perf_counter() - began, time.process_time() - worked
    note = f"{result.tally.on_time:,} samples, {len(result.events[0]):,} events, {spent_s:.2f} s of processor time"
    return Figure(f"back-test, {name}", took_s, "s", asked, note)
