from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.time import US_PER_S, to_us
from factoryops_widgets.trend_scales import Scale, group_scales, round_range, round_step, time_ticks, value_ticks

BERLIN = ZoneInfo("Europe/Berlin")


@given(low=st.floats(-1e9, 1e9), extent=st.floats(0, 1e9))
def test_the_scale_holds_everything_there_is_to_see(low: float, extent: float) -> None:
    bottom, top = round_range(low, low + extent)
    assert bottom <= low
    assert low + extent <= top
    assert top > bottom


@given(low=st.floats(-1e6, 1e6), extent=st.floats(1e-3, 1e6), most=st.integers(2, 12))
def test_ticks_lie_inside_the_scale_and_are_few(low: float, extent: float, most: int) -> None:
    scale = Scale("x", low=low, high=low + extent)
    ticks, _ = value_ticks(scale, most)
    assert len(ticks) <= most + 1
    assert all(low - extent * 1e-5 <= tick <= low + extent * (1 + 1e-5) for tick in ticks)


def test_steps_are_one_two_or_five() -> None:
    assert [round_step(10, most) for most in (10, 5, 2)] == [1.0, 2.0, 5.0]
    assert round_step(0.07, 7) == pytest.approx(0.01)


def test_decimals_tell_the_ticks_apart() -> None:
    assert value_ticks(Scale("x", low=0, high=0.05), 5)[1] == 2
    assert value_ticks(Scale("x", low=0, high=500), 5)[1] == 0


def test_a_scale_somebody_has_set_no_longer_follows_the_data() -> None:
    scale = Scale("x", low=0, high=10)
    scale.zoom(0.5, 0.5)
    scale.follow([(0, 100)], (None, None))
    assert (scale.low, scale.high) == (2.5, 7.5)


def test_without_data_the_parameters_range_is_shown() -> None:
    scale = Scale("x")
    scale.follow([], (0, 120))
    assert scale.low <= 0
    assert scale.high >= 120


def test_time_ticks_stand_at_round_local_times() -> None:
    start = to_us(datetime(2026, 3, 14, 9, 17, 3, tzinfo=UTC))
    labels = [tick.label for tick in time_ticks(start, start + 3_600 * US_PER_S, BERLIN, 8)]
    assert labels == ["10:20", "10:30", "10:40", "10:50", "11:00", "11:10"]


def test_a_new_day_is_marked_by_its_date() -> None:
    start = to_us(datetime(2026, 3, 14, 20, tzinfo=UTC))
    ticks = time_ticks(start, start + 6 * 3_600 * US_PER_S, BERLIN, 8)
    assert [tick.label for tick in ticks if tick.is_day] == ["2026-03-15"]


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_six_oclock_stays_six_oclock_when_the_clocks_change(day: datetime) -> None:
    start = to_us(day) - 3_600 * US_PER_S
    ticks = time_ticks(start, start + 30 * 3_600 * US_PER_S, BERLIN, 6)
    assert "06:00" in [tick.label for tick in ticks]
    times = [tick.time_us for tick in ticks]
    assert times == sorted(set(times))


@given(start_s=st.integers(1_500_000_000, 1_900_000_000), span_s=st.integers(1, 400 * 86_400), most=st.integers(2, 14))
def test_time_ticks_are_inside_ordered_and_few(start_s: int, span_s: int, most: int) -> None:
    start, end = start_s * US_PER_S, (start_s + span_s) * US_PER_S
    times = [tick.time_us for tick in time_ticks(start, end, BERLIN, most)]
    assert all(start <= time <= end for time in times)
    assert times == sorted(set(times))
    assert len(times) <= 2 * most + 3


def test_pens_of_one_unit_share_a_scale_that_survives_new_pens() -> None:
    scales = group_scales([("a", "°C"), ("b", "bar"), ("c", "°C")], {})
    assert scales["°C"].pen_ids == ["a", "c"]
    assert group_scales([("a", "°C")], scales)["°C"] is scales["°C"]
