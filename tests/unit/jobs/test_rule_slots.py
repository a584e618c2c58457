"""Scheduled rules are due once per local date, in any zone, through every change of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from factoryops.database.scheduled_rules import PlannedRule
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import FactoryId
from factoryops.jobs.rule_slots import PlannedWork, by_factory
from factoryops.jobs.slots import DailyRule
from tests.unit.domain.test_calendar import YEARS

OLD = datetime(2000, 1, 1, tzinfo=UTC)


def planned(
    local_time: str, zone: str, *, days: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7), changed: datetime = OLD
) -> PlannedRule:
    return PlannedRule(FactoryId("f"), zone, local_time, days, changed)


@pytest.mark.parametrize("zone", YEARS)
@pytest.mark.parametrize("local_time", ["00:00", "02:30", "06:15"])
def test_a_simulated_year_has_one_slot_per_local_date(zone: str, local_time: str) -> None:
    (work,) = by_factory([planned(local_time, zone)])
    moment, end = datetime(YEARS[zone], 1, 1, tzinfo=UTC), datetime(YEARS[zone] + 1, 1, 1, tzinfo=UTC)
    found: list[datetime] = []
    while moment < end:
        following = moment + timedelta(hours=7)
        found += work.slots(moment, following)[0]
        moment = following
    dates = [DailyRule.of(local_time, zone).local_date(slot) for slot in found]
    assert len(set(dates)) == len(dates)
    assert dates == [dates[0] + timedelta(days=number) for number in range(len(dates))]
    assert 365 <= len(dates) <= 366


def test_rules_due_at_one_moment_share_a_slot_and_weekdays_count() -> None:
    monday = datetime(2026, 6, 1, tzinfo=UTC)
    work = PlannedWork(
        FactoryId("f"),
        (planned("06:00", "UTC"), planned("06:00", "UTC", days=(1, 2)), planned("07:00", "UTC", days=(7,))),
    )
    slots, following = work.slots(monday, monday + timedelta(days=7))
    assert [(slot.isoweekday(), slot.hour) for slot in slots] == [*((day, 6) for day in range(1, 8)), (7, 7)]
    assert following == monday + timedelta(days=7, hours=6)


def test_nothing_is_due_from_before_a_rule_was_changed_and_a_broken_zone_is_named() -> None:
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    (work,) = by_factory([planned("06:00", "UTC", changed=noon)])
    assert work.slots(noon - timedelta(days=3), noon + timedelta(hours=1))[0] == []
    (broken,) = by_factory([planned("06:00", "Mars/Olympus")])
    with pytest.raises(InvalidInputError, match="Mars/Olympus"):
        broken.slots(noon, noon)
