"""What the disk does to ingest: failing fsyncs, no space left."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path

import pytest

from tests.faults.conftest import Ingest
from tests.support.ingest_folder import IngestFolder
from tests.support.mqtt_client import RawClient, connect_packet
from tests.support.system_calls import find_strace
from tests.support.waiting import until

TOPIC = "factories/riverside/devices/pump-1/telemetry"


@pytest.fixture
def strace() -> str:
    return find_strace()


def message(number: int) -> bytes:
    return b'{"timestamp":%d,"metrics":{"n":%d}}' % (1_700_000_000 + number, number)


async def publish_until_closed(client: RawClient, first: int) -> int:
    """How many messages were acknowledged before the connection ended."""
    number = first
    try:
        while number < first + 2_000:
            await client.publish(TOPIC, message(number))
            number += 1
    except AssertionError:
        return number - first
    raise AssertionError("the connection stayed")


async def reconnected(port: int) -> RawClient:
    """A connection once devices are let in again; until then they are told that the server is unavailable."""
    while True:
        client = await RawClient.open(port)
        client.send(connect_packet())
        reply = await client.packet()
        if reply == b"\x20\x02\x00\x00":
            return client
        assert reply == b"\x20\x02\x00\x03"
        await client.close()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("number", [25, 40, 61])
async def test_a_failed_fsync_acknowledges_nothing_and_the_next_try_goes_on(
    tmp_path: Path, strace: str, ingest: Ingest, number: int
) -> None:
    folder = IngestFolder(tmp_path)
    inject = f"inject=fsync,fdatasync:error=EIO:when={number}"
    process = ingest(
        folder, prefix=(strace, "-D", "-f", "-e", "trace=fsync,fdatasync", "-e", inject, "-o", "/dev/null")
    )
    port = await asyncio.to_thread(process.port, 40)
    client = await RawClient.logged_in(port)
    acked = await publish_until_closed(client, 0)
    await client.close()
    client = await reconnected(port)
    for place in range(acked, acked + 20):
        await client.publish(TOPIC, message(place))
    await client.close()
    await asyncio.to_thread(process.stop)
    kept = {value for *_, value, _ in folder.samples()}
    assert kept >= {float(place) for place in range(acked + 20)}
    ledger = folder.batches()[-1].entry.ledger
    assert ledger.received == ledger.accepted
    assert ledger.values_accepted == len(folder.samples())


async def test_a_full_disk_stops_acknowledgements_and_space_brings_them_back(tmp_path: Path, ingest: Ingest) -> None:
    folder = IngestFolder(tmp_path)
    process = ingest(folder)
    port = await asyncio.to_thread(process.port)
    client = await RawClient.logged_in(port)
    await client.publish(TOPIC, message(0))
    free = resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, (4_000, free[1]))
    acked = 1 + await publish_until_closed(client, 1)
    await client.close()
    await until(lambda: "journal_not_writable" in str(folder.heartbeat()))
    refused = await RawClient.open(port)
    refused.send(connect_packet())
    assert await refused.packet() == b"\x20\x02\x00\x03"
    await refused.close()
    resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, free)
    client = await reconnected(port)
    for number in range(acked, acked + 20):
        await client.publish(TOPIC, message(number))
    await client.close()
    await until(lambda: (beat := folder.heartbeat()) and not beat.problems)
    await asyncio.to_thread(process.stop)
    rows = [value for *_, value, _ in folder.samples()]
    assert rows == [float(number) for number in range(acked + 20)]
    ledger = folder.batches()[-1].entry.ledger
    assert ledger.received == ledger.accepted == acked + 20
