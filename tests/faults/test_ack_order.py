"""The order of system calls: no PUBACK and no PUBREC leaves before its message's row is written and synced."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

import pytest

from tests.faults.conftest import Ingest
from tests.support.ingest_folder import IngestFolder
from tests.support.mqtt_client import RawClient, publish5_packet, publish_packet
from tests.support.system_calls import CALLS, find_strace, order_of_answers

TOPIC = b"factories/riverside/devices/pump-1/telemetry"
MESSAGES = 500


async def publish(client: RawClient, level: int, number: int, *, quality: int) -> None:
    """One message, and all that MQTT says about it, to its end."""
    make = publish5_packet if level == 5 else publish_packet
    payload = b'{"timestamp":%d,"metrics":{"n":%d}}' % (1_700_000_000 + number, number)
    packet_id = struct.pack(">H", number + 1)
    client.send(make(TOPIC, payload, number + 1, first=0x30 | quality << 1))
    if quality == 1:
        assert await client.packet() == b"\x40\x02" + packet_id
        return
    assert await client.packet() == b"\x50\x02" + packet_id
    client.send(b"\x62\x02" + packet_id)
    assert await client.packet() == b"\x70\x02" + packet_id


@pytest.mark.timeout(180)
@pytest.mark.parametrize("level", [4, 5], ids=["3.1.1", "5"])
async def test_every_answer_follows_the_sync_of_its_row(tmp_path: Path, ingest: Ingest, level: int) -> None:
    folder, trace = IngestFolder(tmp_path), tmp_path / "trace"
    process = ingest(folder, prefix=(find_strace(), "-D", "-f", "-s", "8", "-e", CALLS, "-o", str(trace)))
    port = await asyncio.to_thread(process.port, 60)
    client = await (RawClient.logged_in5(port) if level == 5 else RawClient.logged_in(port))
    for number in range(MESSAGES):
        await publish(client, level, number, quality=1 + number % 2)
    await client.close()
    await asyncio.to_thread(process.stop)
    order = order_of_answers(trace)
    assert len(order) == MESSAGES
    assert [line for is_right, line in order if not is_right] == []
    assert sorted(value for *_, value, _ in folder.samples()) == [float(number) for number in range(MESSAGES)]
