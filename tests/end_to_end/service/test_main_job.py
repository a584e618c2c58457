"""The main job on real parts: a recording goes in over MQTT, and comes out of the API equal to the file."""

from __future__ import annotations

import asyncio
import math
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from factoryops.client.http import HttpPlant
from factoryops.client.port import LiveLink
from factoryops.contracts import http, live
from factoryops.domain.alarms import AlarmState, Priority
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.time import now_us, to_us
from factoryops.simulator.connection import DeviceConnection, MqttTarget
from factoryops.simulator.replay import telemetry
from tests.support.installation import Installation, write_recording
from tests.support.rules import limit_content
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(180)

ROWS = [
    (
        (datetime(2020, 3, 9, 10, 14, 33) + timedelta(seconds=index)).isoformat(sep=" "),  # noqa: DTZ001 - as recorded
        {
            "Pressure": math.sin(index / 9) * 0.4,
            "Volume Flow RateRMS": 32 + index / 7,
            "Thermocouple": 28.5 + 0.01 * index,
        },
    )
    for index in range(240)
]


def series_of(rows: list[tuple[str, dict[str, float]]], name: str, shift: timedelta) -> list[tuple[int, float]]:
    return [
        (to_us(datetime.fromisoformat(moment).replace(tzinfo=UTC) + shift), values[name]) for moment, values in rows
    ]


async def read_back(client: HttpPlant, device_key: str) -> dict[str, list[tuple[int, float]]]:
    async def is_there() -> bool:
        return any(one.key == device_key for one in await client.devices())

    await until(is_there, what="the device")
    devices = {one.key: one for one in await client.devices()}
    found: dict[str, list[tuple[int, float]]] = {}
    for parameter in devices[device_key].parameters:
        columns = await client.raw(parameter.id, 0, now_us() + 3_600_000_000)
        found[parameter.key] = list(zip(columns.time_us, columns.value, strict=True))
    return found


async def test_a_recording_comes_back_from_the_api_equal_to_the_file_and_once(
    installation: Installation, tmp_path: Path
) -> None:
    recording = tmp_path / "rig.csv"
    write_recording(recording, ROWS)
    installation.add_factory("works")
    installation.start()
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=3)
    arguments = ("replay", str(recording), "--device", "rig", "--speed", "0", "--at", at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    for _ in range(2):
        done = await asyncio.to_thread(installation.command, *arguments)
        assert done.returncode == 0, done.stderr + done.stdout
    client = await installation.log_in("works")
    await until(lambda: _has_device(client, "rig"), every_s=0.1, what="the device in the API")
    shift = at - datetime.fromisoformat(ROWS[-1][0]).replace(tzinfo=UTC)
    expected = {name: series_of(ROWS, name, shift) for name in ROWS[0][1]}
    assert await read_back(client, "rig") == expected
    await _balances(client, values=2 * len(ROWS) * 3)
    await client.close()
    assert installation.stop() < 5.0
    installation.start()
    client = await installation.log_in("works")
    assert await read_back(client, "rig") == expected
    await client.close()


async def _has_device(client: HttpPlant, key: str) -> bool:
    return any(one.key == key and len(one.parameters) == 3 for one in await client.devices())


async def _balances(client: HttpPlant, *, values: int) -> None:
    async def add_up() -> bool:
        health = await client.health()
        if health.messages is None or health.values is None:
            return False
        messages, counted = health.messages, health.values
        assert messages.received == messages.accepted + messages.quarantined
        return counted.accepted == values == counted.stored + counted.replaced + counted.in_journal

    await until(add_up, timeout_s=30, every_s=0.1, what="both balances")


async def test_a_limit_raises_an_alarm_that_is_acknowledged_and_survives_a_restart(installation: Installation) -> None:
    installation.add_factory("works")
    secret = installation.add_credential("works", "press", device="press-1")
    installation.start()
    client = await installation.log_in("works")
    await client.create_rule(
        limit_content(
            name="Pressure high",
            parameter_key="pressure",
            comparison=Comparison.ABOVE,
            limit=5.0,
            deadband=0.2,
            priority=Priority.HIGH,
        )
    )
    device = DeviceConnection(MqttTarget("127.0.0.1", installation.endpoint_port, "works", "press", secret), "press-1")
    device.start()
    device.wait_connected(10.0)
    topic = "factories/works/devices/press-1/telemetry"
    link = await client.open_live()
    await link.subscribe(live.Subscribe(is_all=True))
    device.publish(topic, telemetry(now_us(), {"pressure": 4.0}))
    await until(lambda: _knows(client, "press-1"), every_s=0.1, what="the device")
    device.publish(topic, telemetry(now_us(), {"pressure": 6.5}))
    raised = await _next_alarm(link)
    assert (raised.state, raised.value) == (AlarmState.UNACKNOWLEDGED, 6.5)
    await until(
        lambda: _alarm_state(client, raised.id, AlarmState.UNACKNOWLEDGED), every_s=0.1, what="the recorded alarm"
    )
    answer = await client.acknowledge(
        http.AcknowledgeRequest(items=[http.AcknowledgeItem(alarm_id=raised.id, annunciation=raised.annunciation)])
    )
    assert answer[0].state is AlarmState.ACKNOWLEDGED
    assert answer[0].acknowledged_by == "admin"
    await link.close()
    await client.close()
    installation.kill()
    installation.start()
    client = await installation.log_in("works")
    await until(
        lambda: _alarm_state(client, raised.id, AlarmState.ACKNOWLEDGED), every_s=0.1, what="the alarm after the crash"
    )
    await until(lambda: device.is_connected, timeout_s=30, what="the device's return")
    device.publish(topic, telemetry(now_us(), {"pressure": 4.1}))
    await until(lambda: _is_normal(client, raised.id), timeout_s=20, every_s=0.1, what="the return to normal")
    await until(lambda: _events(client, 3), every_s=0.1, what="the return to be recorded")
    assert await _events(client, 3) == [("acknowledged", 1), ("cleared", 1), ("raised", 1)]
    await client.close()
    device.close()


async def _knows(client: HttpPlant, key: str) -> bool:
    return any(one.key == key and one.parameters for one in await client.devices())


async def _next_alarm(link: LiveLink) -> http.Alarm:
    async def read() -> http.Alarm:
        async for message in link:
            if isinstance(message, live.AlarmChanged):
                return http.Alarm.model_validate_json(message.alarm)
        raise AssertionError("the link ended")

    return await asyncio.wait_for(read(), 20.0)


async def _alarm_state(client: HttpPlant, alarm_id: str, state: AlarmState) -> bool:
    return any(one.id == alarm_id and one.state is state and one.is_recorded for one in await client.alarms())


async def _events(client: HttpPlant, count: int) -> list[tuple[str, int]]:
    """What is recorded of alarms, once there is so much; the live side is ahead of the database."""
    kinds = [(one.kind.value, one.annunciation) for one in (await client.alarm_events()).events]
    return sorted(kinds) if len(kinds) >= count else []


async def _is_normal(client: HttpPlant, alarm_id: str) -> bool:
    return all(one.id != alarm_id for one in await client.alarms())


async def test_what_cannot_be_accepted_is_in_quarantine_and_the_service_goes_on(installation: Installation) -> None:
    installation.add_factory("works")
    installation.add_factory("other")
    secret = installation.add_credential("works", "gateway")
    installation.start()
    device = DeviceConnection(MqttTarget("127.0.0.1", installation.endpoint_port, "works", "gateway", secret), "g")
    device.start()
    device.wait_connected(10.0)
    topic = "factories/works/devices/a/telemetry"
    hostile = [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"metrics": {}}',
        b'{"metrics": {"a": 1}, "timestamp": ""}',
        b"\xff\xfe",
        os.urandom(200),
    ]
    for payload in hostile:
        device.publish(topic, payload)
    device.publish("factories/other/devices/a/telemetry", telemetry(now_us(), {"a": 1.0}))
    device.publish(topic, telemetry(now_us(), {"a": 1.0}))
    assert device.wait_below(1, 20.0)
    device.close()
    client = await installation.log_in("works")
    await _balances(client, values=1)
    health = await client.health()
    assert health.messages is not None
    assert (health.messages.received, health.messages.quarantined) == (len(hostile) + 2, len(hostile) + 1)
    listed = await client.quarantine()
    assert len(listed.messages) >= len(hostile)
    other = await installation.log_in("other")
    assert await other.devices() == []
    await other.close()
    await client.close()


def test_a_port_in_use_is_one_clear_sentence_and_an_exit_code(installation: Installation, tmp_path: Path) -> None:
    installation.add_factory("works")
    installation.start()
    second = Installation(tmp_path / "second", endpoint_port=installation.endpoint_port)
    second.add_factory("works")
    done = second.command("run")
    assert done.returncode != 0
    assert str(installation.endpoint_port) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_service_on_the_same_folder_is_refused(installation: Installation) -> None:
    installation.add_factory("works")
    installation.start()
    done = installation.command("run")
    assert done.returncode != 0
    assert "already runs" in done.stderr
