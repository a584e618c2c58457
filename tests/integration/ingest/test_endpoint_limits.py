"""A device that sends too much is held back, and nobody else notices."""

from __future__ import annotations

import asyncio
from pathlib import Path

from factoryops.ingest.config import EndpointConfig
from tests.integration.ingest.conftest import Running
from tests.support.ingest_folder import IngestFolder
from tests.support.mqtt_client import RawClient, publish_packet
from tests.support.waiting import until

TOPIC = "factories/riverside/devices/pump-1/telemetry"
SAMPLE = b'{"metrics":{"n":1}}'


async def flood(client: RawClient, *, times: int, count: int) -> float:
    """Publish `count` messages at once, and again when they are acknowledged; returns how long all of it took."""
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    for _ in range(times):
        client.send(b"".join(publish_packet(TOPIC.encode(), SAMPLE, number) for number in range(1, count + 1)))
        for number in range(1, count + 1):
            assert (await client.packet(20))[2:] == number.to_bytes(2, "big")
    return loop.time() - begun_s


async def test_a_device_over_its_rate_waits_and_the_health_page_says_so(tmp_path: Path, run_ingest: Running) -> None:
    folder = IngestFolder(tmp_path, endpoint=EndpointConfig(port=0, device_messages_per_s=400))
    async with run_ingest(folder) as service:
        noisy = await RawClient.logged_in(service.endpoint_port, "noisy", keep_alive_s=1)
        quiet = await RawClient.logged_in(service.endpoint_port, "quiet", "pump-1")
        flooding = asyncio.create_task(flood(noisy, times=4, count=600))
        await until(lambda: (beat := folder.heartbeat()) and "flood:endpoint" in [one.code for one in beat.problems])
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        await quiet.publish(TOPIC, SAMPLE)
        assert loop.time() - begun_s < 1.0
        assert not flooding.done()
        assert await flooding >= 2.0
        await noisy.publish(TOPIC, SAMPLE)
        for one in (noisy, quiet):
            await one.close()
    assert len(folder.samples()) == 2_402


async def test_bytes_are_bounded_too(tmp_path: Path, run_ingest: Running) -> None:
    folder = IngestFolder(tmp_path, endpoint=EndpointConfig(port=0, device_bytes_per_s=300_000))
    filling = b'{"metrics":{"n":1},"more":"' + b"x" * 200_000 + b'"}'
    async with run_ingest(folder) as service:
        client = await RawClient.logged_in(service.endpoint_port)
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        for _ in range(6):
            await client.publish(TOPIC, filling)
        assert loop.time() - begun_s >= 1.0
        await client.close()


async def test_a_factory_over_its_rate_waits_however_many_connections_it_has(
    tmp_path: Path, run_ingest: Running
) -> None:
    folder = IngestFolder(tmp_path, endpoint=EndpointConfig(port=0, factory_messages_per_s=300))
    async with run_ingest(folder) as service:
        noisy = [await RawClient.logged_in(service.endpoint_port, f"noisy-{number}") for number in range(4)]
        other = await RawClient.logged_in(service.endpoint_port, "other", "hillside-gateway")
        flooding = [asyncio.create_task(flood(one, times=3, count=150)) for one in noisy]
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        for _ in range(10):
            await other.publish("factories/hillside/devices/press-1/telemetry", SAMPLE)
        assert loop.time() - begun_s < 1.5
        assert max(await asyncio.gather(*flooding)) >= 1.0
        for one in (*noisy, other):
            await one.close()
