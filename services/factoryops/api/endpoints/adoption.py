"""Devices that wait to be taken up, and whether the factory takes them up by itself."""

from __future__ import annotations

from factoryops.api.call import Asking
from factoryops.api.endpoints.quarantine import (
    describe_message,
    groups_with_examples,
    in_quarantine,
)
from factoryops.api.plant_cache import describe_device
from factoryops.contracts import http
from factoryops.contracts.telemetry import Reason
from factoryops.domain.plant import Factory
from factoryops.domain.time import from_us


async def get_factory(asking: Asking) -> http.FactorySettings:
    """The factory of the session, and what its administrators decide about it."""
    return _described(await asking.read(lambda tx: tx.adoption(asking.scope).factory()))


async def change_factory(body: http.FactoryChange, asking: Asking) -> http.FactorySettings:
    """Decide whether devices of the factory's own publishers are taken up by themselves."""
    wanted = body.adopts_automatically
    if wanted is None:
        return await get_factory(asking)
    return _described(
        await asking.change(lambda tx: tx.adoption(asking.scope).set_automatic(is_automatic=wanted))
    )  # fmt: skip


async def list_waiting_devices(asking: Asking) -> http.WaitingDeviceList:
    """Devices that publish and are not taken up, the one heard last first."""
    declined = await asking.read(lambda tx: tx.adoption(asking.scope).declined())
    known = {device.key for device in (await asking.plant()).devices.values()} | declined
    found = await in_quarantine(asking, lambda reader: groups_with_examples(reader, {}))
    devices = [
        http.WaitingDevice(
            key=group.origin, client=held.client, count=group.count, first_at=from_us(group.first_us),
            last_at=from_us(group.last_us), example=describe_message(held, {}),
        )
        for group, held in found
        if group.reason == Reason.UNKNOWN_DEVICE and group.is_device and group.origin not in known
    ]  # fmt: skip
    return http.WaitingDeviceList(devices=devices)


async def accept_device(body: http.DeviceAcceptance, asking: Asking) -> http.Device:
    """Take up a device: from its next message on its samples are stored."""
    fields = body.model_dump()
    device = await asking.change(lambda tx: tx.adoption(asking.scope).accept(**fields))
    asking.service.hub.tell_plant(asking.scope.factory_id)
    return describe_device(device, [])


async def decline_device(body: http.DeviceRefusal, asking: Asking) -> None:
    """Do not offer a device for seven days; its messages go on into quarantine."""
    await asking.change(lambda tx: tx.adoption(asking.scope).decline(body.key))


def _described(factory: Factory) -> http.FactorySettings:
    return http.FactorySettings(
        slug=factory.slug, name=factory.name, timezone=factory.timezone,
        adopts_automatically=factory.adopts_automatically,
    )  # fmt: skip
