"""What an expression came to over a span that is over: its values, held as the live engine holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factoryops.domain.expressions.evaluation import Inputs
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.over_history import Span, held_within, input_track
from factoryops.domain.expressions.tree import Reference
from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.domain.summaries import Held
from factoryops.domain.time import US_PER_S

S = US_PER_S
Rows = Mapping[int, tuple[float, int]]
"""Second -> value and flags."""


def _columns(rows: Rows, since_s: int = -(10**6)) -> SampleColumns:
    chosen = [(at, *rows[at]) for at in sorted(rows) if at >= since_s]
    return SampleColumns(
        np.ones(len(chosen), np.int64),
        np.array([at * S for at, _, _ in chosen], np.int64),
        np.array([value for _, value, _ in chosen], np.float64),
        np.array([flags for _, _, flags in chosen], np.uint8),
    )


def _held(text: str, plant: Mapping[str, Rows], span: Span, age_s: int, gaps: Sequence[Span] = ()) -> Held:
    """Times in seconds; history is read as far back as a piece of it needs."""
    formula = Formula.of(text)
    back_s = -((age_s * S + formula.reach_us(age_s * S)) // -S)
    in_us = [(start * S, end * S) for start, end in gaps]
    tracks = {
        Reference(key): input_track(_columns(rows, span[0] - back_s), age_s * S, in_us) for key, rows in plant.items()
    }
    found = formula.evaluate(Inputs(tracks, age_s * S), (span[0] - age_s) * S)
    return held_within(found, (span[0] * S, span[1] * S), age_s * S, in_us)


def _good(**values: float) -> dict[int, tuple[float, int]]:
    return {int(at[1:]): (value, 0) for at, value in values.items()}


def test_two_parameters_count_with_their_newest_values() -> None:
    plant = {"a": _good(_0=10.0, _40=20.0), "b": _good(_20=1.0)}
    held = _held("a + b", plant, (0, 100), 1_000)
    assert (held.good_us, held.minimum, held.maximum) == (80 * S, 11.0, 21.0)
    assert held.mean == pytest.approx((11 * 20 + 21 * 60) / 80)


def test_what_held_before_the_span_holds_into_it_until_it_is_too_old() -> None:
    held = _held("a * 2", {"a": _good(_0=3.0)}, (50, 100), 60)
    assert held.good_us / S == pytest.approx(10, abs=1e-5)
    assert (held.mean, held.count) == (6.0, 0)


def test_a_condition_comes_to_the_share_of_the_time_for_which_it_was_true() -> None:
    held = _held("a > b", {"a": _good(_0=1.0, _25=9.0), "b": _good(_0=5.0)}, (0, 100), 1_000)
    assert held.mean == pytest.approx(0.75)


def test_texts_and_bad_quality_are_no_values_and_late_samples_are() -> None:
    rows = {
        0: (1.0, int(SampleFlag.LATE)),
        10: (50.0, int(SampleFlag.UNCERTAIN)),
        20: (7.0, int(SampleFlag.TEXT)),
        30: (3.0, 0),
    }
    held = _held("a + 0", {"a": rows}, (0, 40), 1_000)
    assert (held.good_us, held.minimum, held.maximum, held.mean) == (20 * S, 1.0, 3.0, 2.0)


def test_nothing_holds_into_a_gap_nor_over_it_not_even_what_replaces_a_missing_value() -> None:
    plant = {"a": _good(_0=1.0, _70=3.0), "b": _good(_5=1.0)}
    for text in ("a + 0", "fallback(b / 0, 1) + a * 0"):
        held = _held(text, plant, (10, 100), 1_000, [(30, 60)])
        assert held.good_us / S == pytest.approx(20 + 30, abs=1e-5), text
    windowed = _held("mean(a, 100 s)", plant, (70, 71), 1_000, [(30, 60)])
    assert windowed.mean == pytest.approx(1.0), "only the seconds before the gap count in a window that reaches over it"


_rows = st.dictionaries(
    st.integers(-60, 150),
    st.tuples(
        st.integers(-5, 5).map(float), st.sampled_from([0, 0, 0, int(SampleFlag.LATE), int(SampleFlag.UNCERTAIN)])
    ),
    max_size=30,
)
_gaps = st.lists(st.tuples(st.integers(-50, 140), st.integers(1, 40)).map(lambda one: (one[0], sum(one))), max_size=3)


def _newest(rows: Rows, at_s: int, age_s: int, gaps: Sequence[Span]) -> float | None:
    """What holds of a series in the second that begins at `at_s`."""
    seen = [at for at in rows if at <= at_s and not any(start <= at < end for start, end in gaps)]
    if not seen or at_s >= max(seen) + age_s or any(max(seen) < start <= at_s for start, _ in gaps):
        return None
    value, flags = rows[max(seen)]
    return None if flags & (SampleFlag.UNCERTAIN | SampleFlag.TEXT) else value


@settings(max_examples=150, deadline=None)
@given(_rows, _rows, _gaps, st.integers(1, 40), st.lists(st.integers(1, 99), max_size=3))
def test_it_is_what_a_look_at_every_second_finds_wherever_history_is_cut(
    a: Rows, b: Rows, gaps: list[Span], age_s: int, cuts: list[int]
) -> None:
    expected = [
        one + two
        for at in range(100)
        if not any(start <= at < end for start, end in gaps)
        and (one := _newest(a, at, age_s, gaps)) is not None
        and (two := _newest(b, at, age_s, gaps)) is not None
    ]
    edges = [0, *sorted(set(cuts)), 100]
    parts = [_held("a + b", {"a": a, "b": b}, span, age_s, gaps) for span in pairwise(edges)]
    found = sum(parts[1:], parts[0])
    assert found.good_us / S == pytest.approx(len(expected), abs=1e-3)
    if expected:
        assert found.mean == pytest.approx(sum(expected) / len(expected), abs=1e-3)
