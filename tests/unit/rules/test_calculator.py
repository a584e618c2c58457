"""Calculated parameters, live: the same results however the stream is cut, ordered between devices or interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factoryops.domain.calculations import Calculation, calculation_id
from factoryops.domain.expressions.evaluation import Inputs
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.track import Track
from factoryops.domain.identity import FactoryId
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id
from factoryops.rules import calculator as calculator_module
from factoryops.rules import program
from factoryops.rules.calculator import Calculator, CalculatorState

S = 1_000_000
AGE_S = 10
DEVICES = ("a", "b")


def calculation(
    parameter: str, expression: str, *, device: str = "a", factory: str = "f1", **fields: object
) -> Calculation:
    values: dict[str, object] = {
        "id": calculation_id(factory, device, parameter), "factory_id": FactoryId(factory), "version": 1,
        "device_key": device, "parameter_key": parameter, "name": parameter, "unit": "", "expression": expression,
        "maximum_age_s": AGE_S,
    }  # fmt: skip
    return Calculation(**{**values, **fields})  # type: ignore[arg-type]  # a builder with overrides by name


def series(device: str, parameter: str = "x", factory: str = "f1") -> int:
    return series_id(SeriesKey(factory, device, parameter))


def sample(device: str, at_s: float, value: float, flags: int = 0, factory: str = "f1") -> SampleColumns:
    return SampleColumns.of([(series(device, factory=factory), int(at_s * S), value)], flags=flags)


def nothing(_: SeriesKey) -> SampleColumns:
    return SampleColumns.empty()


def made(*calculations: Calculation) -> Calculator:
    calculator = Calculator()
    calculator.set(calculations, nothing)
    return calculator


def rows(found: Iterable[SampleColumns]) -> list[tuple[int, int, float, int]]:
    listed = [
        row
        for part in found
        for row in zip(
            part.series.tolist(), part.time_us.tolist(), part.value.tolist(), part.flags.tolist(), strict=True
        )
    ]
    return sorted(listed)


CALCULATIONS = (
    calculation("sum", "x + b.x"),
    calculation("change", "rate(x) + delta(b.x, 5 s)"),
    calculation("smooth", "mean(x, 7 s) - min(b.x, 4 s)"),
    calculation("above", "a.sum + a.smooth > 3", device="b"),
)


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[tuple[str, int, float]], list[int]]:
    """Samples of two devices, each in order of its own time, and where the journal's seconds end."""
    stream: list[tuple[str, int, float]] = []
    for device in DEVICES:
        times = sorted(draw(st.lists(st.integers(0, 60), max_size=30)))
        stream += [(device, time, float(draw(st.integers(-5, 5)))) for time in times]
    return sorted(stream, key=lambda one: one[1]), sorted(draw(st.sets(st.integers(1, 61), max_size=20)) | {62})


def run(calculator: Calculator, stream: Sequence[tuple[str, int, float]], marks: Sequence[int]) -> list[SampleColumns]:
    """Each sample arrives before the watermark passes it."""
    found = []
    waiting = list(stream)
    for mark in marks:
        while waiting and waiting[0][1] < mark:
            device, at_s, value = waiting.pop(0)
            calculator.take(sample(device, at_s, value))
        found.append(calculator.advance(mark * S))
    return found


def whole(expression: str, stream: Sequence[tuple[str, int, float]]) -> list[tuple[int, float]]:
    """The same expression over the whole history at once."""
    formula = Formula.of(expression)
    tracks = {}
    for reference in formula.references:
        device = reference.device or "a"
        column = SampleColumns.joined([sample(*one) for one in stream if one[0] == device]).sorted_unique()
        tracks[reference] = Track.of_samples(column.time_us, column.value, column.flags, AGE_S * S)
    found = formula.evaluate(Inputs(tracks, AGE_S * S), 0)
    known = found.values.is_known
    return list(zip(found.time_us[known].tolist(), found.values.value[known].tolist(), strict=True))


@settings(deadline=None)
@given(streams())
def test_live_results_are_those_of_the_whole_history_to_the_last_bit(
    given_stream: tuple[list[tuple[str, int, float]], list[int]],
) -> None:
    stream, marks = given_stream
    found = rows(run(made(*CALCULATIONS), stream, marks))
    for one in CALCULATIONS[:3]:
        live = [(time_us, value) for identity, time_us, value, _ in found if identity == one.series]
        assert live == whole(one.expression, stream)


@settings(deadline=None)
@given(streams(), streams(), st.sets(st.integers(0, 25)), st.integers(1, 5))
def test_neither_cuts_nor_restarts_nor_the_order_of_devices_change_a_result(
    given_stream: tuple[list[tuple[str, int, float]], list[int]],
    other: tuple[list[tuple[str, int, float]], list[int]],
    restarts: set[int],
    most_in_a_step: int,
) -> None:
    stream, marks = given_stream
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calculator_module, "MOST_IN_A_STEP", most_in_a_step)
        expected = rows(run(made(*CALCULATIONS), stream, marks))
    calculator = made(*CALCULATIONS)
    found: list[SampleColumns] = []
    waiting = sorted(stream, key=lambda one: (one[0], one[1]))
    for step, mark in enumerate(sorted({*other[1]})):
        for one in [one for one in waiting if one[1] < mark]:
            calculator.take(sample(*one))
        waiting = [one for one in waiting if one[1] >= mark]
        if step in restarts:
            told = msgspec.msgpack.encode(calculator.state)
            calculator = Calculator.restored(msgspec.msgpack.decode(told, type=CalculatorState))
        found.append(calculator.advance(mark * S))
    assert rows(found) == expected


def test_results_are_marked_as_calculated() -> None:
    calculator = made(calculation("over", "x > 2"), calculation("twice", "x * 2"))
    calculator.take(sample("a", 1, 3.0))
    calculator.take(sample("a", 2, 4.0, SampleFlag.UNCERTAIN))
    found = rows([calculator.advance(5 * S)])
    calculated, uncertain = int(SampleFlag.CALCULATED), int(SampleFlag.CALCULATED | SampleFlag.UNCERTAIN)
    boolean = int(SampleFlag.BOOLEAN)
    assert sorted((time // S, value, flags) for _, time, value, flags in found) == [
        (1, 1.0, calculated | boolean),
        (1, 6.0, calculated),
        (2, 1.0, uncertain | boolean),
        (2, 8.0, uncertain),
    ]


def test_late_and_imported_samples_are_no_inputs() -> None:
    calculator = made(calculation("twice", "x * 2"))
    calculator.take(sample("a", 1, 3.0, SampleFlag.LATE))
    calculator.take(sample("a", 2, 3.0, SampleFlag.IMPORTED))
    assert rows([calculator.advance(5 * S)]) == []


def test_a_new_calculation_begins_with_the_newest_values() -> None:
    calculator = Calculator()
    calculator.advance(100 * S)
    calculator.set([calculation("sum", "x + b.x")], lambda key: sample(key.device, 98, 1.0))
    assert rows([calculator.advance(101 * S)]) == []
    calculator.take(sample("a", 102, 5.0))
    assert [row[1:3] for row in rows([calculator.advance(103 * S)])] == [(102 * S, 6.0)]


def test_one_bad_expression_stops_alone() -> None:
    calculator = made(
        calculation("bad", "x +"),
        calculation("one", "two + x"),
        calculation("two", "one + x"),
        calculation("good", "x * 2"),
    )
    calculator.take(sample("a", 1, 3.0))
    assert [row[2] for row in rows([calculator.advance(2 * S)])] == [6.0]
    faults = {identity: fault for (identity, _), fault in calculator.faults.items()}
    assert set(faults) == {calculation(name, "x").id for name in ("bad", "one", "two")}
    assert "ends too early" in faults[calculation("bad", "x").id]
    assert "calculated from itself" in faults[calculation("one", "x").id]


def test_an_expression_that_needs_too_many_samples_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "MOST_HELD", 20)
    calculator = made(calculation("wide", "mean(x, 1 h)"), calculation("good", "x * 2"))
    for at_s in range(40):
        calculator.take(sample("a", at_s, 1.0))
        calculator.advance((at_s + 1) * S)
    (fault,) = calculator.faults.values()
    assert "x has more than 20 samples" in fault
    assert calculator.results == 40 + 20


def test_hours_of_samples_that_come_with_one_watermark_stop_nothing() -> None:
    """After an outage of ours the watermark waits until the backlog has drained, and then moves over all of it."""
    calculator = made(calculation("twice", "x * 2"), calculation("smooth", "mean(twice, 5 min)"))
    count = 6 * 3_600
    times = np.arange(count, dtype=np.int64) * S
    backlog = SampleColumns(np.full(count, series("a"), np.int64), times, np.ones(count), np.zeros(count, np.uint8))
    calculator.take(backlog)
    assert len(calculator.advance(count * S)) == 2 * count
    assert not calculator.faults


def test_no_factory_pays_for_what_another_ones_calculations_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calculator_module, "MOST_HELD_TOGETHER", 500)
    greedy = [calculation(f"greedy-{number}", "x + b.x", maximum_age_s=200) for number in range(2)]
    modest = calculation("modest", "mean(x, 1 min)", factory="f2", maximum_age_s=300)
    calculator = made(*greedy, modest)
    for at_s in range(300):
        for device in DEVICES:
            calculator.take(sample(device, at_s, 1.0))
            calculator.take(sample(device, at_s + 0.5, 1.0))
        calculator.take(sample("a", at_s, 1.0, factory="f2"))
        calculator.advance((at_s + 1) * S)
    assert calculator.faults
    assert {identity for identity, _ in calculator.faults} <= {one.id for one in greedy}


def test_a_device_that_sends_the_parameter_itself_stops_its_calculation_alone() -> None:
    calculator = made(calculation("own", "x * 2"), calculation("next", "own + 1"), calculation("other", "x"))
    calculator.take(sample("a", 1, 3.0))
    assert len(rows([calculator.advance(2 * S)])) == 3
    calculator.take(SampleColumns.of([(series("a", "own"), 3 * S, 100.0)]))
    calculator.take(sample("a", 3, 4.0))
    found = {identity: value for identity, _, value, _ in rows([calculator.advance(4 * S)])}
    assert found == {series("a", "next"): 101.0, series("a", "other"): 4.0}
    (fault,) = calculator.faults.values()
    assert "sends a parameter of this key itself" in fault
    assert Calculator.restored(calculator.state).faults == calculator.faults


def test_a_slow_expression_is_stopped_after_five_slow_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "SLOW_S", -1.0)
    calculator = made(calculation("slow", "x * 2"))
    for at_s in range(10):
        calculator.take(sample("a", at_s, 1.0))
        calculator.advance((at_s + 1) * S)
    (fault,) = calculator.faults.values()
    assert "5 times in a row" in fault
    assert calculator.results == 4
    restored = Calculator.restored(calculator.state)
    assert restored.faults == calculator.faults


HOSTILE = (
    "(((((((",
    "1 / 0 * x",
    "sqrt(-x - 1)",
    "exp(exp(exp(x)))",
    "x ^ x ^ x ^ x",
    "log(0 * x)",
    "mean(mean(mean(mean(x, 24 h), 24 h), 24 h), 24 h)",
    "unknown.parameter + 1",
    "x / (x - x)",
    "max(x, 24 h) - min(x, 24 h) + rate(delta(rate(x)))",
)


def test_among_a_hundred_calculations_ten_hostile_ones_harm_no_other() -> None:
    hostile = [calculation(f"hostile-{number}", text) for number, text in enumerate(HOSTILE)]
    good = [calculation(f"good-{number}", f"x * {number}") for number in range(90)]
    calculator = made(*hostile, *good)
    found: list[SampleColumns] = []
    for at_s in range(1_000):
        calculator.take(sample("a", at_s, float(at_s % 7)))
        if at_s % 20 == 19:
            found.append(calculator.advance((at_s + 1) * S))
    values = {(identity, time_us // S): value for identity, time_us, value, _ in rows(found)}
    for number, one in enumerate(good):
        assert [values[one.series, at_s] for at_s in range(1_000)] == [at_s % 7 * number for at_s in range(1_000)]
    assert set(calculator.faults) <= {(one.id, 1) for one in hostile}
    assert all(np.isfinite(part.value).all() for part in found)


def test_when_all_together_are_too_slow_the_dearest_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "MOST_FAILURES", 1_000_000)
    dear = calculation("dear", "mean(x, 1 h) + min(x, 1 h) + max(x, 1 h) + integral(x, 1 h) + total(x, 1 h)")
    calculator = made(*(calculation(f"cheap-{number}", "x") for number in range(10)), dear)
    for at_s in range(2_000):
        calculator.take(sample("a", at_s, 1.0))
    calculator.advance(2_000 * S)
    assert not calculator.faults
    monkeypatch.setattr(calculator_module, "MOST_TOGETHER_S", 0.0)
    for at_s in range(2_000, 2_005):
        calculator.take(sample("a", at_s, 1.0))
        calculator.advance((at_s + 1) * S)
    assert [identity for identity, _ in calculator.faults] == [dear.id]
    assert "this one takes most" in calculator.faults[dear.id, 1]


def test_when_too_much_is_held_the_one_that_looks_back_furthest_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calculator_module, "MOST_HELD_TOGETHER", 100)
    wide, near = calculation("wide", "mean(x, 1 h)"), calculation("near", "x * 2")
    calculator = made(wide, near)
    for at_s in range(300):
        calculator.take(sample("a", at_s, 1.0))
        calculator.advance((at_s + 1) * S)
    assert [identity for identity, _ in calculator.faults] == [wide.id]
    assert "looks back furthest" in calculator.faults[wide.id, 1]
    assert len(np.frombuffer(calculator.state.time_us, np.int64)) <= 100


def test_what_is_out_of_reach_is_let_go() -> None:
    calculator = made(calculation("twice", "x * 2"))
    for at_s in range(1_000):
        calculator.take(sample("a", at_s, 1.0))
        calculator.advance((at_s + 1) * S)
    assert len(np.frombuffer(calculator.state.time_us, np.int64)) < 3 * AGE_S
