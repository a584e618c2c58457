"""What expressions come to: against a model that goes moment by moment, and however the samples are cut."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from factoryops.domain.expressions.evaluation import Inputs, evaluate
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.printer import print_expression
from factoryops.domain.expressions.track import Track
from factoryops.domain.expressions.tree import Node, Reference, references
from factoryops.domain.samples import SampleFlag
from tests.unit.domain.expressions.written import KEYS, Model, S, conditions, is_sound, numbers, samples, track_of

trees = (numbers() | conditions()).filter(is_sound)
plants = st.fixed_dictionaries(dict.fromkeys(KEYS, samples))


def _inputs(columns: Mapping[str, Mapping[int, float]], age_s: int) -> Inputs:
    return Inputs({Reference(key): track_of(column, age_s) for key, column in columns.items()}, age_s * S)


def _results(text: str, columns: Mapping[str, Mapping[int, float]], *, age_s: int = 1_000) -> dict[int, float]:
    found = Formula.of(text).evaluate(_inputs(columns, age_s), 0)
    rows = zip(found.time_us.tolist(), found.values.value.tolist(), strict=True)
    return {time_us // S: value for time_us, value in rows if not math.isnan(value)}


@settings(max_examples=150, deadline=None)
@given(trees, plants, st.integers(1, 40))
def test_columns_come_to_what_the_model_comes_to_one_moment_at_a_time(
    tree: Node, columns: dict[str, dict[int, float]], age_s: int
) -> None:
    note(f"{print_expression(tree)} of {columns}, held for {age_s} s")
    found = evaluate(tree, _inputs(columns, age_s), -(10**12))
    model = Model(columns, age_s)
    assert (found.time_us // S).tolist() == model.moments(tree)
    for time_us, value in zip(found.time_us.tolist(), found.values.value.tolist(), strict=True):
        expected = model.row(tree, time_us // S).value
        if expected is None:
            assert math.isnan(value)
        else:
            assert value == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(trees, plants, st.integers(1, 40), st.integers(0, 90))
def test_a_result_depends_on_nothing_beyond_its_reach_to_the_last_bit(
    tree: Node, columns: dict[str, dict[int, float]], age_s: int, start_s: int
) -> None:
    formula = Formula(tree, references(tree), False)
    whole = formula.evaluate(_inputs(columns, age_s), start_s * S)
    oldest_s = start_s - formula.reach_us(age_s * S) // S
    cut = {key: {at: value for at, value in column.items() if at >= oldest_s} for key, column in columns.items()}
    part = formula.evaluate(_inputs(cut, age_s), start_s * S)
    assert whole.time_us.tolist() == part.time_us.tolist()
    assert whole.values.value.tobytes() == part.values.value.tobytes()
    assert whole.values.is_uncertain.tobytes() == part.values.is_uncertain.tobytes()


def test_a_result_stands_at_each_time_an_input_has_a_sample() -> None:
    columns = {"a": {0: 1.0, 10: 2.0}, "b": {5: 10.0, 10: 20.0}}
    assert _results("a + b", columns) == {5: 11.0, 10: 22.0}


def test_an_input_that_is_too_old_gives_no_value() -> None:
    columns = {"a": {0: 1.0}, "b": {5: 10.0, 10: 20.0, 11: 30.0}}
    assert _results("a + b", columns, age_s=10) == {5: 11.0, 10: 21.0}
    assert _results("fallback(a, 0) + b", columns, age_s=10) == {5: 11.0, 10: 21.0, 11: 30.0}


def test_division_by_zero_and_roots_of_negative_values_give_no_value() -> None:
    columns = {"a": {0: 0.0, 1: 4.0, 2: -4.0}}
    assert _results("8 / a", columns) == {1: 2.0, 2: -2.0}
    assert _results("1 / (1 / a)", columns) == {1: 4.0, 2: -4.0}
    assert _results("sqrt(a)", columns) == {0: 0.0, 1: 2.0}
    assert _results("exp(a * 1000)", columns) == {0: 1.0, 2: 0.0}


def test_the_time_weighted_mean_of_the_control_room_handbook() -> None:
    columns = {"a": {0: 10.0, 50: 20.0, 60: 20.0, 120: 0.0}}
    assert _results("mean(a, 120 s)", columns)[120] == pytest.approx(15.8333, abs=1e-4)


def test_rates_look_at_their_own_input_alone() -> None:
    columns = {"counter": {0: 100.0, 10: 120.0, 20: 150.0}, "fast": dict.fromkeys(range(25), 1.0)}
    found = _results("rate(counter) * fast", columns)
    assert (found[10], found[15], found[20], found[24]) == (2.0, 2.0, 3.0, 3.0)


def test_integrals_and_totals() -> None:
    columns = {"power": {0: 10.0, 60: 20.0, 120: 0.0}}
    assert _results("integral(power, 1 h) / 3600", columns)[120] == pytest.approx((600 + 1200) / 3600)
    assert _results("total(power, 1 h)", columns)[120] == 30.0
    assert _results("count(power, 1 min)", columns)[120] == 1.0


def test_texts_are_no_input_and_uncertainty_is_passed_on() -> None:
    times = np.arange(4, dtype=np.int64) * S
    flags = np.array([0, SampleFlag.TEXT, SampleFlag.UNCERTAIN, 0], np.uint8)
    track = Track.of_samples(times, np.ones(4), flags, 60 * S)
    found = Formula.of("mean(a, 10 s) + a").evaluate(Inputs({Reference("a"): track}, 60 * S), 0)
    assert np.isnan(found.values.value).tolist() == [False, True, False, False]
    assert found.values.is_uncertain.tolist()[2:] == [True, True]
