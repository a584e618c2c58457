"""A schedule holds where the clock on the factory's wall says so, whatever daylight saving does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.calendar import changes, end_of_window, holds_at, spans
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.schedules import ALWAYS, Schedule, WeeklyWindow, minutes_of
from factoryops.domain.time import US_PER_S, to_us

_MINUTE = timedelta(minutes=1)
_MINUTE_US = 60 * US_PER_S

YEARS = {
    "Europe/Berlin": 2026,
    "America/New_York": 2026,
    "Asia/Kolkata": 2026,
    "Australia/Lord_Howe": 2026,
    "America/Sao_Paulo": 2018,
}
"""Two jumps of an hour; the same on other dates; none; of half an hour; of an hour at midnight."""

SHIFTS = {
    "early": Schedule(weekly=(WeeklyWindow("06:00", "14:00"),)),
    "night": Schedule(weekly=(WeeklyWindow("22:00", "06:00", days=(1, 2, 3, 4, 5)),)),
}
PLANS = (
    Schedule(weekly=(WeeklyWindow("02:15", "02:45"), WeeklyWindow("23:30", "00:30", days=(6, 7)))),
    Schedule(shifts=("night", "early"), first=date(2018, 2, 3), last=date(2026, 10, 25)),
    Schedule(weekly=(WeeklyWindow("00:00", "00:00", days=(7,)),), first=date(2018, 3, 1)),
)


class NaiveWall:
    """The clock on the wall, minute by minute; where it is set back it is held until it has caught up."""

    def __init__(self, zone: str, since: datetime, until: datetime) -> None:
        self.shows: list[datetime] = []
        tz, moment = ZoneInfo(zone), since - timedelta(days=2)
        latest = moment.astimezone(tz).replace(tzinfo=None)
        while moment < until:
            latest = max(latest, moment.astimezone(tz).replace(tzinfo=None))
            if moment >= since:
                self.shows.append(latest)
            moment += _MINUTE


def naive(schedule: Schedule) -> Callable[[datetime], bool]:
    """Whether the schedule holds when the wall shows a time, without any arithmetic on zones."""
    windows = [*schedule.weekly, *(window for shift in schedule.shifts for window in SHIFTS[shift].weekly)]
    read = [(minutes_of(one.start), minutes_of(one.end), one.days) for one in windows]
    first, last = schedule.first or date.min, schedule.last or date.max

    def starts_on(day: date, days: tuple[int, ...]) -> bool:
        return day.isoweekday() in days and first <= day <= last

    def holds(shown: datetime) -> bool:
        day, minute = shown.date(), shown.hour * 60 + shown.minute
        if not read:
            return first <= day <= last
        for start, end, days in read:
            is_within_day = end > start
            if minute >= start and (minute < end or not is_within_day) and starts_on(day, days):
                return True
            if not is_within_day and minute < end and starts_on(day - timedelta(days=1), days):
                return True
        return False

    return holds


def by_minute(schedule: Schedule, zone: str, since: datetime, minutes: int) -> np.ndarray:
    """What `changes` says, for each minute from `since`."""
    since_us = to_us(since)
    found = changes(schedule, SHIFTS, zone, since_us, since_us + minutes * _MINUTE_US)
    at = np.searchsorted(found.moments, since_us + np.arange(minutes) * _MINUTE_US, side="right")
    return np.concatenate(([found.is_true_at_since], found.states))[at]


@pytest.mark.parametrize("zone", YEARS)
def test_a_year_is_as_the_clock_on_the_wall_shows_it(zone: str) -> None:
    since = datetime(YEARS[zone], 1, 1, tzinfo=UTC)
    wall = NaiveWall(zone, since, datetime(YEARS[zone] + 1, 1, 1, tzinfo=UTC)).shows
    for plan in PLANS:
        expected = np.fromiter(map(naive(plan), wall), np.bool_, len(wall))
        assert np.array_equal(by_minute(plan, zone, since, len(wall)), expected), (zone, plan)


_clock = st.builds(lambda minute: f"{minute // 60:02}:{minute % 60:02}", st.integers(0, 24 * 60 - 1))
_windows = st.builds(
    WeeklyWindow, start=_clock, end=_clock, days=st.sets(st.integers(1, 7), min_size=1).map(lambda days: (*days,))
)
_dates = st.none() | st.dates(date(2026, 3, 25), date(2026, 4, 10))
_schedules = st.builds(
    Schedule,
    weekly=st.lists(_windows, max_size=4).map(tuple),
    shifts=st.sampled_from([(), ("early",), ("night", "early")]),
    first=_dates,
    last=_dates,
)


@given(schedule=_schedules, zone=st.sampled_from(sorted(YEARS)), start=st.integers(0, 12 * 1440))
def test_any_schedule_around_the_jumps_is_as_the_wall_shows_it(schedule: Schedule, zone: str, start: int) -> None:
    since = datetime(2026, 3, 27, tzinfo=UTC) + start * _MINUTE
    wall = NaiveWall(zone, since, since + timedelta(days=2)).shows
    expected = np.fromiter(map(naive(schedule), wall), np.bool_, len(wall))
    assert np.array_equal(by_minute(schedule, zone, since, len(wall)), expected)


@given(schedule=_schedules, cuts=st.lists(st.integers(1, 3 * 1440 - 1), max_size=5, unique=True))
def test_where_a_span_is_cut_makes_no_difference(schedule: Schedule, cuts: list[int]) -> None:
    since_us = to_us(datetime(2026, 3, 28, tzinfo=UTC))
    edges = [since_us + minute * _MINUTE_US for minute in (0, *sorted(cuts), 3 * 1440)]
    whole = changes(schedule, SHIFTS, "Europe/Berlin", edges[0], edges[-1])
    pieced: list[tuple[int, bool]] = []
    state = whole.is_true_at_since
    for begin, end in pairwise(edges):
        part = changes(schedule, SHIFTS, "Europe/Berlin", begin, end)
        news = [(begin, part.is_true_at_since), *zip(part.moments.tolist(), part.states.tolist(), strict=True)]
        for moment, is_true in news:
            if is_true != state:
                pieced.append((moment, is_true))
                state = is_true
    assert pieced == list(zip(whole.moments.tolist(), whole.states.tolist(), strict=True))


def _hours(schedule: Schedule, zone: str, day: date) -> float:
    start = datetime.combine(day, time(), ZoneInfo(zone))
    over = datetime.combine(day + timedelta(days=1), time(12), ZoneInfo(zone))
    begins, ends = spans(schedule, SHIFTS, zone, to_us(start), to_us(over))
    return int((ends - begins).sum()) / US_PER_S / 3600


@pytest.mark.parametrize(
    ("window", "day", "hours"),
    [
        pytest.param(WeeklyWindow("02:00", "03:00", (7,)), date(2026, 10, 25), 2.0, id="a doubled hour lasts two"),
        pytest.param(WeeklyWindow("02:30", "04:00", (7,)), date(2026, 3, 29), 1.0, id="a skipped start is the jump"),
        pytest.param(WeeklyWindow("02:00", "03:00", (7,)), date(2026, 3, 29), 0.0, id="a skipped window is not"),
        pytest.param(WeeklyWindow("22:00", "06:00", (7,)), date(2026, 3, 29), 8.0, id="a night after the jump"),
        pytest.param(WeeklyWindow("06:00", "06:00", (7,)), date(2026, 3, 29), 24.0, id="a whole day"),
    ],
)
def test_how_long_a_window_lasts_on_the_days_of_the_jumps(window: WeeklyWindow, day: date, hours: float) -> None:
    assert _hours(Schedule(weekly=(window,)), "Europe/Berlin", day) == hours


def test_always_has_no_changes_and_an_unknown_shift_never_holds() -> None:
    assert changes(ALWAYS, {}, "Europe/Berlin", 0, 10**15).is_true_at_since
    assert not holds_at(Schedule(shifts=("gone",)), {}, "Europe/Berlin", 10**15)


def test_a_zone_nobody_knows_is_named() -> None:
    with pytest.raises(InvalidInputError, match="Mars/Olympus"):
        changes(Schedule(weekly=(WeeklyWindow("06:00", "14:00"),)), {}, "Mars/Olympus", 0, 10**15)


_NIGHT = WeeklyWindow("22:00", "06:00", (1, 2, 3, 4, 5, 6))


@pytest.mark.parametrize(
    ("windows", "zone", "now", "end"),
    [
        pytest.param((_NIGHT,), "Europe/Berlin", "2026-03-04 23:15", "2026-03-05 06:00", id="before midnight"),
        pytest.param((_NIGHT,), "Europe/Berlin", "2026-03-05 00:00", "2026-03-05 06:00", id="at midnight"),
        pytest.param((_NIGHT,), "Europe/Berlin", "2026-03-05 06:00", None, id="its end is not in it"),
        pytest.param((_NIGHT,), "Europe/Berlin", "2026-03-04 21:59", None, id="between shifts"),
        pytest.param((_NIGHT,), "Europe/Berlin", "2026-03-28 22:30", "2026-03-29 06:00", id="the night of the jump"),
        pytest.param((_NIGHT,), "Europe/Berlin", "2026-10-24 22:30", "2026-10-25 06:00", id="the night that is longer"),
        pytest.param((_NIGHT,), "Asia/Kolkata", "2026-03-05 05:59", "2026-03-05 06:00", id="half an hour off"),
        pytest.param((WeeklyWindow("18:00", "02:30"),), "Europe/Berlin", "2026-03-29 01:59", "2026-03-29 03:00",
                     id="an end that the clock skips"),
        pytest.param((WeeklyWindow("06:00", "06:00"),), "Europe/Berlin", "2026-03-04 07:00", "2026-03-05 06:00",
                     id="a whole day, every day"),
        pytest.param((WeeklyWindow("06:00", "14:00"), WeeklyWindow("06:00", "18:00", (3,))), "Europe/Berlin",
                     "2026-03-04 07:00", "2026-03-04 18:00", id="the longer of two"),
        pytest.param((), "Europe/Berlin", "2026-03-04 07:00", None, id="no windows"),
    ],
)  # fmt: skip
def test_when_the_window_that_holds_ends(
    windows: tuple[WeeklyWindow, ...], zone: str, now: str, end: str | None
) -> None:
    def at_us(text: str) -> int:
        return to_us(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))

    found = end_of_window(Schedule(weekly=windows), zone, at_us(now))
    assert found == (None if end is None else at_us(end))


@given(window=_windows, zone=st.sampled_from(sorted(YEARS)), minute=st.integers(0, 14 * 1440))
def test_a_window_has_an_end_just_where_it_holds(window: WeeklyWindow, zone: str, minute: int) -> None:
    now_us = to_us(datetime(2026, 3, 22, tzinfo=UTC)) + minute * _MINUTE_US
    schedule = Schedule(weekly=(window,))
    end_us = end_of_window(schedule, zone, now_us)
    assert (end_us is not None) == holds_at(schedule, {}, zone, now_us)
    if end_us is not None:
        assert changes(schedule, {}, zone, now_us, end_us).moments.size == 0
        assert now_us < end_us <= now_us + 25 * 60 * _MINUTE_US
