"""Who is on call, across daylight saving and with people standing in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.notifying import Override, Roster
from factoryops.domain.on_call import on_call

BERLIN = "Europe/Berlin"
MEMBERS = ("jana", "ben", "eva")


def roster(**fields: object) -> Roster:
    values: dict[str, object] = {"name": "Night", "members": MEMBERS, "starts_on": date(2026, 1, 5), **fields}
    return Roster(**values)  # type: ignore[arg-type]  # by name


def local(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(BERLIN), fold=fold).astimezone(UTC)  # type: ignore[arg-type,misc]  # by place


def test_turns_are_handed_over_on_the_wall_clock_in_winter_and_summer() -> None:
    for day in (date(2026, 1, 12), date(2026, 7, 6)):
        at = local(day.year, day.month, day.day, 8)
        before, after = on_call(roster(), at - timedelta(seconds=1), BERLIN), on_call(roster(), at, BERLIN)
        assert before.contact != after.contact
        assert before.until == at


def test_an_hour_that_comes_twice_hands_over_once() -> None:
    daily = roster(turn_days=1, handover="02:30")
    first = on_call(daily, local(2026, 10, 25, 2, 30), BERLIN).contact
    again = on_call(daily, local(2026, 10, 25, 2, 0, fold=1), BERLIN).contact
    assert first == again


def test_an_hour_that_is_left_out_hands_over_all_the_same() -> None:
    daily = roster(turn_days=1, handover="02:30")
    before = on_call(daily, local(2026, 3, 29, 1, 59), BERLIN)
    after = on_call(daily, local(2026, 3, 29, 4, 0), BERLIN)
    assert before.contact != after.contact
    assert before.until is not None
    assert on_call(daily, before.until, BERLIN).contact == after.contact


def test_somebody_stands_in_and_the_turn_goes_on_below() -> None:
    start = local(2026, 1, 6, 12)
    standing_in = Override(start, start + timedelta(hours=4), "otto")
    covered = roster(overrides=(standing_in,))
    assert on_call(covered, start - timedelta(seconds=1), BERLIN) == ("jana", start)
    assert on_call(covered, start, BERLIN) == ("otto", standing_in.end)
    assert on_call(covered, standing_in.end, BERLIN).contact == "jana"


def test_nobody_is_on_call_before_the_first_turn() -> None:
    assert on_call(roster(), local(2026, 1, 5, 7, 59), BERLIN).contact == ""


@given(st.integers(0, 4 * 365 * 24 * 60), st.integers(1, 10), st.sampled_from(["00:00", "02:30", "08:00"]))
def test_who_is_on_call_stays_until_the_moment_that_was_told(minutes: int, days: int, handover: str) -> None:
    turns = roster(turn_days=days, handover=handover)
    at = datetime(2026, 1, 6, tzinfo=UTC) + timedelta(minutes=minutes)
    duty = on_call(turns, at, BERLIN)
    assert duty.until is not None
    assert at < duty.until <= at + timedelta(days=days, hours=2)
    assert on_call(turns, duty.until - timedelta(microseconds=1), BERLIN).contact == duty.contact
    following = MEMBERS[(MEMBERS.index(duty.contact) + 1) % 3]
    assert on_call(turns, duty.until, BERLIN).contact == following
