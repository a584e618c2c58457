"""A factory's shifts and operating positions: named once, changed by supervisors, an area for one operator."""

from __future__ import annotations

import pytest

from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Compare, Comparison, Constant, Parameter
from factoryops.domain.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from factoryops.domain.identity import Role, new_id
from factoryops.domain.rule import RuleDefinition
from factoryops.domain.schedules import Schedule
from tests.contract.client.conftest import Subject

NIGHT = http.ShiftWindow(start="22:00", end="06:00", days=[1, 2, 3, 4, 5])


def shift(name: str) -> http.ShiftContent:
    return http.ShiftContent(name=name, windows=[NIGHT])


async def test_a_shift_is_added_changed_and_taken_away(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    made = await plant.create_shift(shift("Maintenance"))
    assert (made.version, made.content, made.changed_by) == (1, shift("Maintenance"), "supervisor")
    with pytest.raises(ConflictError, match="taken"):
        await plant.create_shift(shift(" maintenance"))
    longer = http.ShiftContent(name="Maintenance", windows=[NIGHT, http.ShiftWindow(start="06:00", end="08:00")])
    update = http.ShiftUpdate(version=1, content=longer)
    changed = await plant.update_shift(made.id, update)
    assert (changed.version, changed.content) == (2, longer)
    assert changed in await plant.shifts()
    with pytest.raises(ConflictError, match="Somebody else"):
        await plant.update_shift(made.id, update)
    await plant.delete_shift(made.id)
    assert made.id not in [one.id for one in await plant.shifts()]
    for act in (plant.delete_shift(made.id), plant.update_shift(made.id, update)):
        with pytest.raises(NotFoundError):
            await act


async def test_a_shift_that_a_rule_uses_stays(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    used = await plant.create_shift(shift("Weekend"))
    definition = RuleDefinition(
        name="Running at the weekend",
        condition=Compare(Parameter("pressure"), Comparison.ABOVE, Constant(900.0)),
        priority=Priority.LOW,
        schedule=Schedule(shifts=(used.id,)),
    )
    rule = await plant.create_rule(http.RuleContent.of(definition))
    with pytest.raises(ConflictError, match="used by Running at the weekend"):
        await plant.delete_shift(used.id)
    await plant.delete_rule(rule.id)
    await plant.delete_shift(used.id)


async def test_an_area_belongs_to_one_operating_position(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    filling = await plant.create_position(http.PositionContent(name="Filling", areas=["Hall 8", ""]))
    with pytest.raises(InvalidInputError, match="Hall 8 already belongs to the position Filling") as caught:
        await plant.create_position(http.PositionContent(name="Packing", areas=["Hall 9", "Hall 8"]))
    assert "areas" in caught.value.fields
    packing = await plant.create_position(http.PositionContent(name="Packing", areas=["Hall 9"]))
    assert [one for one in await plant.positions() if one.id in (filling.id, packing.id)] == [filling, packing]
    wider = http.PositionContent(name="Filling", areas=["Hall 8", "Hall 7"])
    changed = await plant.update_position(filling.id, http.PositionUpdate(version=1, content=wider))
    assert (changed.version, changed.content) == (2, wider)
    for one in (filling, packing):
        await plant.delete_position(one.id)
    with pytest.raises(NotFoundError):
        await plant.delete_position(filling.id)


async def test_operators_see_how_the_factory_works_and_change_nothing(subject: Subject) -> None:
    plant = await subject.enter(Role.OPERATOR)
    await plant.shifts()
    await plant.positions()
    position = http.PositionContent(name="Filling", areas=["Hall 8"])
    identity = new_id()
    for change in (
        plant.create_shift(shift("Mine")),
        plant.update_shift(identity, http.ShiftUpdate(version=1, content=shift("Mine"))),
        plant.delete_shift(identity),
        plant.create_position(position),
        plant.update_position(identity, http.PositionUpdate(version=1, content=position)),
        plant.delete_position(identity),
    ):
        with pytest.raises(NotAllowedError):
            await change
