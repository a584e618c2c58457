from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.bins import bin_samples
from factoryops.domain.time import US_PER_S
from factoryops_widgets.decimation import Line, break_after_us, find_breaks, merged_bins, min_max_columns, stepped


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=40, max_size=400), column=st.integers(5, 50))
def test_the_least_and_the_greatest_value_always_survive(values: list[float], column: int) -> None:
    times = np.arange(len(values), dtype=np.int64) * 3
    value = np.array(values)
    points_us, points = min_max_columns(times, value, column)
    assert points.min() == value.min()
    assert points.max() == value.max()
    assert np.all(np.diff(points_us) >= 0)


def test_columns_lie_on_absolute_time_so_that_a_scrolling_line_does_not_wiggle() -> None:
    times = np.arange(0, 100_000, 10, dtype=np.int64)
    value = np.sin(times / 777.0)
    whole_us, whole = min_max_columns(times, value, 1_000)
    later_us, later = min_max_columns(times[333:], value[333:], 1_000)
    shared = later_us >= 5_000
    is_same_place = whole_us >= 5_000
    assert np.array_equal(whole_us[is_same_place], later_us[shared])
    assert np.array_equal(whole[is_same_place], later[shared])


def test_few_samples_stay_as_they_are() -> None:
    times = np.array([0, 500, 1_000], np.int64)
    value = np.array([1.0, 2.0, 3.0])
    assert min_max_columns(times, value, 400)[1].tolist() == [1.0, 2.0, 3.0]
    empty = np.empty(0, np.int64)
    assert len(min_max_columns(empty, np.empty(0), 10)[0]) == 0


def test_no_line_crosses_a_pause_or_a_known_gap() -> None:
    times = np.array([0, 1, 2, 3, 20, 21, 22], np.int64) * US_PER_S
    assert find_breaks(times, 5 * US_PER_S, []).tolist() == [4]
    known = [(int(1.2 * US_PER_S), int(1.8 * US_PER_S))]
    assert find_breaks(times, 60 * US_PER_S, known).tolist() == [2]


def test_a_gap_that_has_been_filled_since_breaks_nothing() -> None:
    times = np.arange(0, 20, dtype=np.int64) * US_PER_S
    assert find_breaks(times, 5 * US_PER_S, [(4 * US_PER_S, 9 * US_PER_S)]).tolist() == []


def test_slow_signals_are_not_torn_apart() -> None:
    minutes = np.arange(0, 3600, 60, dtype=np.int64) * US_PER_S
    assert break_after_us(minutes) >= 4 * 60 * US_PER_S
    assert break_after_us(minutes[:1]) >= US_PER_S


def test_strokes_cover_every_point_once() -> None:
    line = Line(np.arange(5, dtype=np.int64), np.zeros(5), np.array([2, 4]))
    assert [list(range(5))[stroke] for stroke in line.strokes()] == [[0, 1], [2, 3], [4]]


def test_steps_hold_each_value_and_stop_at_gaps() -> None:
    line = stepped(Line(np.array([0, 10, 50, 60], np.int64), np.array([1.0, 2.0, 3.0, 4.0]), np.array([2])))
    strokes = [(line.time_us[s].tolist(), line.value[s].tolist()) for s in line.strokes()]
    assert strokes == [([0, 10, 10], [1.0, 1.0, 2.0]), ([50, 60, 60], [3.0, 3.0, 4.0])]


@pytest.mark.parametrize("first_wins", [True, False])
def test_of_two_bins_the_more_complete_one_counts(first_wins: bool) -> None:
    times = np.arange(0, 10, dtype=np.int64)
    full = bin_samples(times, np.full(10, 5.0), 10)
    part = bin_samples(times[:3], np.full(3, 1.0), 10)
    merged = merged_bins(full, part) if first_wins else merged_bins(part, full)
    assert merged.count.tolist() == [10]
    assert merged.mean.tolist() == [5.0]
