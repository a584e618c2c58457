"""The endpoint over real sockets: who gets in, what ends a connection, when a PUBACK comes."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import struct
from pathlib import Path

import msgspec
import pytest

from factoryops.domain.errors import SetupError
from factoryops.domain.time import now_us
from factoryops.ingest.config import EndpointConfig
from tests.integration.ingest.conftest import Running
from tests.support.ingest_folder import PLANT, SECRET, SNAPSHOT, IngestFolder, credential
from tests.support.mqtt_client import RawClient, connect_packet, field, length, packet, publish_packet
from tests.support.waiting import until

TOPIC = "factories/riverside/devices/pump-1/telemetry"
ACCEPTED = b"\x20\x02\x00\x00"


async def answer(port: int, packet: bytes) -> bytes:
    client = await RawClient.open(port)
    client.send(packet)
    reply = await client.packet()
    if reply != ACCEPTED:
        assert await client.is_closed()
    await client.close()
    return reply


async def test_an_acknowledged_message_is_in_the_journal(port: int, folder: IngestFolder) -> None:
    client = await RawClient.logged_in(port)
    for number in range(50):
        await client.publish(TOPIC, b'{"timestamp":%d,"metrics":{"n":%d}}' % (1_700_000_000 + number, number))
        assert [value for *_, value, _ in folder.samples()][-1] == number
    await client.close()


async def test_a_login_that_is_right_is_accepted(port: int) -> None:
    assert await answer(port, connect_packet()) == ACCEPTED
    assert await answer(port, connect_packet("x", is_clean=False)) == ACCEPTED
    assert await answer(port, connect_packet(will=(b"topic", b"gone"))) == ACCEPTED


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        (connect_packet(password="wrong"), 4),
        (connect_packet(username="nobody"), 4),
        (connect_packet(username="gateway", password=None), 4),
        (connect_packet(username=None, password=None), 5),
        (connect_packet(is_clean=False), 2),
        (connect_packet(level=3), 1),
    ],
    ids=["wrong password", "unknown user", "no password", "anonymous", "no client id to keep", "MQTT 3.1"],
)
async def test_a_login_that_is_not_right_is_refused(port: int, packet: bytes, code: int) -> None:
    assert await answer(port, packet) == bytes((0x20, 2, 0, code))


async def test_other_versions_are_told_which_to_speak(port: int) -> None:
    old = b"\x10\x11" + field(b"MQIsdp") + b"\x03\x02\x00\x3c" + field(b"abc")
    assert await answer(port, old) == b"\x20\x02\x00\x01"
    assert await answer(port, connect_packet(level=6)) == b"\x20\x03\x00\x84\x00"


HOSTILE = {
    "not MQTT at all": b"GET / HTTP/1.1\r\nHost: plant\r\n\r\n",
    "a publish before the connect": publish_packet(TOPIC.encode(), b"{}", 1),
    "a malformed length": b"\x10\xff\xff\xff\xff\x7f",
    "a connect with the reserved flag": b"\x10\x0c" + field(b"MQTT") + b"\x04\x03\x00\x3c" + field(b""),
    "a connect cut short": b"\x10\x0c" + field(b"MQTT") + b"\x04\x82\x00\x3c" + struct.pack(">H", 500),
    "a connect longer than its fields": b"\x10\x0e" + field(b"MQTT") + b"\x04\x02\x00\x3c" + field(b"") + b"xx",
    "a client id that is no text": b"\x10\x0e" + field(b"MQTT") + b"\x04\x02\x00\x3c" + field(b"\xff\xfe"),
    "a client id with a NUL": b"\x10\x0d" + field(b"MQTT") + b"\x04\x02\x00\x3c" + field(b"\0"),
    "a huge connect": b"\x10" + length(200_000) + b"x" * 5_000,
    "a ping before the connect": b"\xc0\x00",
}


@pytest.mark.parametrize("packet", HOSTILE.values(), ids=HOSTILE.keys())
async def test_what_is_not_a_connect_ends_the_connection(port: int, packet: bytes) -> None:
    assert await answer(port, packet) == b""


AFTER_LOGIN = {
    "a release before its message": packet(0x62, b"\0\0"),
    "a release with wrong flags": packet(0x60, b"\0\1"),
    "an acknowledgement of nothing": packet(0x40, b"\0\1"),
    "a disconnect with content": packet(0xE0, b"\0"),
    "quality of service 3": publish_packet(TOPIC.encode(), b"{}", 1, first=0x36),
    "packet id 0": publish_packet(TOPIC.encode(), b"{}", 0),
    "a repetition with quality 0": publish_packet(TOPIC.encode(), b"{}", None, first=0x38),
    "a topic longer than the packet": b"\x32\x05\xff\xff\x00\x00\x00",
    "an empty publish": b"\x32\x00",
    "a second connect": connect_packet(),
    "a ping with content": b"\xc0\x01x",
    "a subscribe with wrong flags": b"\x80\x08\x00\x01" + field(b"#abc")[:4] + b"\x00\x00",
    "a subscribe to nothing": b"\x82\x02\x00\x01",
    "an impossible subscription": b"\x82\x06\x00\x01" + field(b"#") + b"\x07",
    "an unsubscribe cut short": b"\xa2\x04\x00\x01\x00\x09",
    "a packet only servers send": b"\xd0\x00",
    "a reserved packet": b"\xf0\x00",
    "a packet larger than 256 KiB": b"\x32" + length(256 * 1024 + 1) + b"x" * 1_000,
    "a ten megabyte packet": b"\x32" + length(10_000_000) + b"x" * 1_000,
}


@pytest.mark.parametrize("packet", AFTER_LOGIN.values(), ids=AFTER_LOGIN.keys())
async def test_a_breach_of_the_protocol_ends_the_connection_and_nothing_else(port: int, packet: bytes) -> None:
    client = await RawClient.logged_in(port)
    neighbour = await RawClient.logged_in(port)
    client.send(packet)
    assert await client.is_closed()
    await neighbour.publish(TOPIC, b'{"metrics":{"n":1}}')
    await client.close()
    await neighbour.close()


async def test_packets_may_come_one_byte_at_a_time(port: int, folder: IngestFolder) -> None:
    client = await RawClient.open(port)
    stream = (
        connect_packet() + publish_packet(TOPIC.encode(), b'{"metrics":{"n":' + b" " * 200 + b"7}}", 9) + b"\xc0\x00"
    )
    for byte in stream:
        client.send(bytes((byte,)))
        await asyncio.sleep(0)
    assert await client.packet() == ACCEPTED
    assert {await client.packet(), await client.packet()} == {b"\x40\x02\x00\x09", b"\xd0\x00"}
    await client.close()
    assert [value for *_, value, _ in folder.samples()] == [7.0]


async def test_subscriptions_are_refused_and_publishing_goes_on(port: int) -> None:
    client = await RawClient.logged_in(port)
    client.send(b"\x82\x0a\x00\x05" + field(b"#") + b"\x01" + field(b"+") + b"\x00")
    assert await client.packet() == b"\x90\x04\x00\x05\x80\x80"
    client.send(b"\xa2\x05\x00\x06" + field(b"#"))
    assert await client.packet() == b"\xb0\x02\x00\x06"
    await client.publish(TOPIC, b'{"metrics":{"n":1}}')
    await client.close()


async def test_a_new_connection_with_the_same_client_id_takes_over(port: int) -> None:
    first = await RawClient.logged_in(port, "meter")
    second = await RawClient.logged_in(port, "meter")
    assert await first.is_closed()
    await second.publish(TOPIC, b'{"metrics":{"n":1}}')
    await first.close()
    await second.close()


async def test_nobody_takes_over_a_client_id_of_another_credential(port: int) -> None:
    first = await RawClient.logged_in(port, "meter", "gateway")
    second = await RawClient.logged_in(port, "meter", "pump-1")
    await first.publish(TOPIC, b'{"metrics":{"n":1}}')
    await second.publish(TOPIC, b'{"metrics":{"n":1}}')
    await first.close()
    await second.close()


async def test_a_silent_device_is_given_up_after_one_and_a_half_times_its_keep_alive(port: int) -> None:
    loop = asyncio.get_running_loop()
    client = await RawClient.logged_in(port, keep_alive_s=1)
    started = loop.time()
    assert await client.is_closed(8)
    assert loop.time() - started >= 1.5
    await client.close()


async def test_who_does_not_log_in_is_sent_away(tmp_path: Path, run_ingest: Running) -> None:
    folder = IngestFolder(tmp_path, endpoint=EndpointConfig(port=0, connect_timeout_s=0.5))
    async with run_ingest(folder) as service:
        client = await RawClient.open(service.endpoint_port)
        assert await client.is_closed(8)
        await client.close()


async def test_too_many_connections_are_turned_away_and_the_rest_stay(tmp_path: Path, run_ingest: Running) -> None:
    folder = IngestFolder(tmp_path, endpoint=EndpointConfig(port=0, most_connections=2))
    async with run_ingest(folder) as service:
        kept = [await RawClient.logged_in(service.endpoint_port) for _ in range(2)]
        client = await RawClient.open(service.endpoint_port)
        assert await client.is_closed()
        for one in (*kept, client):
            await one.close()


async def test_a_withdrawn_credential_ends_its_connection(port: int, folder: IngestFolder) -> None:
    gone, stays = await RawClient.logged_in(port, "a"), await RawClient.logged_in(port, "b", "pump-1")
    folder.write_snapshot(msgspec.structs.replace(SNAPSHOT, credentials=[credential("pump-1", PLANT.id, "pump-1")]))
    assert await gone.is_closed(8)
    await stays.publish(TOPIC, b'{"metrics":{"n":1}}')
    await gone.close()
    await stays.close()


async def test_a_rotated_credential_lets_both_secrets_in_until_the_older_one_ends(
    port: int, folder: IngestFolder
) -> None:
    old = credential("pump-1", PLANT.id, "pump-1")
    client = await RawClient.open(port)
    client.send(connect_packet("pump", "pump-1", SECRET))
    assert await client.packet() == ACCEPTED
    rotated = msgspec.structs.replace(
        old,
        secret_sha256=hashlib.sha256(b"another").hexdigest(),
        previous_sha256=old.secret_sha256,
        previous_until_us=now_us() + 2_500_000,
    )
    folder.write_snapshot(msgspec.structs.replace(SNAPSHOT, credentials=[rotated]))
    newer = connect_packet("newer", "pump-1", "another")
    await until(lambda: _is_accepted(port, newer))
    await client.publish(TOPIC.encode(), b'{"metrics":{"n":1}}')
    assert await client.is_closed()  # when the overlap has ended
    await client.close()
    assert await answer(port, connect_packet("pump", "pump-1", SECRET)) != ACCEPTED
    assert await answer(port, newer) == ACCEPTED


async def _is_accepted(port: int, packet: bytes) -> bool:
    return await answer(port, packet) == ACCEPTED


async def test_a_snapshot_that_is_not_ours_changes_nothing_and_is_reported(port: int, folder: IngestFolder) -> None:
    (folder.root / "snapshot.bin").write_bytes(b"x" * 200)
    await until(lambda: "not signed" in str(folder.heartbeat()))
    client = await RawClient.logged_in(port)
    await client.publish(TOPIC, b'{"metrics":{"n":1}}')
    await client.close()


async def test_a_port_in_use_is_one_clear_sentence(tmp_path: Path, run_ingest: Running) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        folder = IngestFolder(tmp_path, endpoint=EndpointConfig(port=taken.getsockname()[1]))
        with pytest.raises(SetupError, match="another program uses it"):
            async with run_ingest(folder):
                pass


async def test_what_was_received_before_the_stop_is_committed_and_acknowledged(
    folder: IngestFolder, run_ingest: Running
) -> None:
    async with run_ingest(folder) as service:
        client = await RawClient.logged_in(service.endpoint_port)
        for number in range(1, 1_001):
            client.send(publish_packet(TOPIC.encode(), b'{"metrics":{"n":%d}}' % number, number))
        assert await client.packet() == b"\x40\x02\x00\x01"
    acked = 1
    while await client.packet():
        acked += 1
    await client.close()
    assert len(folder.samples()) >= acked > 0


async def test_qos_2_is_answered_once_it_is_on_disk_and_taken_once(port: int, folder: IngestFolder) -> None:
    client = await RawClient.logged_in(port)
    once = publish_packet(TOPIC.encode(), b'{"timestamp":1700000000,"metrics":{"n":1}}', 7, first=0x34)
    client.send(once)
    assert await client.packet() == b"\x50\x02\x00\x07"
    assert len(folder.samples()) == 1
    again = bytes((0x3C,)) + once[1:]
    client.send(again)
    assert await client.packet() == b"\x50\x02\x00\x07"
    client.send(b"\x62\x02\x00\x07")
    assert await client.packet() == b"\x70\x02\x00\x07"
    client.send(b"\x62\x02\x00\x63")
    assert await client.packet() == b"\x70\x02\x00\x63"
    client.send(once)
    assert await client.packet() == b"\x50\x02\x00\x07"
    await client.close()
    assert len(folder.samples()) == 2
    assert folder.batches()[-1].entry.ledger.received == 2


async def test_a_will_is_published_unless_the_device_said_goodbye(port: int, folder: IngestFolder) -> None:
    will = (TOPIC.encode(), b'{"metrics":{"is_online":0}}')
    polite = await RawClient.open(port)
    polite.send(connect_packet("polite", will=will) + b"\xe0\x00")
    assert await polite.packet() == ACCEPTED
    assert await polite.is_closed()
    await polite.close()
    gone = await RawClient.open(port)
    gone.send(connect_packet("gone", will=will))
    assert await gone.packet() == ACCEPTED
    assert folder.samples() == []
    await gone.close()
    await until(lambda: len(folder.samples()) == 1)
    assert folder.samples()[0][:2] == ("pump-1", "is_online")


async def test_a_retained_message_is_news_like_any_other(port: int, folder: IngestFolder) -> None:
    client = await RawClient.logged_in(port)
    client.send(publish_packet(TOPIC.encode(), b'{"metrics":{"n":4}}', 3, first=0x33))
    assert await client.packet() == b"\x40\x02\x00\x03"
    await client.close()
    assert [value for *_, value, _ in folder.samples()] == [4.0]
