"""What operators do with alarms, over the API and in the imagined plant alike."""

from __future__ import annotations

import pytest

from factoryops.contracts import http
from factoryops.domain.alarms import AlarmState
from factoryops.domain.conditions.checking import own_parameters
from factoryops.domain.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from factoryops.domain.identity import Role
from factoryops.domain.rule import RuleMode, RuleScope
from tests.contract.client.conftest import Subject


async def test_shelving_puts_an_alarm_aside_and_taking_it_up_announces_it_again(subject: Subject) -> None:
    plant = await subject.enter(Role.OPERATOR)
    active = next(one for one in await plant.alarms() if one.is_active)
    request = http.ShelveRequest(alarm_ids=[active.id], reason="sensor is changed", for_s=600)
    (shelved,) = await plant.shelve(request)
    assert shelved.state is AlarmState.SHELVED
    assert await plant.shelve(request) == [shelved]
    listed = await plant.alarm_list(http.AlarmTab.SHELVED)
    assert ([one.id for one in listed.alarms], listed.counts.shelved) == ([active.id], 1)
    (back,) = await plant.unshelve(http.TakeUpRequest(alarm_ids=[active.id]))
    assert (back.state, back.renewal > active.renewal) == (AlarmState.UNACKNOWLEDGED, True)
    events = (await plant.alarm_events(alarm_id=active.id)).events
    assert {"shelved", "unshelved", "renewed"} <= {event.kind.value for event in events}


async def test_what_cannot_be_is_refused_and_nothing_is_done(subject: Subject) -> None:
    plant = await subject.enter(Role.OPERATOR)
    alarm = next(one for one in await plant.alarms() if one.is_active)
    with pytest.raises(InvalidInputError):
        await plant.shelve(http.ShelveRequest(alarm_ids=[alarm.id], reason="x", for_s=6 * 86_400))
    with pytest.raises(NotFoundError):
        await plant.shelve(http.ShelveRequest(alarm_ids=[alarm.id, "0" * 32], reason="x", for_s=60))
    with pytest.raises(NotAllowedError):
        await plant.take_out_of_service(http.TakeOutRequest(alarm_ids=[alarm.id], reason="x"))
    assert alarm in await plant.alarms()


async def test_supervisors_take_alarms_out_of_service_and_return_them(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    alarm = next(one for one in await plant.alarms() if one.is_active)
    (out,) = await plant.take_out_of_service(http.TakeOutRequest(alarm_ids=[alarm.id], reason="overhaul"))
    assert out.state is AlarmState.OUT_OF_SERVICE
    (back,) = await plant.return_to_service(http.TakeUpRequest(alarm_ids=[alarm.id]))
    assert back.state is AlarmState.UNACKNOWLEDGED
    assert any(place.count for place in await plant.alarm_places())
    assert (await plant.response_sheet(alarm.id)).rule_name == alarm.rule_name


async def test_the_philosophy_is_put_anew_as_a_whole(subject: Subject) -> None:
    plant = await subject.enter()
    before = await plant.philosophy()
    classes = [before.classes[0].model_copy(update={"name": "Everything"}), *before.classes[1:]]
    change = http.PhilosophyChange(version=before.version, classes=classes, matrix=before.matrix)
    after = await plant.change_philosophy(change)
    assert after.classes[0].name == "Everything"
    with pytest.raises(ConflictError):
        await plant.change_philosophy(change)
    with pytest.raises(InvalidInputError):
        await plant.change_philosophy(change.model_copy(update={"version": after.version, "classes": []}))
    severity = before.matrix.severities[-1]
    assert (await plant.proposed_priority(severity, 60)).priority == before.matrix.priorities[-1][0]
    assert (await plant.proposed_priority(severity, 0)).priority is None


async def test_a_class_that_rules_name_cannot_be_removed_and_one_that_is_gone_cannot_be_named(subject: Subject) -> None:
    plant = await subject.enter()
    rule = (await plant.rules())[0]
    content = rule.content.model_copy(update={"name": "Seal worn", "alarm_class": "maintenance"})
    named = await plant.create_rule(content)
    before = await plant.philosophy()
    left = [one for one in before.classes if one.id != "maintenance"]
    without = http.PhilosophyChange(version=before.version, classes=left, matrix=before.matrix)
    with pytest.raises(ConflictError, match=r"Maintenance cannot be removed.*Seal worn"):
        await plant.change_philosophy(without)
    classless = named.content.model_copy(update={"alarm_class": ""})
    unnamed = await plant.update_rule(named.id, http.RuleUpdate(version=named.version, content=classless))
    after = await plant.change_philosophy(without)
    assert [one.id for one in after.classes] == [one.id for one in left]
    with pytest.raises(InvalidInputError, match="no alarm class 'maintenance'") as refused:
        await plant.update_rule(named.id, http.RuleUpdate(version=unnamed.version, content=named.content))
    assert set(refused.value.fields) == {"alarm_class"}
    with pytest.raises(InvalidInputError, match="no alarm class 'maintenance'"):
        await plant.create_rule(named.content)
    with pytest.raises(InvalidInputError, match="no alarm class 'maintenance'"):
        await plant.roll_back_rule(named.id, http.RuleRollBack(to_version=named.version, version=unnamed.version))
    await plant.delete_rule(named.id)
    back = http.PhilosophyChange(version=after.version, classes=before.classes, matrix=before.matrix)
    await plant.change_philosophy(back)


async def test_an_alarm_that_was_never_raised_can_be_put_aside_beforehand(subject: Subject) -> None:
    plant = await subject.enter()
    model = (await plant.rules())[0]
    watched = own_parameters(model.content.condition)
    devices = await plant.devices()
    device = next(one for one in devices if watched & {parameter.key for parameter in one.parameters})
    scope = RuleScope(devices=(device.key,))
    content = model.content.model_copy(update={"name": "Known bad sensor", "scope": scope, "alarm_class": ""})
    rule = await plant.create_rule(content)
    (quiet,) = await plant.prepare_alarms(rule.id, [device.id, device.id])
    assert (quiet.state, quiet.annunciation, quiet.rule_name) == (AlarmState.NORMAL, 0, "Known bad sensor")
    assert quiet.id not in {one.id for one in await plant.alarms()}
    assert await plant.prepare_alarms(rule.id, [device.id]) == [quiet]
    (out,) = await plant.take_out_of_service(http.TakeOutRequest(alarm_ids=[quiet.id], reason="sensor is dead"))
    assert out.state is AlarmState.OUT_OF_SERVICE
    assert quiet.id in {one.id for one in (await plant.alarm_list(http.AlarmTab.OUT_OF_SERVICE)).alarms}
    (back,) = await plant.return_to_service(http.TakeUpRequest(alarm_ids=[quiet.id]))
    assert back.state is AlarmState.NORMAL
    await plant.delete_rule(rule.id)


async def test_only_alarms_of_live_rules_on_their_own_devices_are_prepared(subject: Subject) -> None:
    plant = await subject.enter()
    model, devices = (await plant.rules())[0], await plant.devices()
    bound = model.content.model_copy(update={"name": "Bound", "scope": RuleScope(devices=(devices[0].key,))})
    rule = await plant.create_rule(bound)
    with pytest.raises(NotFoundError):
        await plant.prepare_alarms("0" * 32, [devices[0].id])
    with pytest.raises(NotFoundError):
        await plant.prepare_alarms(rule.id, ["0" * 32])
    with pytest.raises(InvalidInputError, match="not evaluated"):
        await plant.prepare_alarms(rule.id, [devices[-1].id])
    tried = bound.model_copy(update={"mode": RuleMode.SHADOW})
    await plant.update_rule(rule.id, http.RuleUpdate(version=rule.version, content=tried))
    with pytest.raises(ConflictError, match="only being tried"):
        await plant.prepare_alarms(rule.id, [devices[0].id])
    await plant.delete_rule(rule.id)
