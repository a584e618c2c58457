"""The endpoint in MQTT 5 over real sockets: what it offers, what it refuses, and in which words."""

from __future__ import annotations

import struct
from pathlib import Path

import msgspec
import pytest

from factoryops.ingest.config import EndpointConfig
from factoryops.ingest.endpoint.aliases import TopicAliases
from factoryops.ingest.endpoint.reconnects import MOST_PER_MINUTE
from factoryops.ingest.endpoint.session5 import RECEIVE_MAXIMUM
from tests.integration.ingest.conftest import Running
from tests.support.ingest_folder import SNAPSHOT, IngestFolder
from tests.support.mqtt_client import RawClient, connect_packet, field, length, packet, publish5_packet
from tests.support.waiting import until

TOPIC = b"factories/riverside/devices/pump-1/telemetry"
SAMPLE = b'{"metrics":{"n":1}}'
ALIAS = b"\x23\x00\x01"
USER = b"\x26" + field(b"site") + field(b"hall 1")


async def answer(port: int, data: bytes) -> bytes:
    client = await RawClient.open(port)
    client.send(data)
    reply = await client.packet()
    if reply[:1] == b"\x20" and reply[3]:
        assert await client.is_closed()
    await client.close()
    return reply


async def test_the_greeting_says_what_is_offered(port: int) -> None:
    reply = await answer(port, connect_packet("meter", level=5))
    offered = b"\x21\x03\xe8\x25\x00\x27\x00\x04\x00\x00\x22\x00\x20\x2a\x00"
    assert reply == packet(0x20, b"\0\0" + length(len(offered)) + offered)


async def test_a_client_without_a_name_is_given_one(port: int) -> None:
    first, second = [await answer(port, connect_packet("", level=5, is_clean=False)) for _ in range(2)]
    assert b"\x12\x00" in first
    assert first != second


async def test_no_session_is_kept_and_silence_is_bounded(port: int) -> None:
    reply = await answer(port, connect_packet("meter", level=5, keep_alive_s=0, properties=b"\x11\xff\xff\xff\xff"))
    assert b"\x11\x00\x00\x00\x00" in reply
    assert b"\x13" + struct.pack(">H", 3_600) in reply


REFUSED_LOGINS = {
    "wrong password": (connect_packet("m", password="wrong", level=5), 0x86),
    "no user name": (connect_packet("m", None, None, level=5), 0x87),
    "an authentication method": (connect_packet("m", level=5, properties=b"\x15" + field(b"SCRAM-SHA-1")), 0x8C),
    "a will to be retained": (connect_packet("m", level=5, will=(TOPIC, b"{}"), more_flags=0x20), 0x9A),
    "authentication data alone": (connect_packet("m", level=5, properties=b"\x16" + field(b"x")), 0x82),
    "a property twice": (connect_packet("m", level=5, properties=b"\x21\x00\x05\x21\x00\x05"), 0x82),
    "a receive maximum of 0": (connect_packet("m", level=5, properties=b"\x21\x00\x00"), 0x82),
    "a packet size of 0": (connect_packet("m", level=5, properties=b"\x27\x00\x00\x00\x00"), 0x82),
    "an impossible flag": (connect_packet("m", level=5, properties=b"\x17\x02"), 0x82),
    "a property of another packet": (connect_packet("m", level=5, properties=ALIAS), 0x81),
    "an unknown property": (connect_packet("m", level=5, properties=b"\x7f\x00"), 0x81),
    "properties cut short": (connect_packet("m", level=5, properties=b"\x21\x00"), 0x81),
    "a will with a wildcard": (connect_packet("m", level=5, will=(b"a/#", b"{}")), 0x90),
    "a will with another's property": (connect_packet("m", level=5, will=(TOPIC, b""), will_properties=ALIAS), 0x81),
    "reserved flags": (connect_packet("m", level=5, more_flags=0x01), 0x81),
}


@pytest.mark.parametrize(("data", "code"), REFUSED_LOGINS.values(), ids=REFUSED_LOGINS.keys())
async def test_a_refused_login_says_why(port: int, data: bytes, code: int) -> None:
    assert (await answer(port, data))[:4] == bytes((0x20, 3, 0, code))


async def test_a_login_may_say_all_that_mqtt_5_knows(port: int) -> None:
    properties = b"\x11\x00\x00\x00\x0a\x21\x00\x14\x27\x00\x01\x00\x00\x22\x00\x0a\x19\x01\x17\x00" + USER + USER
    will = b"\x18\x00\x00\x00\x05\x01\x01\x02\x00\x00\x00\x3c\x03" + field(b"json") + b"\x08" + field(b"r") + USER
    data = connect_packet("m", level=5, properties=properties, will=(TOPIC, b"{}"), will_properties=will)
    assert (await answer(port, data))[2:4] == b"\0\0"


BREACHES = {
    "a packet that is too large": (b"\x32" + length(256 * 1024 + 1) + b"x" * 500, 0x95),
    "QoS 3": (publish5_packet(TOPIC, b"{}", 1, first=0x36), 0x81),
    "packet id 0": (publish5_packet(TOPIC, b"{}", 0), 0x82),
    "packet id 0 with properties": (publish5_packet(TOPIC, b"{}", 0, properties=USER), 0x82),
    "a repetition with QoS 0": (publish5_packet(TOPIC, b"{}", None, first=0x38), 0x81),
    "no topic and no alias": (publish5_packet(b"", b"{}", 1), 0x82),
    "an alias never set": (publish5_packet(b"", b"{}", 1, properties=ALIAS), 0x82),
    "alias 0": (publish5_packet(TOPIC, b"{}", 1, properties=b"\x23\x00\x00"), 0x94),
    "an alias beyond the maximum": (publish5_packet(TOPIC, b"{}", 1, properties=b"\x23\x00\x21"), 0x94),
    "a long topic with an alias": (publish5_packet(b"x" * 2_000, b"{}", 1, properties=ALIAS), 0x90),
    "a subscription id in a publish": (publish5_packet(TOPIC, b"{}", 1, properties=b"\x0b\x01"), 0x81),
    "a response topic with a wildcard": (publish5_packet(TOPIC, b"{}", 1, properties=b"\x08" + field(b"+")), 0x82),
    "a payload format that is none": (publish5_packet(TOPIC, b"{}", 1, properties=b"\x01\x02"), 0x82),
    "a user property cut short": (publish5_packet(TOPIC, b"", 1, properties=b"\x26\x00\x01a"), 0x81),
    "properties longer than the packet": (b"\x32\x08\x00\x01a\x00\x01\x7f\x00\x00", 0x81),
    "a text that is none": (publish5_packet(TOPIC, b"", 1, properties=b"\x03\x00\x01\xff"), 0x81),
    "a second connect": (connect_packet("meter", level=5), 0x82),
    "authentication out of the blue": (b"\xf0\x00", 0x82),
    "a packet only servers send": (b"\x20\x02\x00\x00", 0x82),
    "reserved flags": (b"\x61\x02\x00\x01", 0x81),
    "a release with an impossible reason": (b"\x62\x03\x00\x01\x80", 0x82),
    "a goodbye with an impossible reason": (b"\xe0\x01\x8e", 0x82),
    "a goodbye that asks to keep the session": (b"\xe0\x07\x00\x05\x11\x00\x00\x00\x05", 0x82),
    "a goodbye with a server reference": (b"\xe0\x06\x00\x04\x1c" + field(b"a"), 0x81),
    "subscribing to nothing": (b"\x82\x03\x00\x01\x00", 0x82),
    "options that are none": (packet(0x82, b"\x00\x01\x00" + field(b"a") + b"\xc0"), 0x81),
    "a retain handling that is none": (packet(0x82, b"\x00\x01\x00" + field(b"a") + b"\x30"), 0x82),
    "subscription id 0": (packet(0x82, b"\x00\x01\x02\x0b\x00" + field(b"a") + b"\x00"), 0x82),
    "a length with more bytes than it needs": (b"\xc0\x80\x00", 0x81),
}


@pytest.mark.parametrize(("data", "code"), BREACHES.values(), ids=BREACHES.keys())
async def test_a_breach_is_told_its_reason_before_the_connection_ends(port: int, data: bytes, code: int) -> None:
    client = await RawClient.logged_in5(port)
    client.send(data)
    goodbye = await client.packet()
    assert (goodbye[0], goodbye[2]) == (0xE0, code)
    assert await client.is_closed()
    await client.close()


async def test_every_quality_is_acknowledged_in_its_way(port: int, folder: IngestFolder) -> None:
    client = await RawClient.logged_in5(port)
    client.send(publish5_packet(TOPIC, SAMPLE, None))
    client.send(publish5_packet(TOPIC, SAMPLE, 1))
    assert await client.packet() == b"\x40\x02\x00\x01"
    client.send(publish5_packet(TOPIC, SAMPLE, 2, first=0x34, properties=b"\x02\x00\x00\x00\x0a" + USER))
    assert await client.packet() == b"\x50\x02\x00\x02"
    client.send(b"\x62\x04\x00\x02\x00\x00")
    assert await client.packet() == b"\x70\x02\x00\x02"
    client.send(b"\x62\x02\x00\x09")
    assert await client.packet() == b"\x70\x03\x00\x09\x92"
    await client.close()
    assert len(folder.samples()) == 3


async def test_an_alias_stands_for_its_topic(port: int, folder: IngestFolder) -> None:
    client = await RawClient.logged_in5(port)
    client.send(publish5_packet(TOPIC, SAMPLE, 1, properties=ALIAS))
    client.send(publish5_packet(b"", b'{"metrics":{"n":2}}', 2, properties=ALIAS))
    client.send(publish5_packet(TOPIC.replace(b"pump-1", b"pump-2"), b'{"metrics":{"n":3}}', 3, properties=ALIAS))
    client.send(publish5_packet(b"", b'{"metrics":{"n":4}}', 4, properties=ALIAS))
    for _ in range(4):
        assert (await client.packet())[0] == 0x40
    await client.close()
    assert [(device, value) for device, _, _, value, _ in folder.samples()] == [
        ("pump-1", 1.0), ("pump-1", 2.0), ("pump-2", 3.0), ("pump-2", 4.0),
    ]  # fmt: skip
    assert TopicAliases.MOST == 0x20


async def test_a_message_without_the_right_to_it_is_kept_and_refused_by_its_reason(
    port: int, folder: IngestFolder
) -> None:
    client = await RawClient.logged_in5(port, "meter", "pump-1")
    stranger = TOPIC.replace(b"pump-1", b"pump-2")
    client.send(publish5_packet(stranger, SAMPLE, 1))
    assert await client.packet() == b"\x40\x03\x00\x01\x87"
    client.send(publish5_packet(stranger, SAMPLE, 2, first=0x34))
    assert await client.packet() == b"\x50\x03\x00\x02\x87"
    client.send(publish5_packet(b"no/such/place", SAMPLE, 3))
    assert await client.packet() == b"\x40\x03\x00\x03\x90"
    client.send(publish5_packet(TOPIC, b"not json", 4))
    assert await client.packet() == b"\x40\x02\x00\x04"
    client.send(publish5_packet(TOPIC, SAMPLE, 2, first=0x34))
    assert await client.packet() == b"\x50\x02\x00\x02"
    await client.close()
    ledger = folder.batches()[-1].entry.ledger
    assert (ledger.received, ledger.accepted, ledger.quarantined) == (5, 1, 4)


async def test_the_old_version_gets_a_plain_acknowledgement_for_what_went_into_quarantine(
    port: int, folder: IngestFolder
) -> None:
    client = await RawClient.logged_in(port, "meter", "pump-1")
    await client.publish(TOPIC.replace(b"pump-1", b"pump-2"), SAMPLE)
    await client.close()
    assert folder.batches()[-1].entry.ledger.quarantined == 1


async def test_more_messages_in_flight_than_announced_end_the_connection(port: int) -> None:
    client = await RawClient.logged_in5(port)
    client.send(
        b"".join(publish5_packet(TOPIC, SAMPLE, number, first=0x34) for number in range(1, RECEIVE_MAXIMUM + 2))
    )
    while (reply := await client.packet())[0] == 0x50:
        pass
    assert (reply[0], reply[2]) == (0xE0, 0x93)
    assert await client.is_closed()
    await client.close()


async def test_the_window_opens_again_with_every_acknowledgement(port: int) -> None:
    client = await RawClient.logged_in5(port)
    for first in (1, 1 + RECEIVE_MAXIMUM):
        numbers = range(first, first + RECEIVE_MAXIMUM)
        client.send(b"".join(publish5_packet(TOPIC, SAMPLE, number) for number in numbers))
        for number in numbers:
            assert await client.packet() == b"\x40\x02" + struct.pack(">H", number)
    for number in range(1, RECEIVE_MAXIMUM + 10):
        client.send(publish5_packet(TOPIC, SAMPLE, number, first=0x34))
        assert (await client.packet())[0] == 0x50
        client.send(b"\x62\x02" + struct.pack(">H", number))
        assert (await client.packet())[0] == 0x70
    await client.close()


async def test_who_is_taken_over_is_told_and_leaves_its_will(port: int, folder: IngestFolder) -> None:
    first = await RawClient.logged_in5(port, will=(TOPIC, SAMPLE))
    second = await RawClient.logged_in5(port)
    assert (await first.packet())[::2][:2] == b"\xe0\x8e"
    assert await first.is_closed()
    await until(lambda: len(folder.samples()) == 1)
    await first.close()
    await second.close()


@pytest.mark.parametrize(("goodbye", "wills"), [(b"\xe0\x00", 0), (b"\xe0\x01\x00", 0), (b"\xe0\x01\x04", 1), (b"", 1)])
async def test_a_will_follows_every_end_but_a_plain_goodbye(
    port: int, folder: IngestFolder, goodbye: bytes, wills: int
) -> None:
    client = await RawClient.logged_in5(port, will=(TOPIC, SAMPLE), will_properties=b"\x18\x00\x00\x03\xe8")
    other = await RawClient.logged_in5(port, "other")
    client.send(goodbye)
    if goodbye:
        assert await client.is_closed()
    await client.close()
    await until(lambda: (beat := folder.heartbeat()) and beat.figures["connections"] == 1)
    other.send(publish5_packet(TOPIC, SAMPLE, 1))
    assert await other.packet() == b"\x40\x02\x00\x01"
    await other.close()
    assert len(folder.samples()) == 1 + wills


async def test_silence_longer_than_promised_is_told(port: int) -> None:
    client = await RawClient.logged_in5(port, keep_alive_s=1)
    assert (await client.packet(8))[::2][:2] == b"\xe0\x8d"
    assert await client.is_closed()
    await client.close()


async def test_a_withdrawn_credential_is_told(port: int, folder: IngestFolder) -> None:
    client = await RawClient.logged_in5(port)
    folder.write_snapshot(msgspec.structs.replace(SNAPSHOT, credentials=[]))
    assert (await client.packet(8))[::2][:2] == b"\xe0\x87"
    await client.close()


async def test_a_stopping_service_says_so(folder: IngestFolder, run_ingest: Running) -> None:
    async with run_ingest(folder) as service:
        client = await RawClient.logged_in5(service.endpoint_port)
    assert await client.packet() == b"\xe0\x02\x8b\x00"
    assert await client.is_closed()
    await client.close()


async def test_a_restart_does_not_record_that_devices_died(folder: IngestFolder, run_ingest: Running) -> None:
    async with run_ingest(folder) as service:
        clients = [await RawClient.logged_in5(service.endpoint_port, will=(TOPIC, SAMPLE))]
        clients.append(await RawClient.logged_in5(service.endpoint_port, "silent", will=(TOPIC, SAMPLE)))
    for one in clients:
        await one.close()
    assert folder.samples() == []


async def test_a_device_whose_packets_end_its_connection_again_and_again_is_reported(
    port: int, folder: IngestFolder
) -> None:
    for _ in range(MOST_PER_MINUTE + 1):
        client = await RawClient.logged_in5(port)
        client.send(b"\x32" + length(256 * 1024 + 1))
        assert (await client.packet())[::2][:2] == b"\xe0\x95"
        await client.close()
    await until(lambda: "reconnecting:endpoint" in str(folder.heartbeat()))


async def test_what_a_client_cannot_take_is_left_out(port: int) -> None:
    quiet = await RawClient.logged_in5(port, properties=b"\x27\x00\x00\x00\x10")
    quiet.send(publish5_packet(b"", b"{}", 1))
    assert await quiet.packet() == b"\xe0\x02\x82\x00"
    await quiet.close()
    silent = await RawClient.logged_in5(port, properties=b"\x17\x00")
    silent.send(publish5_packet(b"", b"{}", 1))
    assert await silent.packet() == b"\xe0\x02\x82\x00"
    await silent.close()


async def test_too_many_connections_of_one_user_are_refused(tmp_path: Path, run_ingest: Running) -> None:
    folder = IngestFolder(tmp_path, endpoint=EndpointConfig(port=0, most_per_user=1))
    async with run_ingest(folder) as service:
        kept = await RawClient.logged_in5(service.endpoint_port)
        other = await RawClient.logged_in5(service.endpoint_port, "other", "pump-1")
        assert await answer(service.endpoint_port, connect_packet("third", level=5)) == b"\x20\x03\x00\x97\x00"
        assert await answer(service.endpoint_port, connect_packet("third")) == b"\x20\x02\x00\x03"
        await kept.close()
        await until(lambda: (beat := folder.heartbeat()) and beat.figures["connections"] == 1)
        again = await RawClient.logged_in5(service.endpoint_port)
        for one in (other, again):
            await one.close()


async def test_too_many_connections_from_one_address_are_turned_away(tmp_path: Path, run_ingest: Running) -> None:
    folder = IngestFolder(tmp_path, endpoint=EndpointConfig(port=0, most_per_address=1))
    async with run_ingest(folder) as service:
        kept = await RawClient.logged_in5(service.endpoint_port)
        turned_away = await RawClient.open(service.endpoint_port)
        assert await turned_away.is_closed()
        for one in (kept, turned_away):
            await one.close()
