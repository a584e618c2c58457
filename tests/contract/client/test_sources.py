from __future__ import annotations

import json

import pytest

from factoryops.contracts import http
from factoryops.domain.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from factoryops.domain.identity import Role
from tests.contract.client.conftest import Subject


async def test_quarantine_is_grouped_and_each_group_leads_to_its_messages(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    groups = await plant.quarantine_groups()
    assert sum(group.count for group in groups) == len((await plant.quarantine()).messages)
    for group in groups:
        page = await plant.quarantine(reason=group.reason, origin=group.origin)
        assert len(page.messages) == group.count
        assert page.messages[0] == group.example
        assert {message.reason for message in page.messages} == {group.reason}
        assert (group.first_at, group.last_at) == (page.messages[-1].received_at, page.messages[0].received_at)
    waiting = next(group for group in groups if group.reason == "unknown_device")
    assert (waiting.origin, waiting.is_device) == ("packer-2", True)
    foreign = next(group for group in groups if group.reason == "invalid_topic")
    assert (foreign.origin, foreign.is_device) == ("+/+/state", False)


async def test_a_declined_device_is_not_offered_and_an_accepted_one_is_a_device(subject: Subject) -> None:
    plant = await subject.enter(Role.ADMIN)
    (waiting,) = await plant.waiting_devices()
    assert (waiting.key, waiting.example.reason) == ("packer-2", "unknown_device")
    assert waiting.count >= 3
    await plant.decline_device(waiting.key)
    assert await plant.waiting_devices() == []
    wanted = http.DeviceAcceptance(key=waiting.key, name="Packer 2", area="Hall 2")
    device = await plant.accept_device(wanted)
    assert (device.key, device.name, device.area) == ("packer-2", "Packer 2", "Hall 2")
    assert device.id in [one.id for one in await plant.devices()]
    with pytest.raises(ConflictError):
        await plant.accept_device(wanted)


async def test_an_administrator_decides_whether_devices_are_taken_up_by_themselves(subject: Subject) -> None:
    plant = await subject.enter(Role.ADMIN)
    for is_automatic in (True, False):
        changed = await plant.change_factory(http.FactoryChange(adopts_automatically=is_automatic))
        assert changed.adopts_automatically is is_automatic
        assert await plant.factory_settings() == changed


async def test_operators_see_no_quarantine_and_supervisors_change_nothing_of_it(subject: Subject) -> None:
    plant = await subject.enter(Role.OPERATOR)
    for looking in (plant.quarantine_groups(), plant.waiting_devices()):
        with pytest.raises(NotAllowedError):
            await looking
    plant = await subject.enter(Role.SUPERVISOR)
    await plant.waiting_devices()
    changes = [
        plant.accept_device(http.DeviceAcceptance(key="x")),
        plant.decline_device("x"),
        plant.create_mapping(_press()),
        plant.change_factory(http.FactoryChange(adopts_automatically=True)),
    ]
    for change in changes:
        with pytest.raises(NotAllowedError):
            await change


def _press(topic: str = "hall2/{device}/state", **fields: object) -> http.MappingContent:
    values = [
        {"parameter": "force", "path": "$.d.force", "unit": "kN"},
        {"parameter": "oil", "path": "$.d.oil", "scale": 0.1, "unit": "°C"},
        {"parameter": "is_on", "path": "$.d.on", "type": "boolean"},
        {"parameter": "mode", "path": "$.d.mode", "type": "text"},
    ]
    plain = {"name": "Presses", "topic": topic, "time": {"path": "$.t", "form": "ms"}, "values": values}
    return http.MappingContent.model_validate({**plain, **fields})


async def test_a_mapping_is_tried_kept_changed_and_taken_away(subject: Subject) -> None:
    plant = await subject.enter(Role.ADMIN)
    trial = http.MappingTrial(
        content=_press(),
        topic="hall2/press-7/state",
        payload='{"t": 1772323200000, "d": {"force": 512, "oil": 415, "on": true, "mode": "auto"}}',
    )
    outcome = await plant.try_mapping(trial)
    assert outcome.matches
    assert {one.parameter: one.value for one in outcome.samples} == {
        "force": 512, "oil": 41.5, "is_on": True, "mode": "auto",
    }  # fmt: skip
    assert {(one.device, one.time_us) for one in outcome.samples} == {("press-7", 1_772_323_200_000_000)}
    assert [one.value for one in outcome.samples if one.parameter == "is_on"] == [True]
    made = await plant.create_mapping(_press())
    assert (made.version, made.content) == (1, _press())
    changed = await plant.update_mapping(made.id, http.MappingUpdate(version=1, content=_press(is_enabled=True)))
    assert (changed.version, changed.content.is_enabled) == (2, True)
    assert await plant.mappings() == [changed]
    with pytest.raises(ConflictError):
        await plant.update_mapping(made.id, http.MappingUpdate(version=1, content=_press()))
    await plant.delete_mapping(made.id)
    assert await plant.mappings() == []
    with pytest.raises(NotFoundError):
        await plant.delete_mapping(made.id)


async def test_a_mapping_with_faults_names_their_fields_and_overlaps_are_refused(subject: Subject) -> None:
    plant = await subject.enter(Role.ADMIN)
    faulty = _press(topic="hall2/state", values=[{"parameter": "x", "path": "force"}])
    with pytest.raises(InvalidInputError) as raised:
        await plant.create_mapping(faulty)
    assert {"topic", "values[0].path"} <= set(raised.value.fields)
    outcome = await plant.try_mapping(http.MappingTrial(content=faulty, topic="a", payload="b"))
    assert set(outcome.faults) == set(raised.value.fields)
    first = await plant.create_mapping(_press(is_enabled=True))
    with pytest.raises(ConflictError, match="overlap"):
        await plant.create_mapping(_press(name="Others", topic="+/{device}/state", is_enabled=True))
    other = await plant.create_mapping(_press(name="Others", topic="+/{device}/state", is_enabled=True, order=5))
    for mapping in (first, other):
        await plant.delete_mapping(mapping.id)


async def test_a_replay_is_previewed_under_a_mapping_that_is_not_in_force(subject: Subject) -> None:
    plant = await subject.enter(Role.ADMIN)
    group = next(one for one in await plant.quarantine_groups() if one.reason == "invalid_topic")
    chosen = http.QuarantineChoice(reason=group.reason, origin=group.origin)
    stays = await plant.preview_replay(chosen)
    assert (stays.messages, stays.accepted, stays.samples) == (group.count, 0, 0)
    assert [(one.reason, one.count) for one in stays.refusals] == [("invalid_topic", group.count)]
    await plant.change_factory(http.FactoryChange(adopts_automatically=False))
    unknown = await plant.preview_replay(chosen.model_copy(update={"mapping": _press()}))
    assert [(one.reason, one.count) for one in unknown.refusals] == [("unknown_device", group.count)]
    await plant.change_factory(http.FactoryChange(adopts_automatically=True))
    read = await plant.preview_replay(chosen.model_copy(update={"mapping": _press()}))
    assert (read.messages, read.accepted, read.refusals) == (group.count, group.count, [])
    assert read.samples == len(read.shown) == 4 * group.count
    newest = {one.parameter: one for one in read.shown if one.number == group.example.number}
    assert {one.device for one in newest.values()} == {"press-7"}
    body = json.loads(group.example.payload)
    assert {one.time_us for one in newest.values()} == {body["t"] * 1_000}
    assert {one.parameter: one.value for one in newest.values()} == {
        "force": body["d"]["force"], "oil": body["d"]["oil"] * 0.1, "is_on": body["d"]["on"],
        "mode": body["d"]["mode"],
    }  # fmt: skip
    with pytest.raises(InvalidInputError):
        await plant.preview_replay(chosen.model_copy(update={"mapping": _press(topic="x")}))


async def test_a_replay_is_a_run_of_its_own_that_nobody_starts_by_another_way(subject: Subject) -> None:
    plant = await subject.enter(Role.ADMIN)
    number = (await plant.quarantine(reason="invalid_topic")).messages[0].number
    run = await plant.start_replay(http.QuarantineChoice(numbers=[number], mapping=_press()))
    assert (run.kind, run.requested_by) == (http.JobKind.QUARANTINE_REPLAY, "admin")
    with pytest.raises(NotFoundError):
        await plant.start_replay(http.QuarantineChoice(numbers=[10**9]))
    with pytest.raises(InvalidInputError):
        await plant.start_run(http.RunRequest(kind=http.JobKind.QUARANTINE_REPLAY))
    change = http.ScheduleChange(is_enabled=True, local_time="06:00")
    with pytest.raises(NotFoundError):
        await plant.change_schedule(http.JobKind.QUARANTINE_REPLAY, change)
    plant = await subject.enter(Role.SUPERVISOR)
    with pytest.raises(NotAllowedError):
        await plant.start_replay(http.QuarantineChoice(numbers=[number]))
