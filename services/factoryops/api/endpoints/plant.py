"""Devices and parameters."""

from __future__ import annotations

from factoryops.api.call import Asking, Call
from factoryops.api.plant_cache import describe_device, describe_parameter, newer
from factoryops.contracts import http
from factoryops.domain.time import from_us


async def list_devices(asking: Asking) -> http.DeviceList:
    """All devices of the factory with their parameters, and when each was last heard."""
    plant = await asking.plant()
    return http.DeviceList(devices=[_heard(asking, device) for device in plant.devices.values()])


async def change_device(device_id: http.Identifier, body: http.DeviceChange, asking: Asking) -> http.Device:
    """Edit what people call a device and where it stands."""
    fields = body.model_dump(exclude_unset=True)
    device = await asking.change(lambda tx: tx.devices(asking.scope).change(device_id, **fields))
    asking.service.hub.tell_plant(asking.scope.factory_id)
    held = (await asking.plant()).devices.get(device_id)
    return _heard(asking, describe_device(device, held.parameters if held is not None else []))


async def change_parameter(parameter_id: http.Identifier, body: http.ParameterChange, asking: Asking) -> http.Parameter:
    """Edit a parameter's name, unit, decimals and ranges; null clears a range, what is absent stays."""
    fields = body.model_dump(exclude_unset=True)
    parameter = await asking.change(lambda tx: tx.parameters(asking.scope).change(parameter_id, **fields))
    asking.service.hub.tell_plant(asking.scope.factory_id)
    return describe_parameter(parameter)


def _heard(asking: Call, device: http.Device) -> http.Device:
    presence = asking.service.hub.presence.of(asking.scope.factory_id, device.key)
    if presence is None:
        return device
    received_at = newer(device.last_received_at, from_us(presence.received_us))
    return device.model_copy(update={"last_received_at": received_at, "late_share": presence.late_share})
