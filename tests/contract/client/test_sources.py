from __future__ import annotations

import pytest

from factoryops.contracts import http
from factoryops.domain.errors import ConflictError, NotAllowedError
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
        plant.change_factory(http.FactoryChange(adopts_automatically=True)),
    ]
    for change in changes:
        with pytest.raises(NotAllowedError):
            await change
