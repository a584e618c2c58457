"""For how long an operator may shelve, and until which end of a shift."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from factoryops.contracts import http
from factoryops.domain.alarm_classes import DEFAULT_PHILOSOPHY
from factoryops.domain.time import US_PER_S, to_us
from factoryops_app.models.shelving import ShiftEnd, longest_shelving_us, shift_ends
from factoryops_resources.words import set_language
from tests.unit.app.test_alarms import alarm

BERLIN = ZoneInfo("Europe/Berlin")
HOUR_US = 3_600 * US_PER_S


def shift(name: str, *windows: tuple[str, str]) -> http.Shift:
    content = http.ShiftContent(name=name, windows=[http.ShiftWindow(start=one, end=two) for one, two in windows])
    return http.Shift(id="a" * 32, version=1, content=content, changed_by="admin", changed_at=datetime.now(UTC))


SHIFTS = [
    shift("Day", ("07:00", "16:00")), shift("Night", ("22:00", "06:00")), shift("Late", ("14:00", "22:00")),
    shift("Early", ("06:00", "14:00")),
]  # fmt: skip


def berlin_us(text: str) -> int:
    return to_us(datetime.fromisoformat(text).replace(tzinfo=BERLIN))


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-03-04 06:59", [("Early", "14:00")]),
        ("2026-03-04 09:00", [("Early", "14:00"), ("Day", "16:00")]),
        ("2026-03-04 14:00", [("Day", "16:00"), ("Late", "22:00")]),
        ("2026-03-04 22:00", [("Night", "2026-03-05 06:00")]),
        ("2026-03-05 00:30", [("Night", "06:00")]),
        ("2026-03-28 23:00", [("Night", "2026-03-29 06:00")]),
    ],
)
def test_the_ends_of_the_shifts_that_work_now_the_next_one_first(now: str, ends: list[tuple[str, str]]) -> None:
    now_us = berlin_us(now)
    words = [one.words(now_us, BERLIN) for one in shift_ends(SHIFTS, "Europe/Berlin", now_us)]
    assert words == [f"Until the end of the shift {name} ({time})" for name, time in ends]


def test_between_shifts_and_without_any_there_is_no_end() -> None:
    assert shift_ends([SHIFTS[0]], "Europe/Berlin", berlin_us("2026-03-04 16:00")) == []
    assert shift_ends([], "Europe/Berlin", berlin_us("2026-03-04 12:00")) == []


def test_a_night_across_the_jump_is_as_long_as_the_clock_makes_it() -> None:
    lengths = [
        shift_ends(SHIFTS, "Europe/Berlin", begin)[0].end_us - begin
        for begin in map(berlin_us, ("2026-03-28 22:00", "2026-10-24 22:00", "2026-10-23 22:00"))
    ]
    assert lengths == [7 * HOUR_US, 9 * HOUR_US, 8 * HOUR_US]


def test_the_end_of_a_shift_is_named_in_german() -> None:
    set_language("de")
    words = ShiftEnd("Früh", berlin_us("2026-03-04 14:00")).words(berlin_us("2026-03-04 09:00"), BERLIN)
    assert words == "Bis zum Ende der Schicht Früh (14:00)"


def test_the_strictest_class_says_how_long_all_may_be_shelved() -> None:
    process, quality, safety = (
        alarm(number).model_copy(update={"alarm_class": name}) for number, name in enumerate(("", "quality", "safety"))
    )
    assert longest_shelving_us([process], DEFAULT_PHILOSOPHY) == 8 * HOUR_US
    assert longest_shelving_us([process, quality], DEFAULT_PHILOSOPHY) == 4 * HOUR_US
    assert longest_shelving_us([process, safety], DEFAULT_PHILOSOPHY) == 0
