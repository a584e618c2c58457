"""A device with a format of its own: caught, mapped, previewed, switched on, and nothing of what it sent is lost."""

from __future__ import annotations

import json

import pytest

from factoryops.client.http import HttpPlant
from factoryops.contracts import http
from factoryops.contracts.http import RunState
from factoryops.domain.samples import SampleFlag
from factoryops.domain.time import now_us
from factoryops.simulator.connection import DeviceConnection, MqttTarget
from tests.support.installation import Installation
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(180)

TOPIC = "hall2/press-7/state"
EARLY = 5
MAPPING = http.MappingContent.model_validate(
    {
        "name": "Presses of hall 2",
        "topic": "hall2/{device}/state",
        "time": {"path": "$.t", "form": "ms"},
        "is_enabled": True,
        "values": [
            {"parameter": "oil", "path": "$.d.oil", "scale": 0.5, "unit": "°C"},
            {"parameter": "is_on", "path": "$.d.on", "type": "boolean"},
            {"parameter": "mode", "path": "$.d.mode", "type": "text"},
        ],
    }
)


def message(time_ms: int, oil: int) -> bytes:
    return json.dumps({"t": time_ms, "d": {"oil": oil, "on": oil % 2 == 0, "mode": "auto"}}).encode()


async def test_a_format_of_its_own_is_caught_mapped_and_replayed_with_source_time(installation: Installation) -> None:
    installation.add_factory("works")
    secret = installation.add_credential("works", "controller")
    installation.start()
    client = await installation.log_in("works")
    device = DeviceConnection(MqttTarget("127.0.0.1", installation.endpoint_port, "works", "controller", secret), "c")
    device.start()
    device.wait_connected(10.0)
    await client.change_factory(http.FactoryChange(adopts_automatically=False))
    start_ms = now_us() // 1_000 - 600_000
    for number in range(EARLY):
        device.publish(TOPIC, message(start_ms + number * 1_000, 80 + number))
    caught = await _caught(client)
    await _preview_says_what_will_be(client, caught, start_ms)
    await client.accept_device(http.DeviceAcceptance(key="press-7", name="Press 7"))
    await client.create_mapping(MAPPING)
    live_ms = await _until_live(client, device)
    run = await _replayed(client, caught)
    assert run.result["replayed"] == EARLY
    await until(lambda: _kinds_are(client, {"oil": "number", "is_on": "boolean", "mode": "text"}), every_s=0.1)
    early = await _early(client, start_ms)
    assert early == [(start_ms + n * 1_000, (80 + n) / 2) for n in range(EARLY)]
    again = await _replayed(client, caught)
    assert again.result == run.result
    assert await _early(client, start_ms) == early
    assert live_ms > start_ms
    latest = {one.parameter_id: one for one in await client.latest()}
    parameters = next(one for one in await client.devices() if one.key == "press-7").parameters
    assert {one.key: latest[one.id].text for one in parameters} == {"oil": None, "is_on": None, "mode": "auto"}
    group = next(one for one in await client.quarantine_groups() if one.reason == "invalid_topic")
    assert group.replayed == EARLY
    await _balances(client)
    device.close()
    await client.close()


async def _kinds_are(client: HttpPlant, expected: dict[str, str]) -> bool:
    device = next(one for one in await client.devices() if one.key == "press-7")
    return {one.key: one.kind.value for one in device.parameters} == expected


async def _caught(client: HttpPlant) -> http.QuarantineChoice:
    async def all_there() -> bool:
        return sum(one.count for one in await client.quarantine_groups() if one.reason == "invalid_topic") == EARLY

    await until(all_there, every_s=0.1, what="the messages in quarantine")
    (group,) = [one for one in await client.quarantine_groups() if one.reason == "invalid_topic"]
    assert group.example.topic == TOPIC
    numbers = [one.number for one in (await client.quarantine(reason=group.reason, origin=group.origin)).messages]
    return http.QuarantineChoice(reason=group.reason, origin=group.origin, numbers=numbers)


async def _preview_says_what_will_be(client: HttpPlant, caught: http.QuarantineChoice, start_ms: int) -> None:
    stays = await client.preview_replay(caught.model_copy(update={"mapping": MAPPING}))
    assert [(one.reason, one.count) for one in stays.refusals] == [("unknown_device", EARLY)]
    example = (await client.quarantine()).messages[-1]
    trial = http.MappingTrial(content=MAPPING, topic=example.topic, payload=example.payload)
    outcome = await client.try_mapping(trial)
    assert {one.parameter: one.value for one in outcome.samples} == {"oil": 40.0, "is_on": True, "mode": "auto"}
    assert {one.time_us for one in outcome.samples} == {start_ms * 1_000}


async def _until_live(client: HttpPlant, device: DeviceConnection) -> int:
    """Publish until the mapping is in force and the device has its parameters; the time of the newest message."""
    sent: list[int] = []

    async def has_parameters() -> bool:
        sent.append(now_us() // 1_000)
        device.publish(TOPIC, message(sent[-1], 90))
        devices = {one.key: one for one in await client.devices()}
        return {one.key for one in devices["press-7"].parameters} == {"oil", "is_on", "mode"}

    await until(has_parameters, timeout_s=30, every_s=0.25, what="the mapping in force")
    return sent[-1]


async def _replayed(client: HttpPlant, caught: http.QuarantineChoice) -> http.Run:
    run_id = (await client.start_replay(caught)).id

    async def is_over() -> bool:
        return _run(await client.runs(), run_id).state in (RunState.SUCCEEDED, RunState.FAILED)

    await until(is_over, timeout_s=60, every_s=0.1, what="the replay")
    run = _run(await client.runs(), run_id)
    assert run.state is RunState.SUCCEEDED, run.message
    return run


def _run(runs: list[http.Run], run_id: str) -> http.Run:
    return next(one for one in runs if one.id == run_id)


async def _early(client: HttpPlant, start_ms: int) -> list[tuple[int, float]]:
    """The oil temperatures of the time before the mapping, once all of them can be asked for."""
    device = next(one for one in await client.devices() if one.key == "press-7")
    parameter = next(one for one in device.parameters if one.key == "oil")
    end_us = (start_ms + EARLY * 1_000) * 1_000
    found: list[http.RawColumns] = []

    async def all_there() -> bool:
        found.append(await client.raw(parameter.id, start_ms * 1_000, end_us))
        return len(found[-1].time_us) >= EARLY

    await until(all_there, every_s=0.1, what="the replayed samples")
    columns = found[-1]
    assert all(flags & SampleFlag.IMPORTED for flags in columns.flags)
    return [(time_us // 1_000, value) for time_us, value in zip(columns.time_us, columns.value, strict=True)]


async def _balances(client: HttpPlant) -> None:
    async def add_up() -> bool:
        health = await client.health()
        assert health.messages is not None
        assert health.values is not None
        messages, values = health.messages, health.values
        assert messages.received == messages.accepted + messages.quarantined
        return messages.quarantined >= EARLY and values.accepted == values.stored + values.replaced + values.in_journal

    await until(add_up, timeout_s=30, every_s=0.1, what="both balances")
