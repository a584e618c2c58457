"""Scheduled rules: kept by supervisors, changed from the version they were seen in."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from factoryops.contracts import http
from factoryops.domain.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from factoryops.domain.identity import Role, new_id
from tests.contract.client.conftest import Subject


def content(name: str, **fields: object) -> http.ScheduledRuleContent:
    values: dict[str, object] = {
        "name": name, "devices": ["pump-1"], "parameter": "pressure", "aggregate": "mean", "window": "yesterday",
        "comparison": "gt", "limit": 5, "local_time": "06:15", "days": [1, 2, 3, 4, 5], "priority": 4,
    }  # fmt: skip
    return http.ScheduledRuleContent.model_validate(values | fields)


async def test_a_scheduled_rule_is_added_changed_and_taken_away(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    made = await plant.create_scheduled_rule(content("Leaks"))
    assert (made.version, made.content) == (1, content("Leaks"))
    with pytest.raises(ConflictError, match="taken"):
        await plant.create_scheduled_rule(content("leaks "))
    update = http.ScheduledRuleUpdate(version=1, content=content("Leaks", limit=7))
    changed = await plant.update_scheduled_rule(made.id, update)
    assert (changed.version, changed.content.limit) == (2, 7.0)
    assert changed in await plant.scheduled_rules()
    with pytest.raises(ConflictError, match="Somebody else"):
        await plant.update_scheduled_rule(made.id, update)
    await plant.delete_scheduled_rule(made.id)
    with pytest.raises(NotFoundError):
        await plant.delete_scheduled_rule(made.id)


async def test_it_may_be_for_kinds_areas_or_the_whole_factory(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    wanted = content("Future pumps", devices=[], kinds=["not delivered yet"], areas=["Hall Z"], parameter="future")
    made = await plant.create_scheduled_rule(wanted)
    assert (made.content, made.content.scope.covers("p", "", "Hall Z")) == (wanted, True)
    everywhere = http.ScheduledRuleUpdate(version=1, content=content("Future pumps", devices=[]))
    changed = await plant.update_scheduled_rule(made.id, everywhere)
    assert changed.content.scope.is_whole_factory
    await plant.delete_scheduled_rule(made.id)
    with pytest.raises(ValidationError, match="named once"):
        content("Twice", kinds=["pump", "pump"])


async def test_what_it_names_must_be_there(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    with pytest.raises(InvalidInputError, match="has no parameter") as caught:
        await plant.create_scheduled_rule(content("Wrong", parameter="nothing"))
    assert "devices" in caught.value.fields
    with pytest.raises(NotFoundError):
        await plant.create_scheduled_rule(content("Wrong", window="last_shift", shift_id=new_id()))
    with pytest.raises(ValidationError):
        content("Wrong", window="last_shift")


async def test_it_may_look_at_an_expression_of_several_parameters(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    calculated = content("Per piece", parameter=None, expression='pressure / 2 + "pump-1".pressure', maximum_age_s=60)
    made = await plant.create_scheduled_rule(calculated)
    assert made.content == calculated
    assert (made.content.own_parameters, made.content.subject) == (("pressure",), calculated.expression)
    wrong = content("Wrong", parameter=None, expression='pressure + "pump-1".nothing')
    with pytest.raises(InvalidInputError, match="no parameter 'nothing'") as caught:
        await plant.create_scheduled_rule(wrong)
    assert "expression" in caught.value.fields
    with pytest.raises(InvalidInputError, match="has no parameter nothing"):
        await plant.create_scheduled_rule(content("Wrong", parameter=None, expression="pressure + nothing"))
    for fields in ({"expression": "pressure"}, {"parameter": None}, {"parameter": None, "expression": "1 +"}):
        with pytest.raises(ValidationError):
            content("Neither or both", **fields)
    with pytest.raises(ValidationError, match="names no parameter"):
        content("Nothing", parameter=None, expression="1 + 1")
    await plant.delete_scheduled_rule(made.id)


async def test_a_shift_that_a_scheduled_rule_uses_stays(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    window = http.ShiftWindow(start="22:00", end="06:00")
    shift = await plant.create_shift(http.ShiftContent(name="Counted", windows=[window]))
    rule = await plant.create_scheduled_rule(content("Per shift", window="last_shift", shift_id=shift.id))
    with pytest.raises(ConflictError, match="used by Per shift"):
        await plant.delete_shift(shift.id)
    await plant.delete_scheduled_rule(rule.id)
    await plant.delete_shift(shift.id)


async def test_operators_see_scheduled_rules_and_change_none(subject: Subject) -> None:
    plant = await subject.enter(Role.OPERATOR)
    await plant.scheduled_rules()
    for change in (
        plant.create_scheduled_rule(content("Mine")),
        plant.update_scheduled_rule(new_id(), http.ScheduledRuleUpdate(version=1, content=content("Mine"))),
        plant.delete_scheduled_rule(new_id()),
    ):
        with pytest.raises(NotAllowedError):
            await change
