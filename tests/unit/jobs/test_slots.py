from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.errors import InvalidInputError
from factoryops.jobs.slots import DailyRule, local_day, span_of_daily

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Asia/Tehran",
)
TIMES = ("00:00", "00:30", "01:30", "02:00", "02:30", "03:00", "06:00", "23:59")
zones = st.sampled_from(ZONES)
minutes = st.integers(0, 1_439).map(lambda minute: f"{minute // 60:02d}:{minute % 60:02d}")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", TIMES)
def test_a_year_has_exactly_one_slot_per_local_date(zone: str, at: str) -> None:
    rule = DailyRule.of(at, zone)
    start, _ = local_day(date(2027, 1, 1), rule.zone)
    _, end = local_day(date(2027, 12, 31), rule.zone)
    slots = list(rule.slots(start - timedelta(microseconds=1), end - timedelta(microseconds=1)))
    dates = [rule.local_date(slot) for slot in slots]
    assert dates == [date(2027, 1, 1) + timedelta(days=index) for index in range(365)]
    assert slots == sorted(set(slots))


@given(zone=zones, at=minutes, year=st.integers(1995, 2035), data=st.data())
def test_slots_do_not_depend_on_how_often_one_looks(zone: str, at: str, year: int, data: st.DataObject) -> None:
    rule = DailyRule.of(at, zone)
    start = datetime(year, 1, 1, tzinfo=UTC)
    looks = data.draw(st.lists(st.integers(0, 60 * 24 * 40), min_size=2, max_size=15).map(sorted))
    moments = [start + timedelta(minutes=minute) for minute in looks]
    stepwise = [slot for one, two in pairwise(moments) for slot in rule.slots(one, two)]
    assert stepwise == list(rule.slots(moments[0], moments[-1]))


@given(zone=zones, at=minutes, day=st.dates(date(1995, 1, 1), date(2035, 1, 1)))
def test_the_next_slot_is_the_first_one_after_now(zone: str, at: str, day: date) -> None:
    rule = DailyRule.of(at, zone)
    now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    following = rule.next_after(now)
    assert following > now
    assert list(rule.slots(now, following)) == [following]


def test_a_time_that_does_not_exist_in_spring_runs_once_at_the_moment_it_would_have_been() -> None:
    rule = DailyRule.of("02:30", "Europe/Berlin")
    assert rule.slot_on(date(2027, 3, 28)) == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)


def test_a_time_that_exists_twice_in_autumn_runs_at_the_first() -> None:
    rule = DailyRule.of("02:30", "Europe/Berlin")
    assert rule.slot_on(date(2027, 10, 31)) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


def test_a_date_that_a_zone_skipped_has_no_slot() -> None:
    rule = DailyRule.of("10:00", "Pacific/Apia")
    assert rule.slot_on(date(2011, 12, 30)) is None
    start, end = datetime(2011, 12, 28, tzinfo=UTC), datetime(2012, 1, 3, tzinfo=UTC)
    dates = [rule.local_date(slot) for slot in rule.slots(start, end)]
    assert date(2011, 12, 30) not in dates
    assert len(dates) == len(set(dates))


@given(zone=zones, day=st.dates(date(1995, 1, 1), date(2035, 1, 1)))
def test_local_days_adjoin_without_hole_or_overlap(zone: str, day: date) -> None:
    start, end = local_day(day, ZoneInfo(zone))
    following, _ = local_day(day + timedelta(days=1), ZoneInfo(zone))
    assert end == following
    assert timedelta(hours=22) < end - start < timedelta(hours=26)


def test_the_daily_report_covers_the_local_day_before_its_slot() -> None:
    zone = ZoneInfo("Europe/Berlin")
    slot = datetime(2027, 3, 29, 4, 0, tzinfo=UTC)
    start, end = span_of_daily(slot, zone)
    assert (start, end) == (datetime(2027, 3, 27, 23, tzinfo=UTC), datetime(2027, 3, 28, 22, tzinfo=UTC))
    assert end - start == timedelta(hours=23)


@pytest.mark.parametrize(
    ("at", "zone"), [("24:00", "UTC"), ("6:00", "UTC"), ("", "UTC"), ("06:00", "Mars/Base"), ("06:00", "../x")]
)
def test_a_schedule_that_cannot_be_understood_says_so(at: str, zone: str) -> None:
    with pytest.raises(InvalidInputError):
        DailyRule.of(at, zone)
