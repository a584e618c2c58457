"""Rules and their versions, asked of the service and of the imagined plant alike."""

from __future__ import annotations

import pytest

from factoryops.contracts import http
from factoryops.domain.conditions.tree import (
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Condition,
    Constant,
    NoData,
    Not,
    Outside,
    Parameter,
)
from factoryops.domain.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from factoryops.domain.identity import Role
from factoryops.domain.rule import AlarmRecord, RuleMode, RuleScope
from factoryops.domain.schedules import Schedule
from tests.contract.client.conftest import Subject
from tests.support.rules import limit_content

_NOBODY = "0" * 32


async def test_every_version_tells_who_made_it_and_why(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    rule = await plant.create_rule(limit_content(name="Versions", limit=5.0), reason="asked for by the day shift")
    changed = limit_content(name="Versions", limit=6.0)
    update = http.RuleUpdate(version=1, content=changed, reason="5 was reached in normal work")
    await plant.update_rule(rule.id, update)
    told = [(one.version, one.changed_by, one.reason) for one in await plant.rule_versions(rule.id)]
    assert told == [
        (2, "supervisor", "5 was reached in normal work"),
        (1, "supervisor", "asked for by the day shift"),
    ]
    (difference,) = await plant.rule_differences(rule.id, 1, 2)
    assert (difference.path, difference.old, difference.new) == ("condition / limit", "5", "6")
    with pytest.raises(NotFoundError):
        await plant.rule_differences(rule.id, 1, 9)
    with pytest.raises(NotFoundError):
        await plant.rule_versions(_NOBODY)


async def test_rolling_back_puts_an_older_content_in_force_as_a_new_version(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    rule = await plant.create_rule(limit_content(name="Back", limit=5.0))
    await plant.update_rule(rule.id, http.RuleUpdate(version=1, content=limit_content(name="Back", limit=6.0)))
    wanted = http.RuleRollBack(version=2, to_version=1, reason="it alarmed all night")
    back = await plant.roll_back_rule(rule.id, wanted)
    assert (back.version, back.content, back.reason) == (3, rule.content, "it alarmed all night")
    with pytest.raises(ConflictError):
        await plant.roll_back_rule(rule.id, wanted)
    with pytest.raises(NotFoundError):
        await plant.roll_back_rule(rule.id, http.RuleRollBack(version=3, to_version=9))
    await plant.delete_rule(rule.id, reason="no longer needed")
    assert len(await plant.rule_versions(rule.id)) == 3
    with pytest.raises(NotFoundError):
        await plant.roll_back_rule(rule.id, http.RuleRollBack(version=3, to_version=1))


async def test_all_of_a_definition_comes_back_as_it_was_sent(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    device = (await plant.devices())[0]
    inlet = Compare(Parameter("pressure"), Comparison.ABOVE, Parameter("pressure", device.key), 0.5, 30.0)
    content = limit_content(name="Whole").model_copy(
        update={
            "condition": AllOf((inlet, NoData(60.0))),
            "suppress_while": NoData(600.0),
            "scope": RuleScope((device.key,), ("press",), ("Hall 9",)),
            "is_latching": True,
            "record": AlarmRecord(cause="Worn seal", severity="major", time_to_respond_s=300.0),
        }
    )
    made = await plant.create_rule(content)
    assert made.content == content
    assert content in [one.content for one in await plant.rules()]


async def test_large_conditions_of_plain_comparisons_travel_whole(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    deep: Condition = _above(0)
    for number in range(31):
        deep = AllOf((AnyOf((deep, _above(number))), _above(number)))
    wide = AnyOf(tuple(_above(number, f"p{number % 500}") for number in range(998)))
    for condition in (deep, wide):
        made = await plant.create_rule(limit_content(name="Large").model_copy(update={"condition": condition}))
        assert made.content.condition == condition
        changed = made.content.model_copy(update={"condition": Not(condition)})
        await plant.update_rule(made.id, http.RuleUpdate(version=1, content=changed))
        assert await plant.rule_differences(made.id, 1, 2)
        await plant.delete_rule(made.id)


def _above(limit: float, key: str = "pressure") -> Compare:
    return Compare(Parameter(key), Comparison.ABOVE, Constant(float(limit)))


async def test_what_cannot_be_evaluated_is_refused_naming_its_field(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    foreign = Compare(Parameter("pressure", "nobody-1"), Comparison.ABOVE, Parameter("pressure"))
    for fields, field in (
        ({"condition": AllOf(())}, "condition"),
        ({"condition": foreign}, "condition"),
        ({"scope": RuleScope(("nobody-1",))}, "scope"),
        ({"record": AlarmRecord(action="x" * 4_001)}, "record"),
    ):
        with pytest.raises(InvalidInputError) as refused:
            await plant.create_rule(limit_content().model_copy(update=fields))
        assert field in refused.value.fields


async def test_a_rule_cannot_name_a_shift_a_policy_or_a_rule_that_is_not_there(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    rule = await plant.create_rule(limit_content(name="Names what is there"))
    by_night = AllOf((rule.content.condition, Outside(Schedule(shifts=(_NOBODY,)))))
    for fields, field in (
        ({"schedule": Schedule(shifts=(_NOBODY,))}, "schedule"),
        ({"condition": by_night}, "schedule"),
        ({"suppress_while": by_night}, "schedule"),
        ({"notify": (_NOBODY,)}, "notify"),
        ({"parent_rule": _NOBODY}, "parent_rule"),
        ({"parent_rule": rule.id}, "parent_rule"),
    ):
        content = limit_content(name="Names what is there").model_copy(update=fields)
        with pytest.raises(InvalidInputError) as refused:
            await plant.update_rule(rule.id, http.RuleUpdate(version=1, content=content))
        assert field in refused.value.fields
        if content.parent_rule != rule.id:
            with pytest.raises(InvalidInputError, match=_NOBODY):
                await plant.create_rule(content)


async def test_a_version_that_names_a_deleted_shift_is_not_put_in_force_again(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    shift = await plant.create_shift(
        http.ShiftContent(name="Short", windows=[http.ShiftWindow(start="01:00", end="02:00")])
    )
    content = limit_content(name="By shift").model_copy(update={"schedule": Schedule(shifts=(shift.id,))})
    rule = await plant.create_rule(content)
    await plant.update_rule(rule.id, http.RuleUpdate(version=1, content=limit_content(name="By shift")))
    await plant.delete_shift(shift.id)
    with pytest.raises(InvalidInputError, match="There is no shift"):
        await plant.roll_back_rule(rule.id, http.RuleRollBack(version=2, to_version=1))


async def test_a_rule_that_others_follow_stays(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    cause = await plant.create_rule(limit_content(name="Supply failed"))
    effect = limit_content(name="No pressure").model_copy(update={"parent_rule": cause.id})
    follower = await plant.create_rule(effect)
    with pytest.raises(ConflictError, match="followed by No pressure"):
        await plant.delete_rule(cause.id)
    await plant.delete_rule(follower.id)
    await plant.delete_rule(cause.id)


async def test_who_may_look_may_see_versions_and_change_nothing(subject: Subject) -> None:
    plant = await subject.enter(Role.VIEWER)
    rule = (await plant.rules())[0]
    assert await plant.rule_versions(rule.id)
    with pytest.raises(NotAllowedError):
        await plant.roll_back_rule(rule.id, http.RuleRollBack(version=1, to_version=1))


async def test_an_import_is_tried_first_and_then_made_once(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    device = (await plant.devices())[0]
    tree = {"operator": "AND", "conditions": [{"parameter": "pressure", "operator": "gt", "value": 5}]}
    rules = [
        {"name": "Imported", "scope": "device", "device_ids": [7], "conditions": tree, "severity": "high"},
        {"name": "Never", "conditions": {"operator": "OR", "conditions": []}},
        {"name": "Elsewhere", "scope": "device", "device_ids": ["nobody-1"], "conditions": tree},
    ]
    request = http.RuleImport(rules=rules, devices={"7": device.key}, mode=RuleMode.SHADOW)
    tried = await plant.import_rules(request)
    assert [one.content is not None for one in tried.rules] == [True, False, False]
    assert [one.rule_id for one in tried.rules] == [None, None, None]
    assert "nobody-1" in tried.rules[2].notes[0]
    assert "Imported" not in {one.content.name for one in await plant.rules()}
    made = (await plant.import_rules(request.model_copy(update={"is_dry_run": False}))).rules[0]
    rule = next(one for one in await plant.rules() if one.id == made.rule_id)
    assert (rule.content, rule.content.mode) == (tried.rules[0].content, RuleMode.SHADOW)
    assert rule.content.scope == RuleScope((device.key,))
    again = await plant.import_rules(request.model_copy(update={"is_dry_run": False}))
    assert again.rules[0].notes == ["A rule of this name is there already."]
