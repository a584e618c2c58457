"""Tools that look at the traffic: who may, what they see, and that nobody waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from factoryops.ingest.endpoint.permits import MOST_SUBSCRIPTIONS
from tests.support.ingest_folder import SNAPSHOT, IngestFolder
from tests.support.mqtt_client import RawClient, field, length, packet, publish5_packet, publish_packet
from tests.support.waiting import until

TOPIC = b"factories/riverside/devices/pump-1/telemetry"
SAMPLE = b'{"metrics":{"n":1}}'
USER = b"\x26" + field(b"site") + field(b"hall 1")
EXPIRY = b"\x02\x00\x00\x00\x3c"


def subscribe(*filters: bytes, options: int = 0, properties: bytes | None = None) -> bytes:
    own = b"" if properties is None else length(len(properties)) + properties
    return packet(0x82, b"\x00\x05" + own + b"".join(field(one) + bytes((options,)) for one in filters))


@pytest.fixture
async def device(port: int) -> AsyncIterator[RawClient]:
    client = await RawClient.logged_in(port, "device", "pump-1")
    yield client
    await client.close()


@pytest.fixture
async def tool(port: int) -> AsyncIterator[RawClient]:
    client = await RawClient.logged_in(port, "tool", "tool")
    yield client
    await client.close()


@pytest.fixture
async def tool5(port: int) -> AsyncIterator[RawClient]:
    client = await RawClient.logged_in5(port, "tool5", "tool")
    yield client
    await client.close()


async def test_a_tool_sees_what_is_published_once_it_is_on_disk(
    device: RawClient, tool: RawClient, folder: IngestFolder
) -> None:
    tool.send(subscribe(b"factories/+/devices/#"))
    assert await tool.packet() == b"\x90\x03\x00\x05\x00"
    device.send(publish_packet(TOPIC, SAMPLE, 1, first=0x33))
    assert await tool.packet() == publish_packet(TOPIC, SAMPLE, None)
    assert len(folder.samples()) == 1
    assert await device.packet() == b"\x40\x02\x00\x01"
    device.send(publish_packet(TOPIC, SAMPLE, None))
    assert await tool.packet() == publish_packet(TOPIC, SAMPLE, None)
    device.send(publish_packet(TOPIC, b"no json", 2, first=0x34))
    assert await tool.packet() == publish_packet(TOPIC, b"no json", None)
    assert await device.packet() == b"\x50\x02\x00\x02"


async def test_qos_2_is_granted_as_qos_0(device: RawClient, tool: RawClient) -> None:
    tool.send(subscribe(b"#", options=2))
    assert await tool.packet() == b"\x90\x03\x00\x05\x00"
    await device.publish(TOPIC, SAMPLE)
    assert await tool.packet() == publish_packet(TOPIC, SAMPLE, None)


REFUSED = {
    "another factory's topics": (b"factories/hillside/#", 0x87),
    "what the server says of itself": (b"$SYS/#", 0x87),
    "a shared subscription": (b"$share/group/#", 0x9E),
    "a wildcard in the middle": (b"a/#/b", 0x8F),
    "a wildcard beside letters": (b"a/b+", 0x8F),
    "no filter at all": (b"", 0x8F),
}


@pytest.mark.parametrize(("wanted", "code"), REFUSED.values(), ids=REFUSED.keys())
async def test_a_refused_filter_is_told_why(tool: RawClient, tool5: RawClient, wanted: bytes, code: int) -> None:
    tool5.send(subscribe(wanted, b"ok", properties=b""))
    assert await tool5.packet() == packet(0x90, b"\x00\x05\x00" + bytes((code, 0)))
    tool.send(subscribe(wanted, b"ok"))
    assert await tool.packet() == b"\x90\x04\x00\x05\x80\x00"


async def test_devices_may_not_listen(device: RawClient, port: int) -> None:
    device.send(subscribe(b"#", TOPIC))
    assert await device.packet() == b"\x90\x04\x00\x05\x80\x80"
    device5 = await RawClient.logged_in5(port, "device5", "pump-1")
    device5.send(subscribe(TOPIC, properties=b""))
    assert await device5.packet() == b"\x90\x04\x00\x05\x00\x87"
    await device5.close()


async def test_nobody_sees_another_factory(device: RawClient, port: int) -> None:
    hillside = await RawClient.logged_in(port, "tool", "hillside-tool")
    stranger = await RawClient.logged_in(port, "stranger", "hillside-gateway")
    riverside = await RawClient.logged_in(port, "tool", "tool")
    for one in (hillside, riverside):
        one.send(subscribe(b"#"))
        assert (await one.packet())[0] == 0x90
    await device.publish(TOPIC, SAMPLE)
    await stranger.publish(TOPIC, b'{"metrics":{"forged":1}}')
    await stranger.publish(TOPIC.replace(b"riverside", b"hillside"), b'{"metrics":{"own":1}}')
    await device.publish(TOPIC, b'{"metrics":{"last":1}}')
    assert await hillside.packet() == publish_packet(
        TOPIC.replace(b"riverside", b"hillside"), b'{"metrics":{"own":1}}', None
    )
    assert await riverside.packet() == publish_packet(TOPIC, SAMPLE, None)
    assert await riverside.packet() == publish_packet(TOPIC, b'{"metrics":{"last":1}}', None)
    for one in (hillside, stranger, riverside):
        await one.close()


async def test_a_tool_may_not_publish(tool5: RawClient, folder: IngestFolder) -> None:
    tool5.send(subscribe(b"#", properties=b""))
    assert (await tool5.packet())[0] == 0x90
    tool5.send(publish5_packet(TOPIC, SAMPLE, 1))
    assert await tool5.packet() == b"\x40\x03\x00\x01\x87"
    assert folder.samples() == []


async def test_mqtt_5_brings_identifiers_and_what_the_publisher_added(port: int, tool5: RawClient) -> None:
    tool5.send(subscribe(b"factories/#", options=0x08, properties=b"\x0b\x07"))
    tool5.send(subscribe(TOPIC, options=0x20, properties=b"\x0b\x81\x01"))
    for _ in range(2):
        assert (await tool5.packet())[0] == 0x90
    device5 = await RawClient.logged_in5(port, "device5", "pump-1")
    device5.send(publish5_packet(TOPIC, SAMPLE, 1, first=0x33, properties=USER + EXPIRY + b"\x23\x00\x01"))
    received = await tool5.packet()
    assert received == publish5_packet(
        TOPIC, SAMPLE, None, first=0x31, properties=EXPIRY + b"\x0b\x07\x0b\x81\x01" + USER
    )
    await device5.close()


async def test_no_local_spares_a_client_its_own_messages(port: int, folder: IngestFolder) -> None:
    gateway = [one for one in SNAPSHOT.credentials if one.username != "gateway"]
    both = msgspec.structs.replace(SNAPSHOT.credentials[0], may_subscribe=True)
    folder.write_snapshot(msgspec.structs.replace(SNAPSHOT, credentials=[*gateway, both]))
    client = await _granted(port)
    other = await RawClient.logged_in(port, "other", "pump-1")
    client.send(publish5_packet(TOPIC, b'{"metrics":{"mine":1}}', 1))
    assert await client.packet() == b"\x40\x02\x00\x01"
    await other.publish(TOPIC, SAMPLE)
    assert await client.packet() == publish5_packet(TOPIC, SAMPLE, None)
    for one in (client, other):
        await one.close()


async def _granted(port: int) -> RawClient:
    """A gateway that listens without hearing itself, once the new snapshot has been taken over."""
    while True:
        client = await RawClient.logged_in5(port)
        client.send(subscribe(b"#", options=0x04, properties=b""))
        if (await client.packet())[-1] == 0:
            return client
        await client.close()
        await asyncio.sleep(0.05)


async def test_unsubscribing_ends_it(device: RawClient, tool: RawClient, tool5: RawClient) -> None:
    tool.send(subscribe(b"#"))
    assert (await tool.packet())[0] == 0x90
    tool5.send(subscribe(b"#", properties=b""))
    assert (await tool5.packet())[0] == 0x90
    tool.send(packet(0xA2, b"\x00\x06" + field(b"#")))
    assert await tool.packet() == b"\xb0\x02\x00\x06"
    tool5.send(packet(0xA2, b"\x00\x06\x00" + field(b"#") + field(b"never")))
    assert await tool5.packet() == b"\xb0\x05\x00\x06\x00\x00\x11"
    await device.publish(TOPIC, SAMPLE)
    for one in (tool, tool5):
        one.send(b"\xc0\x00")
        assert await one.packet() == b"\xd0\x00"


async def test_filters_of_one_client_are_bounded(tool5: RawClient) -> None:
    tool5.send(subscribe(*(b"a/%d" % number for number in range(MOST_SUBSCRIPTIONS + 1)), b"a/0", properties=b""))
    answer = await tool5.packet()
    assert answer[-MOST_SUBSCRIPTIONS - 2 :] == b"\0" * MOST_SUBSCRIPTIONS + b"\x97\0"


async def test_a_tool_that_does_not_read_costs_only_its_own_messages(
    device: RawClient, tool: RawClient, folder: IngestFolder
) -> None:
    tool.send(subscribe(b"#"))
    assert (await tool.packet())[0] == 0x90
    filling = b'{"metrics":{"n":1},"filling":"' + b"x" * 60_000 + b'"}'
    for _ in range(200):
        await device.publish(TOPIC, filling)
    await until(lambda: (beat := folder.heartbeat()) and beat.figures["endpoint"]["dropped_for_listeners"] > 0)
    await device.publish(TOPIC, SAMPLE)
    beat = folder.heartbeat()
    assert beat is not None
    assert beat.figures["endpoint"]["delivered_to_listeners"] > 0
