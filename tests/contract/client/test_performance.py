"""Anybody may see how many alarms reach an operator."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from factoryops.contracts import http
from factoryops.domain.errors import InvalidInputError, NotFoundError
from factoryops.domain.identity import Role, new_id
from factoryops.domain.performance.thresholds import DEFAULT, Target
from tests.contract.client.conftest import Subject


async def test_figures_of_the_whole_factory_name_the_alarms_they_speak_of(subject: Subject) -> None:
    plant = await subject.enter(Role.VIEWER)
    found = await plant.alarm_performance()
    figures = found.figures
    assert (found.position_id, found.position_name) == ("", "")
    assert figures.end_us - figures.start_us == 30 * 86_400_000_000
    assert figures.rates.annunciations > 0
    assert [one.priority for one in figures.priorities] == [1, 2, 3, 4]
    assert sum(one.annunciations for one in figures.priorities) == figures.rates.annunciations
    named = {one.number for one in found.alarms}
    assert {one.alarm for one in figures.top} | {one.alarm for one in figures.standing} <= named
    assert all(one.rule_name and one.device_name for one in found.alarms)


async def test_a_position_has_the_alarms_of_its_areas_alone(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    whole = await plant.alarm_performance()
    areas = sorted({one.area for one in whole.alarms})
    mine = await plant.create_position(http.PositionContent(name="All areas", areas=areas))
    nobody = await plant.create_position(http.PositionContent(name="Elsewhere", areas=["Nowhere"]))
    same = await plant.alarm_performance(position=mine.id)
    assert same.position_name == "All areas"
    assert same.figures.rates.annunciations == whole.figures.rates.annunciations
    none = await plant.alarm_performance(position=nobody.id)
    assert (none.figures.rates.annunciations, none.alarms) == (0, [])
    for one in (mine, nobody):
        await plant.delete_position(one.id)
    with pytest.raises(NotFoundError):
        await plant.alarm_performance(position=new_id())


async def test_an_empty_span_is_refused(subject: Subject) -> None:
    plant = await subject.enter(Role.VIEWER)
    now = datetime.now(UTC)
    with pytest.raises(InvalidInputError):
        await plant.alarm_performance(start=now, end=now)


async def test_a_flood_is_told_for_the_factory_and_for_each_position(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    mine = await plant.create_position(http.PositionContent(name="Quiet corner", areas=["Nowhere"]))
    whole, *others = await plant.floods()
    assert (whole.position_id, whole.is_flood, whole.since) == ("", False, None)
    (quiet,) = [one for one in others if one.position_id == mine.id]
    assert (quiet.position_name, quiet.is_flood, quiet.count) == ("Quiet corner", False, 0)
    listed = (await plant.alarm_list()).floods
    assert [(one.position_id, one.is_flood) for one in listed] == [
        (one.position_id, one.is_flood) for one in (whole, *others)
    ]
    await plant.delete_position(mine.id)


async def test_alarms_of_a_class_that_does_not_count_are_in_no_figure(subject: Subject) -> None:
    plant = await subject.enter(Role.ADMIN)
    before = await plant.philosophy()
    uncounted = [one.model_copy(update={"is_counted": False}) for one in before.classes]
    change = http.PhilosophyChange(version=before.version, classes=uncounted, matrix=before.matrix)
    assert (await plant.alarm_performance()).figures.rates.annunciations > 0
    after = await plant.change_philosophy(change)
    found = await plant.alarm_performance()
    assert (found.figures.rates.annunciations, found.alarms) == (0, [])
    back = http.PhilosophyChange(version=after.version, classes=before.classes, matrix=before.matrix)
    await plant.change_philosophy(back)


async def test_figures_and_floods_are_judged_by_the_thresholds_of_the_factory(subject: Subject) -> None:
    plant = await subject.enter(Role.ADMIN)
    before = await plant.philosophy()
    assert before.thresholds == (await plant.alarm_performance()).figures.limits == DEFAULT
    chosen = replace(DEFAULT, busy_interval=4, flood_entry=1, flood_exit=1, rate_per_hour=Target(2.0, 4.0))
    change = http.PhilosophyChange(
        version=before.version, classes=before.classes, matrix=before.matrix, thresholds=chosen
    )
    after = await plant.change_philosophy(change)
    assert (after.thresholds, (await plant.philosophy()).thresholds) == (chosen, chosen)
    assert (await plant.alarm_performance()).figures.limits == chosen
    whole = (await plant.floods())[0]
    assert whole.is_flood or whole.count < 2
    for refused in (replace(chosen, flood_exit=2), replace(chosen, rate_per_hour=Target(5.0, 4.0))):
        with pytest.raises(InvalidInputError):
            await plant.change_philosophy(change.model_copy(update={"version": after.version, "thresholds": refused}))
    back = http.PhilosophyChange(version=after.version, classes=before.classes, matrix=before.matrix)
    assert (await plant.change_philosophy(back)).thresholds == DEFAULT
