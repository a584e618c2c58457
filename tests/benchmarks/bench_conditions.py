"""What the alarm engine costs with ten thousand rules, many of them more than one limit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import numpy as np

from factoryops.alarms.engine import AlarmEngine
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import (
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Condition,
    Constant,
    Deviation,
    Held,
    NoData,
    Not,
    Parameter,
)
from factoryops.domain.identity import FactoryId, RuleId
from factoryops.domain.rule import Rule, RuleDefinition, RuleInForce, RuleScope
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.journal.records import Batch, Entry, MessageLedger
from tests.benchmarks.figure import Figure

_DEVICES: Final = 1_250
_METRICS: Final = 8
_MESSAGES_PER_S: Final = 10_000
_ROWS_PER_S: Final = 20
_COMPOUND: Final = 1_000
_WINDOWS: Final = 100
_LIMITS: Final = 10_000 - _COMPOUND - _WINDOWS - 1
_WARM_UP_S: Final = 15
_SECONDS: Final = 20
_S: Final = 1_000_000


def measure() -> list[Figure]:
    """The engine's share of a core at 10,000 messages/s, and what a snapshot of its state costs."""
    note = f"{_DEVICES:,} devices, {_MESSAGES_PER_S:,} messages/s of {_METRICS} values, 0.1 % outside, processor time"
    shares = {name: _share(rules) for name, rules in _MIXES.items()}
    figures = [Figure(f"engine, {name}", share * 100, "% of a core", "", note) for name, (share, _) in shares.items()]
    mixed, blob = shares[_MIXED]
    figures[-1] = Figure(f"engine, {_MIXED}", mixed * 100, "% of a core", "under 60", note)
    return [*figures, Figure("saved state of the engine with them", len(blob) / 1e6, "MB", "", "compressed")]


def _share(rules: list[RuleInForce]) -> tuple[float, bytes]:
    keys = [SeriesKey("f", f"device-{one}", f"metric-{two}") for one in range(_DEVICES) for two in range(_METRICS)]
    names = {int(series_id(key)): key for key in keys}
    engine = AlarmEngine()
    engine.set_rules(rules)
    began = 0.0
    for number, batch in enumerate(_rows(np.array([*names], np.int64))):
        if number == _WARM_UP_S * _ROWS_PER_S:
            began = time.process_time()
        engine.feed(batch, names)
    share = (time.process_time() - began) / _SECONDS
    return share, engine.dump()


def _rows(series: np.ndarray) -> Iterator[Batch]:
    """Rows of 500 messages, each of all metrics of one device; a watermark each second, two behind."""
    chance = np.random.default_rng(1)
    by_device = series.reshape(_DEVICES, _METRICS)
    per_row = _MESSAGES_PER_S // _ROWS_PER_S
    empty = MessageLedger()
    for number in range((_WARM_UP_S + _SECONDS) * _ROWS_PER_S):
        now_us = 1_772_000_000 * _S + number * _S // _ROWS_PER_S
        devices = np.arange(number * per_row, (number + 1) * per_row) % _DEVICES
        value = chance.uniform(20.0, 80.0, per_row * _METRICS)
        value[chance.random(len(value)) < 0.001] = 120.0
        time_us = np.repeat(now_us + np.arange(per_row) * 50, _METRICS)
        samples = SampleColumns(by_device[devices].ravel(), time_us, value, np.zeros(len(value), np.uint8))
        watermark_us = now_us - 2 * _S if number % _ROWS_PER_S == 0 else 0
        yield Batch(number + 1, Entry(now_us + _S, empty, samples, watermark_us=watermark_us))


def _rule(number: int, condition: Condition, device: int | None, on_delay_s: float = 0.0) -> RuleInForce:
    scope = RuleScope() if device is None else RuleScope((f"device-{device}",))
    definition = RuleDefinition("Rule", condition, Priority.HIGH, scope, on_delay_s=on_delay_s)
    rule = Rule(RuleId(f"rule-{number:05}"), FactoryId("f"), 1, definition)
    return RuleInForce(rule, frozenset(scope.devices) or None, "UTC")


def _high(metric: int, limit: float) -> Compare:
    return Compare(Parameter(f"metric-{metric}"), Comparison.ABOVE, Constant(limit), 1.0)


def _compound(number: int) -> Condition:
    one, two, three = (_high((number + step) % _METRICS, 90.0 + number % 5) for step in range(3))
    forms = (AllOf((one, two)), AnyOf((one, AllOf((two, Not(three))))), Held(one, 30.0), AllOf((one, Held(two, 10.0))))
    return forms[number % len(forms)]


_LIMIT_RULES = [_rule(one, _high(one % _METRICS, 90.0 + one % 5), one % _DEVICES) for one in range(_LIMITS)]
_COMPOUND_RULES = [_rule(10_000 + one, _compound(one), one % _DEVICES, one % 3 * 5.0) for one in range(_COMPOUND)]
_WINDOW_RULES = [_rule(20_000 + one, Deviation(Parameter("metric-0"), 60.0, 60.0), one) for one in range(_WINDOWS)]
_OFFLINE_RULE = _rule(30_000, NoData(60.0), None)
_MIXED: Final = "10,000 rules: limits, 1,000 compound ones, 100 windows, no-data on every device"
_MIXES: Final = {
    "8,899 limits": _LIMIT_RULES,
    "8,899 limits and 1,000 compound rules": [*_LIMIT_RULES, *_COMPOUND_RULES],
    _MIXED: [*_LIMIT_RULES, *_COMPOUND_RULES, *_WINDOW_RULES, _OFFLINE_RULE],
}
