"""How fast rules are evaluated, and how soon an alarm is on its way."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from factoryops.database.database import Database
from factoryops.domain.calculations import Calculation, calculation_id
from factoryops.domain.identity import FactoryId
from factoryops.domain.rule import RuleInForce
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.journal.reader import JournalReader
from factoryops.rules.calculator import Calculator
from factoryops.rules.evaluator import Evaluator
from tests.benchmarks.figure import Figure
from tests.support.databases import new_site
from tests.support.engine_site import EngineSite
from tests.support.rules import limit_rule

_DEVICES = 500
_METRICS = 10
_SAMPLES_PER_ROW = 5_000
_ROWS = 60
_ALARMS = 60
_CALCULATED = 1_000
_SECONDS = 10
_WARM_UP_S = 30
_CALCULATIONS = (("arithmetic", "a * b / 36"), ("windows", "mean(a, 10 s) - min(b, 30 s)"))


def measure() -> list[Figure]:
    """Samples per second with many rules, and the time from a durable sample to its alarm on the live side."""
    figures = [_evaluation(count, share) for count in (1_000, 10_000) for share in (0.0, 0.01)]
    figures += [_calculation(name, expression) for name, expression in _CALCULATIONS]
    latencies_ms = asyncio.run(_latencies_ms())
    note = f"{_ALARMS} single samples, journal to derived journal, both on disk"
    median_ms, most_ms = statistics.median(latencies_ms), float(np.percentile(latencies_ms, 95))
    figures.append(Figure("sample durable to alarm live, median", median_ms, "ms", "under 20", note))
    figures.append(Figure("sample durable to alarm live, p95", most_ms, "ms", "", note))
    return figures


def _evaluation(rule_count: int, share: float) -> Figure:
    rates = sorted(_evaluated_per_s(rule_count, share, seed) for seed in range(3))
    name = f"evaluation, {rule_count:,} rules, {share:.0%} of samples outside the limits"
    note = f"{_DEVICES * _METRICS:,} series, rows of {_SAMPLES_PER_ROW:,}, one thread, median of 3"
    return Figure(name, rates[1], "samples/s", "", note)


def _evaluated_per_s(rule_count: int, share: float, seed: int) -> float:
    keys = [SeriesKey("f", f"device-{one}", f"metric-{two}") for one in range(_DEVICES) for two in range(_METRICS)]
    names = {int(series_id(key)): key for key in keys}
    evaluator = Evaluator()
    evaluator.set_rules(_rule(number, keys[number % len(keys)]) for number in range(rule_count))
    rows = _rows(np.array([*names], np.int64), share, seed)
    evaluator.feed(rows[0], 1, names)
    began = time.perf_counter()
    for number, row in enumerate(rows[1:], 1):
        evaluator.feed(row, number, names)
        evaluator.advance(number * 1_000_000)
    return (len(rows) - 1) * _SAMPLES_PER_ROW / (time.perf_counter() - began)


def _calculation(name: str, expression: str) -> Figure:
    """The share of one core that a thousand calculated parameters of two inputs take, each input once a second."""
    keys = [SeriesKey("f", f"device-{one}", parameter) for one in range(_CALCULATED) for parameter in ("a", "b")]
    series = np.array([series_id(key) for key in keys], np.int64)
    calculator = Calculator()
    calculator.set([_calculated(number, expression) for number in range(_CALCULATED)], lambda _: SampleColumns.empty())
    chance = np.random.default_rng(1)
    began = 0.0
    for second in range(_SECONDS + _WARM_UP_S):
        if second == _WARM_UP_S:
            began = time.process_time()
        time_us = np.full(len(series), second * 1_000_000, np.int64)
        calculator.take(SampleColumns(series, time_us, chance.random(len(series)), np.zeros(len(series), np.uint8)))
        calculator.advance((second + 1) * 1_000_000)
    share = (time.process_time() - began) / _SECONDS
    note = f"{expression}, inputs at 1 Hz, processor time"
    return Figure(f"{_CALCULATED:,} calculated parameters, {name}", share * 100, "% of a core", "", note)


def _calculated(number: int, expression: str) -> Calculation:
    device = f"device-{number}"
    identity = calculation_id("f", device, "result")
    return Calculation(identity, FactoryId("f"), 1, device, "result", "Result", "", expression)


def _rule(number: int, key: SeriesKey) -> RuleInForce:
    return limit_rule(
        f"rule-{number:05}",
        "f",
        parameter_key=key.parameter,
        limit=90.0 + number % 5,
        device_keys=[key.device],
        deadband=1.0,
    )


def _rows(series: np.ndarray, share: float, seed: int) -> list[SampleColumns]:
    chance = np.random.default_rng(seed)
    rows: list[SampleColumns] = []
    for number in range(_ROWS + 1):
        value = chance.uniform(20.0, 80.0, _SAMPLES_PER_ROW)
        value[chance.random(_SAMPLES_PER_ROW) < share] = 120.0
        order = chance.permutation(series)[:_SAMPLES_PER_ROW]
        time_us = np.full(len(order), number * 1_000_000, np.int64)
        rows.append(SampleColumns(order, time_us, value, np.zeros(len(order), np.uint8)))
    return rows


async def _latencies_ms() -> list[float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = Database.open(f"sqlite:///{folder / 'factoryops.db'}")
        database.migrate()
        plant = EngineSite(new_site(database), folder)
        plant.add_rule(limit=5.0)
        async with plant.running():
            found = await _alarms_ms(plant)
        plant.close()
        database.close()
        return found


async def _alarms_ms(plant: EngineSite) -> list[float]:
    start_s = int(time.time())
    plant.write([(start_s, 1.0)])
    while not plant.checkpoint():  # noqa: ASYNC110 - a condition in another thread's file
        await asyncio.sleep(0.01)
    found: list[float] = []
    reader = JournalReader(plant.config.derived_path, after_seq=0)
    for number in range(1, _ALARMS + 1):
        await asyncio.to_thread(plant.write, [(start_s + number, 6.0 if number % 2 else 1.0)])
        began = time.perf_counter()
        while not any(batch.entry.events for batch in reader.read()):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.0005)
        found.append((time.perf_counter() - began) * 1_000)
        await asyncio.sleep(0.02)
    reader.close()
    return found
