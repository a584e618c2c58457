"""What a scheduled rule looks at, on the factory's own clock, and what it comes to."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.scheduled_rules import (
    Aggregate,
    ScheduledWindow,
    figure_of,
    holds,
    sentence,
    span_in_words,
    span_of,
)
from factoryops.domain.schedules import Schedule, WeeklyWindow
from factoryops.domain.summaries import Held
from factoryops.domain.time import US_PER_S, from_us

BERLIN = ZoneInfo("Europe/Berlin")
HOUR_US = 3_600 * US_PER_S
NIGHT = Schedule(weekly=(WeeklyWindow("22:00", "06:00"),))


def looked_at(window: ScheduledWindow, due: datetime, shift: Schedule | None = None) -> tuple[str, str, float]:
    span = span_of(window, due, "Europe/Berlin", shift)
    assert span is not None
    start, end = (from_us(edge).astimezone(BERLIN).strftime("%m-%d %H:%M") for edge in span)
    return start, end, (span[1] - span[0]) / HOUR_US


@pytest.mark.parametrize(
    ("due", "hours"),
    [(datetime(2026, 3, 30, 6, tzinfo=BERLIN), 23.0), (datetime(2026, 10, 26, 6, tzinfo=BERLIN), 25.0),
     (datetime(2026, 7, 1, 6, tzinfo=BERLIN), 24.0)],
)  # fmt: skip
def test_yesterday_is_the_local_day_before_whatever_its_length(due: datetime, hours: float) -> None:
    start, end, length = looked_at(ScheduledWindow.YESTERDAY, due)
    assert (start[-5:], end[-5:], length) == ("00:00", "00:00", hours)


def test_seven_days_are_local_days_and_24_hours_are_hours() -> None:
    due = datetime(2026, 3, 30, 6, 30, tzinfo=BERLIN)
    assert looked_at(ScheduledWindow.LAST_7_DAYS, due) == ("03-23 00:00", "03-30 00:00", 167.0)
    assert looked_at(ScheduledWindow.LAST_24_HOURS, due)[2] == 24.0


def test_the_last_shift_is_the_newest_one_that_is_over() -> None:
    over = datetime(2026, 3, 30, 6, tzinfo=BERLIN)
    assert looked_at(ScheduledWindow.LAST_SHIFT, over, NIGHT) == ("03-29 22:00", "03-30 06:00", 8.0)
    under_way = datetime(2026, 3, 29, 5, tzinfo=BERLIN)
    assert looked_at(ScheduledWindow.LAST_SHIFT, under_way, NIGHT) == ("03-27 22:00", "03-28 06:00", 8.0)
    never = Schedule(weekly=(WeeklyWindow("22:00", "06:00"),), last=datetime(2026, 1, 1, tzinfo=UTC).date())
    assert span_of(ScheduledWindow.LAST_SHIFT, over, "Europe/Berlin", never) is None
    assert span_of(ScheduledWindow.LAST_SHIFT, over, "Europe/Berlin", None) is None


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ([("06:00", "06:00")], ("03-29 06:00", "03-30 06:00", 24.0)),
        ([("06:00", "14:00"), ("14:00", "22:00"), ("22:00", "06:00")], ("03-29 22:00", "03-30 06:00", 8.0)),
        ([("22:00", "06:00"), ("06:00", "14:00"), ("14:00", "22:00")], ("03-29 22:00", "03-30 06:00", 8.0)),
        ([("04:00", "06:00"), ("22:00", "06:00")], ("03-29 22:00", "03-30 06:00", 8.0)),
    ],
)
def test_windows_that_adjoin_are_a_shift_each(windows: list[tuple[str, str]], expected: tuple[str, str, float]) -> None:
    shift = Schedule(weekly=tuple(WeeklyWindow(*one) for one in windows))
    assert looked_at(ScheduledWindow.LAST_SHIFT, datetime(2026, 3, 30, 6, 30, tzinfo=BERLIN), shift) == expected


def test_figures_are_time_weighted_and_a_total_is_value_times_hours() -> None:
    held = Held(good_us=2 * HOUR_US, mean=12.0, minimum=3.0, maximum=20.0)
    assert [figure_of(one, held) for one in Aggregate] == [12.0, 3.0, 20.0, 24.0]
    assert all(math.isnan(figure_of(one, Held())) for one in Aggregate)


def test_every_comparison() -> None:
    said = {one: [holds(value, one, 5.0) for value in (4.0, 5.0, 6.0)] for one in Comparison}
    assert said == {
        Comparison.ABOVE: [False, False, True],
        Comparison.AT_OR_ABOVE: [False, True, True],
        Comparison.BELOW: [True, False, False],
        Comparison.AT_OR_BELOW: [True, True, False],
        Comparison.EQUAL: [False, True, False],
        Comparison.UNEQUAL: [True, False, True],
    }


def test_it_is_said_in_a_sentence() -> None:
    span = span_of(ScheduledWindow.YESTERDAY, datetime(2026, 3, 30, 6, tzinfo=BERLIN), "Europe/Berlin", None)
    assert span is not None
    words = span_in_words(span, "Europe/Berlin")
    assert sentence(Aggregate.TOTAL, "Power", (950.5, 900.0, 0.98), Comparison.ABOVE, words) == (
        "Total of Power over 2026-03-29 00:00 to 2026-03-30 00:00 is 950.5, above 900 (98% of the time is known)."
    )
