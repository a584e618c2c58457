"""Bins combine exactly, in any order, and time-weighted figures follow from them as from the samples."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factoryops.domain.bins import BinSummaries, bin_samples
from factoryops.domain.samples import SampleFlag
from factoryops.domain.summaries import combine, held_in_span, replace_bins, take_bins, weighted_means
from tests.support.history_model import ModelHistory, Row, assert_bins

S = 1_000_000
_flags = st.sampled_from([0, 0, 0, 1, 2, SampleFlag.UNCERTAIN, SampleFlag.TEXT, SampleFlag.UNCERTAIN | SampleFlag.LATE])
_value = st.integers(-10_000, 10_000).map(lambda number: number / 100)
_samples = st.dictionaries(st.integers(0, 200 * S), st.tuples(_value, _flags), min_size=1, max_size=60).map(
    lambda samples: [(1, time_us, *samples[time_us]) for time_us in sorted(samples)]
)


def _bins(rows: list[Row], width_us: int) -> BinSummaries:
    time_us, value, flags = (np.array([row[n] for row in rows]) for n in (1, 2, 3))
    return bin_samples(time_us.astype(np.int64), value.astype(np.float64), width_us, flags.astype(np.uint8))


def _model(rows: list[Row]) -> ModelHistory:
    model = ModelHistory()
    model.append(rows)
    return model


@given(_samples, st.sampled_from([S, 7 * S, 60 * S, 1_000 * S]))
@settings(deadline=None)
def test_bins_are_what_counting_by_hand_gives(rows: list[Row], width_us: int) -> None:
    assert_bins(_bins(rows, width_us), _model(rows).binned(1, 0, 1 << 60, width_us))


@given(_samples, st.sampled_from([(S, 5 * S), (5 * S, 10 * S), (S, 60 * S), (10 * S, 1_000 * S)]))
@settings(deadline=None)
def test_wide_bins_follow_from_narrow_ones(rows: list[Row], widths: tuple[int, int]) -> None:
    assert_bins(combine([_bins(rows, widths[0])], widths[1]), _model(rows).binned(1, 0, 1 << 60, widths[1]))


@given(_samples, st.lists(st.integers(0, 60), min_size=2, max_size=2).map(sorted), st.booleans())
@settings(deadline=None)
def test_how_parts_are_grouped_makes_no_difference(rows: list[Row], cuts: list[int], from_left: bool) -> None:
    parts = [_bins(part, 30 * S) for part in (rows[: cuts[0]], rows[cuts[0] : cuts[1]], rows[cuts[1] :]) if part]
    found = parts[0] if from_left else parts[-1]
    for part in parts[1:] if from_left else parts[-2::-1]:
        found = combine([part, found], 30 * S)
    assert_bins(found, _model(rows).binned(1, 0, 1 << 60, 30 * S))


def test_the_time_weighted_mean_is_not_the_plain_one() -> None:
    """The vector: 10 at 0 s, 20 at 50 s, 20 at 60 s, end 120 s."""
    rows: list[Row] = [(1, 0, 10.0, 0), (1, 50 * S, 20.0, 0), (1, 60 * S, 20.0, 0)]
    for width_us in (S, 60 * S, 600 * S):
        held = held_in_span(_bins(rows, width_us), (0, 120 * S), None)
        assert held.mean == pytest.approx(15.8333, abs=1e-4)
        assert (held.good_us, held.count, held.minimum, held.maximum) == (120 * S, 3, 10.0, 20.0)
        assert held.deviation == pytest.approx(math.sqrt((50 * 5.8333**2 + 70 * 4.1667**2) / 120), abs=1e-3)


def _held_by_hand(rows: list[Row], span: tuple[int, int]) -> tuple[float, float]:
    """Seconds of good values in the span, and their integral."""
    ends = [*(row[1] for row in rows[1:]), 1 << 60]
    seconds, integral = 0.0, 0.0
    for (_, time_us, value, flags), end_us in zip(rows, ends, strict=True):
        held_us = min(end_us, span[1]) - max(time_us, span[0])
        if held_us > 0 and not flags & (SampleFlag.TEXT | SampleFlag.UNCERTAIN):
            seconds += held_us / S
            integral += value * held_us / S
    return seconds, integral


@given(
    _samples,
    st.tuples(st.integers(0, 250 * S), st.integers(0, 250 * S)).map(lambda two: (min(two), max(two) + 1)),
    st.sampled_from([S, 10 * S, 60 * S]),
)
@settings(deadline=None)
def test_time_weighted_figures_are_those_of_the_samples(rows: list[Row], span: tuple[int, int], width_us: int) -> None:
    inside = [row for row in rows if span[0] <= row[1] < span[1]]
    earlier = [row for row in rows if row[1] < span[0]]
    before = earlier[-1][2:] if earlier else None
    held = held_in_span(_bins(inside, width_us) if inside else None, span, before)
    seconds, integral = _held_by_hand(rows, span)
    assert held.good_us == round(seconds * S)
    if seconds:
        assert held.mean == pytest.approx(integral / seconds, rel=1e-6, abs=1e-6)


@given(_samples, st.sampled_from([S, 10 * S, 60 * S]))
@settings(deadline=None)
def test_each_bin_s_time_weighted_mean_is_that_of_the_samples(rows: list[Row], width_us: int) -> None:
    bins = _bins(rows, width_us)
    for start_us, mean in zip(bins.start_us.tolist(), weighted_means(bins, 1 << 60).tolist(), strict=True):
        seconds, integral = _held_by_hand(rows, (max(start_us, rows[0][1]), start_us + width_us))
        expected = integral / seconds if seconds else math.nan
        assert mean == pytest.approx(expected, rel=1e-6, abs=1e-6, nan_ok=True)


def test_without_a_sample_the_value_before_holds_through_the_span() -> None:
    assert held_in_span(None, (0, 10 * S), (4.0, 0)).mean == 4.0
    assert held_in_span(None, (0, 10 * S), (4.0, SampleFlag.UNCERTAIN)).good_us == 0
    assert held_in_span(None, (0, 10 * S), None).good_us == 0


def test_redone_bins_take_the_place_of_the_old_and_stand_beside_others() -> None:
    old = _bins([(1, 0, 1.0, 0), (1, 2 * S, 2.0, 0)], S)
    redone = _bins([(1, S, 5.0, 0), (1, 2 * S, 7.0, 0)], S)
    assert replace_bins(old, redone).last.tolist() == [1.0, 5.0, 7.0]
    assert replace_bins(None, redone) is redone


def test_a_coarse_part_makes_the_whole_say_so() -> None:
    fine = _bins([(1, 0, 1.0, 0), (1, 2 * S, 2.0, 0)], S)
    coarse = replace(take_bins(fine, slice(1, 2)), resolution_us=60 * S)
    assert combine([take_bins(fine, slice(0, 1)), coarse], 60 * S).resolution_us == 60 * S
