"""Calculated parameters and the service's own alarms through the whole service."""

from __future__ import annotations

import pytest

from factoryops.client.http import HttpPlant
from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.samples import SampleFlag
from factoryops.domain.time import now_us
from factoryops.simulator.connection import DeviceConnection, MqttTarget
from factoryops.simulator.replay import telemetry
from tests.support.installation import Installation
from tests.support.rules import limit_content
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(180)

_CALCULATED = int(SampleFlag.CALCULATED)


async def _parameter(client: HttpPlant, key: str) -> http.Parameter | None:
    found = [one for device in await client.devices() for one in device.parameters if one.key == key]
    return found[0] if found else None


async def test_a_calculated_parameter_is_stored_shown_and_watched_and_survives_a_restart(
    installation: Installation,
) -> None:
    installation.add_factory("works")
    secret = installation.add_credential("works", "press", device="press-1")
    installation.start()
    client = await installation.log_in("works")
    device = DeviceConnection(MqttTarget("127.0.0.1", installation.endpoint_port, "works", "press", secret), "press-1")
    device.start()
    device.wait_connected(10.0)
    topic = "factories/works/devices/press-1/telemetry"
    device.publish(topic, telemetry(now_us(), {"volts": 230.0, "amperes": 1.0}))

    async def known() -> bool:
        return await _parameter(client, "amperes") is not None

    await until(known, every_s=0.1, what="the device's parameters")
    content = http.CalculationContent(
        device_key="press-1", parameter_key="watts", name="Power", unit="W", expression="volts * amperes"
    )
    made = await client.create_calculation(content)
    await client.create_rule(
        limit_content(
            name="Power high", parameter_key="watts", comparison=Comparison.ABOVE, limit=400, priority=Priority.HIGH
        )
    )

    async def taken_up() -> bool:
        return all(one.holds_from_seq is not None for one in await client.calculations()) and all(
            rule.holds_from_seq is not None for rule in await client.rules()
        )

    await until(taken_up, every_s=0.1, what="the calculation and the rule in force")
    begun_us = now_us()
    device.publish(topic, telemetry(begun_us, {"volts": 230.0, "amperes": 2.0}))

    async def alarm() -> bool:
        return [one.rule_name for one in await client.alarms()] == ["Power high"]

    await until(alarm, timeout_s=20, every_s=0.1, what="the alarm on the calculated value")

    async def stored() -> bool:
        columns = await client.raw(made.parameter_id, begun_us - 1, begun_us + 1)
        return list(zip(columns.value, columns.flags, strict=True)) == [(460.0, _CALCULATED)]

    await until(stored, every_s=0.1, what="the calculated value in the history")
    device.close()
    await client.close()
    installation.stop()
    installation.start()
    client = await installation.log_in("works")
    assert await stored()
    await until(alarm, timeout_s=20, every_s=0.1, what="the alarm after the restart")
    await client.close()
