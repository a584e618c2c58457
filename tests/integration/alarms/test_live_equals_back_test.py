"""A back-test says exactly what the engine said live, whatever came late, out of order, or from a wrong clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import (
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Condition,
    Constant,
    Count,
    Deviation,
    Expression,
    Frozen,
    Held,
    NoData,
    Not,
    Parameter,
    Rate,
    Window,
    WindowFunction,
)
from factoryops.domain.identity import FactoryId, RuleId
from factoryops.domain.rule import Rule, RuleDefinition, RuleInForce
from factoryops.history.influx.store import InfluxHistory
from factoryops.history.store import HistoryStore
from tests.support.history_model import FACTORY, START_US
from tests.support.influx_server import InfluxServer, influx_server
from tests.support.recorded_plant import Machine, RecordedPlant, S, Seen, from_history, live

_SINCE_US = START_US + 120 * S
"""Rules begin before it, and so do gaps."""
_PRESSURE = Parameter("pressure")
_HIGH = Compare(_PRESSURE, Comparison.ABOVE, Constant(6.0), deadband=1.0)
_LOW_FLOW = Compare(Parameter("flow"), Comparison.AT_OR_BELOW, Constant(4.0))
_CONDITIONS: dict[str, Condition] = {
    "limit": _HIGH,
    "low limit": Compare(_PRESSURE, Comparison.BELOW, Constant(4.0), deadband=2.0),
    "both": AllOf((_HIGH, _LOW_FLOW)),
    "either, negated": AnyOf((Not(_HIGH), Held(_LOW_FLOW, 5.0))),
    "another device": Compare(_PRESSURE, Comparison.ABOVE, Parameter("pressure", "press-2")),
    "silent": NoData(8.0),
    "silent parameter": NoData(9.0, Parameter("flow")),
    "frozen": Frozen(_PRESSURE, 8.0),
    "counted": Count(_HIGH, 2, 300.0),
    "window": Window(_PRESSURE, WindowFunction.MEAN, 20.0, Comparison.ABOVE, 5.5, deadband=0.5),
    "mean of two": Window(Expression("pressure + flow"), WindowFunction.MEAN, 33.0, Comparison.ABOVE, 10.5),
    "least": Window(_PRESSURE, WindowFunction.MIN, 7.0, Comparison.ABOVE, 3.0),
    "greatest": Window(_PRESSURE, WindowFunction.MAX, 9.0, Comparison.BELOW, 8.0),
    "sum": Window(_PRESSURE, WindowFunction.SUM, 15.0, Comparison.AT_OR_ABOVE, 60.0),
    "rate": Rate(_PRESSURE, Comparison.ABOVE, 0.2, 6.0),
    "deviation": Deviation(_PRESSURE, 1.5, 40.0, deadband=0.5),
}


_SUPPRESSED: dict[str, tuple[Condition, Condition]] = {
    "a limit, while a flow is low": (_HIGH, _LOW_FLOW),
    "either, while it is high": (AnyOf((_LOW_FLOW, NoData(8.0))), _HIGH),
    "both, while another device is high": (
        AllOf((_HIGH, _LOW_FLOW)),
        Compare(Parameter("pressure", "press-2"), Comparison.ABOVE, Constant(4.0)),
    ),
    "at the same moments": (_LOW_FLOW, _LOW_FLOW),
}


def _rule(
    condition: Condition, on_delay_s: float, off_delay_s: float, suppressing: Condition | None = None
) -> RuleInForce:
    definition = RuleDefinition(
        name="Tried", condition=condition, priority=Priority.HIGH, on_delay_s=on_delay_s, off_delay_s=off_delay_s,
        suppress_while=suppressing,
    )  # fmt: skip
    rule = Rule(RuleId("a" * 32), FactoryId(FACTORY), 1, definition)
    return RuleInForce(rule, frozenset({"press-1", "press-2", "press-3"}), "Europe/Berlin")


def _machines() -> list[Machine]:
    both = ("pressure", "flow")
    return [Machine("press-1", both), Machine("press-2", both, behind_us=90 * S), Machine("press-3", ("pressure",))]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("delays", [(0.0, 0.0), (2.0, 3.5)], ids=["at once", "delayed"])
@pytest.mark.parametrize("name", _CONDITIONS)
def test_live_equals_back_test(tmp_path: Path, name: str, delays: tuple[float, float], seed: int) -> None:
    _compare(_rule(_CONDITIONS[name], *delays), seed, tmp_path / "journal.db")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", _SUPPRESSED)
def test_what_is_suppressed_by_design_live_is_suppressed_in_a_back_test(tmp_path: Path, name: str, seed: int) -> None:
    condition, suppressing = _SUPPRESSED[name]
    events = _compare(_rule(condition, 2.0, 1.0, suppressing), seed, tmp_path / "journal.db")
    kinds = {event.kind for event in events}
    assert {"raised", "suppressed", "unsuppressed"} <= kinds


@pytest.fixture(scope="module")
def influx() -> Iterator[InfluxServer]:
    with influx_server() as server:
        yield server


@pytest.mark.parametrize("name", ["limit", "another device", "silent", "window"])
def test_live_equals_back_test_over_history_in_influxdb(influx: InfluxServer, tmp_path: Path, name: str) -> None:
    journal = tmp_path / "journal.db"
    journals = {"journal": journal, "derived": tmp_path / "derived.db"}
    store = InfluxHistory(influx.fresh(), tmp_path / "state.db", journals)
    _compare(_rule(_CONDITIONS[name], 2.0, 3.5), 7, journal, store)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", ["silent", "silent parameter", "frozen", "both"])
def test_rows_that_are_missing_are_a_gap_live_as_in_a_back_test(tmp_path: Path, name: str, seed: int) -> None:
    _compare(_rule(_CONDITIONS[name], 0.0, 1.0), seed, tmp_path / "journal.db", is_damaged=True)


def _compare(
    rule: RuleInForce, seed: int, journal: Path, store: HistoryStore | None = None, *, is_damaged: bool = False
) -> list[Seen]:
    machines = _machines()
    plant = RecordedPlant(seed, machines)
    rows = list(plant.rows(300))
    keys = [machine.series(one) for machine in machines for one in machine.parameters]
    lost = [place for place in (61, 62, 140, 222) if is_damaged and not rows[place].clocks]
    expected = live(rows, keys, rule, journal, lost=lost)
    found = from_history(journal, rule, (_SINCE_US, plant.watermark_us), store)
    assert _within(found, plant) == _within(expected, plant)
    assert expected, "nothing happened: the test would prove nothing"
    return expected


def _within(events: list[Seen], plant: RecordedPlant) -> list[Seen]:
    return sorted(
        (one for one in events if _SINCE_US <= one.at_us < plant.watermark_us),
        key=lambda one: (one.device, one.at_us),
    )
