"""Conditions over recorded columns: where steps are cut, and what is tried together, makes no difference."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factoryops.domain.alarms import AlarmEventKind, Priority
from factoryops.domain.conditions.tree import (
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Condition,
    Constant,
    Deviation,
    Frozen,
    Held,
    NoData,
    Not,
    Outside,
    Parameter,
)
from factoryops.domain.identity import FactoryId, RuleId
from factoryops.domain.rule import Rule, RuleDefinition, RuleInForce
from factoryops.domain.rule_variants import variants
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.domain.schedules import Schedule, WeeklyWindow
from factoryops.rules.back_test import recorded
from factoryops.rules.back_test.material import DeviceResult, Event, Material
from factoryops.rules.back_test.shown import Shown
from factoryops.rules.back_test.trying import try_rule
from factoryops.rules.conditions.explanation import Explanation
from tests.support.history_model import FACTORY, START_US

S = 1_000_000
_HIGH = Compare(Parameter("x"), Comparison.ABOVE, Constant(4.0), deadband=1.0)
_LOW = Compare(Parameter("y"), Comparison.BELOW, Constant(3.0), maximum_age_s=20.0)
_CONDITIONS: list[Condition] = [
    AllOf((_HIGH, _LOW)),
    AnyOf((Held(_HIGH, 4.0), Not(_LOW))),
    Frozen(Parameter("x"), 6.0),
    Frozen(Parameter("x"), 6.0, tolerance=1.0),
    NoData(5.0),
    Deviation(Parameter("x"), 1.0, 10.0),
    Compare(Parameter("x"), Comparison.ABOVE, Parameter("y", "other")),
]
Rows = list[tuple[str, str, int, float]]
"""Device, parameter, second and value."""


def _definition(condition: Condition, **fields: object) -> RuleDefinition:
    return RuleDefinition("Tried", condition, Priority.LOW, **fields)  # type: ignore[arg-type]  # fields by name


def _material(rows: Rows, span_s: int) -> Material:
    columns: dict[int, list[tuple[int, int, float]]] = {}
    series: dict[str, dict[SeriesKey, None]] = {}
    for device, parameter, at_s, value in rows:
        key = SeriesKey(FACTORY, device, parameter)
        series.setdefault(device, {})[key] = None
        identity = int(series_id(key))
        columns.setdefault(identity, []).append((identity, START_US + at_s * S, value))

    def chunks(series: int, start_us: int, end_us: int) -> Iterable[SampleColumns]:
        found = SampleColumns.of(sorted(columns.get(series, []), key=lambda row: row[1])).sorted_unique()
        yield from [found.take((found.time_us >= start_us) & (found.time_us < end_us))]

    return Material(
        factory=FACTORY,
        span=(START_US, START_US + span_s * S),
        chunks=chunks,
        newest=lambda series, start_us, end_us: SampleColumns.empty(),
        gaps=((START_US + 25 * S, START_US + 30 * S), (START_US + 60 * S, START_US + 72 * S)),
        series={device: [*keys] for device, keys in series.items()},
    )


def _tried(
    rows: Rows,
    definition: RuleDefinition,
    swept: list[RuleDefinition] | None = None,
    devices: tuple[str, ...] = ("own",),
    most_shown: int = 5_000,
) -> list[DeviceResult]:
    rule = Rule(RuleId("a" * 32), FactoryId(FACTORY), 1, definition)
    in_force = RuleInForce(rule, frozenset(devices), "Europe/Berlin")
    return try_rule(in_force, swept or [], devices, _material(rows, 200), lambda _: None, most_shown=most_shown)


def _events(rows: Rows, definition: RuleDefinition) -> list[Event]:
    (result,) = _tried(rows, definition)
    return result.events[0]


_rows = st.lists(
    st.tuples(
        st.sampled_from(["own", "own", "other"]), st.sampled_from(["x", "y"]), st.integers(0, 150),
        st.integers(0, 6).map(float),
    ),
    min_size=5, max_size=120,
)  # fmt: skip


@pytest.mark.parametrize("condition", _CONDITIONS, ids=lambda one: type(one).__name__)
@given(rows=_rows, most=st.integers(1, 9), longest_s=st.integers(1, 40), is_quiet=st.booleans())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_where_steps_are_cut_makes_no_difference(
    monkeypatch: pytest.MonkeyPatch, condition: Condition, rows: Rows, most: int, longest_s: int, is_quiet: bool
) -> None:
    definition = _definition(condition, on_delay_s=2.0, off_delay_s=1.5, suppress_while=_LOW if is_quiet else None)
    with monkeypatch.context() as patched:
        patched.setattr("factoryops.rules.back_test.material.WARM_UP_US", 60 * S)
        whole = _events(rows, definition)
        patched.setattr(recorded, "_MOST", most)
        patched.setattr(recorded, "_LONGEST_STEP_US", longest_s * S)
        cut = _events(rows, definition)
    assert cut == whole


def test_a_sweep_says_of_each_combination_what_it_says_alone() -> None:
    noise = np.random.default_rng(8).integers(0, 7, 300).tolist()
    rows: Rows = [("own", "xy"[number % 2], number // 2, float(value)) for number, value in enumerate(noise)]
    definition = _definition(
        AllOf((_HIGH, _LOW)), suppress_while=Compare(Parameter("x"), Comparison.EQUAL, Constant(5))
    )
    swept = variants(definition, on_delays_s=[0, 1, 2.5], off_delays_s=[0, 3])
    (result,) = _tried(rows, definition, swept)
    alone = [_events(rows, one) for one in swept]
    told = [[event._replace(value=None, why=None) for event in events] for events in (*result.events[1:], *alone)]
    assert told[: len(swept)] == told[len(swept) :]
    assert all(told)


def test_a_limit_is_swept_within_its_schedule() -> None:
    rows: Rows = [("own", "x", second, float(second % 7)) for second in range(150)]
    definition = _definition(_HIGH, schedule=Schedule((WeeklyWindow("00:00", "00:00"),)))
    swept = variants(definition, limits=[2.0, 5.0])
    (result,) = _tried(rows, definition, swept)
    assert [len(events) for events in result.events[1:]] == [len(_events(rows, one)) for one in swept]
    assert len(result.events[1]) > 0


@pytest.mark.parametrize(
    "condition",
    [
        Compare(Parameter("x", "other"), Comparison.ABOVE, Constant(1.0)),
        Outside(Schedule((WeeklyWindow("00:00", "00:01"),))),
    ],
    ids=["another device's", "none at all"],
)
def test_a_condition_on_nothing_of_its_own_begins_with_the_first_sample_of_the_device(condition: Condition) -> None:
    rows: Rows = [("other", "x", 1, 5.0), ("own", "y", 70, 0.0)]
    assert [event.at_us for event in _events(rows, _definition(condition))] == [START_US + 70 * S]


def test_a_device_that_has_not_what_the_condition_looks_at_raises_nothing() -> None:
    assert _events([("own", "x", 1, 9.0)], _definition(AnyOf((_HIGH, _LOW)))) == []


def test_a_window_that_holds_too_much_says_so_and_the_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("factoryops.rules.conditions.quantity.MOST_HELD", 20)
    monkeypatch.setattr(recorded, "_MOST", 10)
    rows: Rows = [("own", "x", second, float(second % 3)) for second in range(150)]
    (result,) = _tried(rows, _definition(Deviation(Parameter("x"), 0.5, 60.0)))
    assert "lie within the time it looks back" in result.fault
    assert result.events[0]


def test_why_is_kept_of_the_first_events_of_all_devices() -> None:
    rows: Rows = [
        (device, "x", 10 * number + later, float(9 * (number % 2)))
        for device, later in (("own", 3), ("other", 0))
        for number in range(12)
    ]
    for condition in (_HIGH, AllOf((_HIGH,))):
        results = _tried(rows, _definition(condition), devices=("own", "other"), most_shown=5)
        events = sorted((event.at_us, event.why is not None) for one in results for event in one.events[0])
        assert [is_kept for _, is_kept in events] == [True] * 5 + [False] * (len(events) - 5)


def test_what_happens_before_the_span_is_not_shown() -> None:
    shown = Shown((10, 20), 2)
    events = [Event(AlarmEventKind.RAISED, at_us, None, True, Explanation(at_us, ())) for at_us in (5, 12)]
    shown.take(events, 0)
    assert [event.why for event in events] == [None, Explanation(12, ())]
