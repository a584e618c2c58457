"""Windows over whole columns: to the last bit what comes of looking at each window by itself, sample after sample."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import reduce
from typing import Final

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factoryops.domain.expressions import blocks
from factoryops.domain.expressions.blocks import Blocks
from factoryops.domain.expressions.track import Times, Track, Values
from factoryops.domain.expressions.windows import over_window

FUNCTIONS: Final = ("mean", "min", "max", "integral", "total", "count", "delta", "rate")
_STEPS: Final[dict[np.ufunc, Callable[[float, float], float]]] = {
    np.add: lambda one, two: one + two,
    np.minimum: min,
    np.maximum: max,
}


def _times(draw: Callable[[st.SearchStrategy[list[int]]], list[int]], count: int) -> Times:
    """Once a second, now and then in bursts or behind a gap."""
    steps = st.sampled_from([1, 1_000_000, 1_000_000, 1_000_000, 3_700_000, 90_000_000])
    drawn = draw(st.lists(steps, min_size=count, max_size=count))
    return np.cumsum(np.array([1_700_000_000_123_456, *drawn[1:]], np.int64))


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    """Values of any size, some unknown, some too old before the next one comes, some uncertain."""
    count = draw(st.integers(1, 200))
    time_us = _times(draw, count)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    value = random.normal(0, 1, count) * 10.0 ** random.integers(-300, 300, count)
    ordinary = np.round(random.normal(5, 1, count), 2)
    value = np.where(random.random(count) < draw(st.sampled_from([0.0, 0.5])), value, ordinary)
    value[random.random(count) < draw(st.sampled_from([0.0, 0.1]))] = np.nan
    until_us = time_us + draw(st.sampled_from([500_000, 5_000_000, 600_000_000]))
    return Track(time_us, Values(value, until_us, random.random(count) < draw(st.sampled_from([0.0, 0.05]))))


lengths = st.sampled_from([1_000, 1_000_000, 1_500_000, 10_000_000, 60_000_000, 3_600_000_000])


@given(tracks(), lengths, st.sampled_from([*_STEPS]), st.sampled_from([0, 50]), st.sampled_from([4, 64]))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_window_comes_to_what_its_own_samples_come_to_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch, track: Track, length_us: int, step: np.ufunc, few: int, long: int
) -> None:
    monkeypatch.setattr(blocks, "_FEW", few)
    monkeypatch.setattr(blocks, "_LONG", long)
    times = track.time_us
    column = np.where(np.isnan(track.values.value), 0.0, track.values.value)
    row = np.arange(len(times))
    inner = np.searchsorted(times, times - length_us, "right")
    with np.errstate(all="ignore"):
        found = Blocks(times, length_us, inner, row).over(step, column, row + 1, 0.0)
    for place, first in enumerate(inner.tolist()):
        assert found[place] == _alone(step, times[first : place + 1], column[first : place + 1], length_us)


def _alone(step: np.ufunc, times: Times, column: np.ndarray[tuple[int], np.dtype[np.float64]], length_us: int) -> float:
    """One window: from the block's end backwards, then from the next one's beginning forwards, then both."""
    block = (times // length_us).tolist()
    middle = block.index(block[-1])
    take, values = _STEPS[step], column.tolist()
    halves = [reduce(take, half) for half in (values[:middle][::-1], values[middle:]) if half]
    return reduce(take, [0.0, *halves] if len(halves) == 1 else halves)


@given(tracks(), lengths, st.sampled_from(FUNCTIONS))
@settings(max_examples=200, deadline=None)
def test_all_at_once_is_what_comes_of_one_sample_at_a_time(track: Track, length_us: int, function: str) -> None:
    with np.errstate(all="ignore"):
        whole = over_window(function, track, length_us, int(track.time_us[0]))
        for place, moment_us in enumerate(track.time_us.tolist()):
            # What is held live: the window, and the sample that held when it began.
            first = max(0, bisect_right(track.time_us, moment_us - length_us) - 1)
            held = Track(track.time_us[first : place + 1], _part(track.values, first, place + 1))
            alone = over_window(function, held, length_us, moment_us)
            assert alone.values.value.tobytes() == whole.values.value[place : place + 1].tobytes()
            assert alone.values.is_uncertain.tolist() == whole.values.is_uncertain[place : place + 1].tolist()


def _part(values: Values, first: int, last: int) -> Values:
    return Values(values.value[first:last], values.until_us[first:last], values.is_uncertain[first:last])


@given(tracks(), st.sampled_from(["own", "behind one", "any"]), st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_what_holds_at_a_moment_is_the_newest_value_that_is_not_too_old(track: Track, which: str, seed: int) -> None:
    times = track.time_us
    random = np.random.default_rng(seed)
    first = int(random.integers(0, len(times)))
    moments = {
        "own": times[first:],
        "behind one": np.append(times[first] - 1 - int(random.integers(0, 2_000_000)), times[first:]),
        "any": np.unique(random.integers(times[0] - 10, times[-1] + 10, 150)),
    }[which]
    found = track.at(moments)
    for place, moment_us in enumerate(moments.tolist()):
        row = bisect_right(times, moment_us) - 1
        holds = row >= 0 and moment_us <= track.values.until_us[row]
        expected = track.values.value[row] if holds else np.nan
        assert np.array_equal(found.value[place], expected, equal_nan=True)
        assert found.is_uncertain[place] == (holds and track.values.is_uncertain[row])
