"""An outside broker as the source, with a real Mosquitto."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from factoryops.domain.time import now_us
from factoryops.ingest import broker as broker_module
from factoryops.ingest.broker import BrokerSource
from factoryops.ingest.config import BrokerConfig
from tests.integration.ingest.conftest import Running
from tests.support.ingest_folder import IngestFolder
from tests.support.mosquitto import PASSWORD, USER, Mosquitto
from tests.support.mqtt_client import RawClient, connect_packet, publish_packet
from tests.support.waiting import until

TOPIC = b"factories/riverside/devices/pump-1/telemetry"


@pytest.fixture
def broker_folder(tmp_path: Path, mosquitto: Mosquitto) -> IngestFolder:
    broker = BrokerConfig("plant", "127.0.0.1", mosquitto.port, USER, PASSWORD)
    return IngestFolder(tmp_path, brokers=(broker,), endpoint=None)


async def publisher(mosquitto: Mosquitto) -> RawClient:
    client = await RawClient.open(mosquitto.port)
    client.send(connect_packet("publisher", USER, PASSWORD))
    assert await client.packet() == b"\x20\x02\x00\x00"
    return client


def is_connected(folder: IngestFolder) -> bool:
    beat = folder.heartbeat()
    return beat is not None and bool(beat.figures["brokers"]["plant"]["is_connected"])


def values(folder: IngestFolder) -> list[float]:
    return [value for _, _, _, value, _ in folder.samples()]


async def publish_numbers(client: RawClient, numbers: range) -> None:
    for number in numbers:
        await client.publish(TOPIC, b'{"timestamp":%d,"metrics":{"n":%d}}' % (1_700_000_000_000 + number, number))


async def test_what_the_broker_delivers_is_stored(
    broker_folder: IngestFolder, mosquitto: Mosquitto, run_ingest: Running
) -> None:
    async with run_ingest(broker_folder):
        await until(lambda: is_connected(broker_folder))
        client = await publisher(mosquitto)
        await publish_numbers(client, range(200))
        await until(lambda: len(values(broker_folder)) >= 200)
        await client.close()
    assert values(broker_folder) == [float(number) for number in range(200)]


async def test_what_the_event_loop_has_not_taken_yet_is_bounded_and_all_of_it_arrives(
    broker_folder: IngestFolder, mosquitto: Mosquitto, run_ingest: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "_MOST_UNDELIVERED", 20)
    monkeypatch.setattr(broker_module, "_PACKETS_PER_TURN", 7)
    undelivered: list[int] = []
    deliver = BrokerSource._deliver

    def watched(source: BrokerSource, generation: Any, bundle: list[Any]) -> None:
        undelivered.append(source._handed - source._delivered)
        deliver(source, generation, bundle)

    monkeypatch.setattr(BrokerSource, "_deliver", watched)
    async with run_ingest(broker_folder):
        await until(lambda: is_connected(broker_folder))
    client = await publisher(mosquitto)
    await publish_numbers(client, range(400))
    await client.close()
    async with run_ingest(broker_folder):
        await until(lambda: len(set(values(broker_folder))) >= 400, timeout_s=30)
    assert max(undelivered) <= 20 + 7


async def test_messages_sent_while_the_service_is_down_wait_in_the_broker(
    broker_folder: IngestFolder, mosquitto: Mosquitto, run_ingest: Running
) -> None:
    async with run_ingest(broker_folder):
        await until(lambda: is_connected(broker_folder))
    client = await publisher(mosquitto)
    await publish_numbers(client, range(500))
    await client.close()
    async with run_ingest(broker_folder):
        await until(lambda: len(set(values(broker_folder))) >= 500)
    # Everything was acknowledged: a third start gets nothing again.
    async with run_ingest(broker_folder):
        await until(lambda: is_connected(broker_folder))
        seen = broker_folder.heartbeat()
        assert seen is not None
        await until(lambda: (beat := broker_folder.heartbeat()) and beat.beat_us > seen.beat_us)
    assert values(broker_folder) == [float(number) for number in range(500)]


async def test_a_killed_broker_that_lost_our_session_leaves_a_gap(
    broker_folder: IngestFolder, mosquitto: Mosquitto, run_ingest: Running
) -> None:
    async with run_ingest(broker_folder):
        await until(lambda: is_connected(broker_folder))
        killed_us = now_us()
        mosquitto.kill()
        await until(lambda: not is_connected(broker_folder))
        assert "broker_away:plant" in {problem.code for problem in broker_folder.heartbeat().problems}  # type: ignore[union-attr]  # it beats
        (broker_folder.root / "mosquitto" / "mosquitto.db").unlink(missing_ok=True)
        mosquitto.start()
        await until(lambda: is_connected(broker_folder), timeout_s=15)
        client = await publisher(mosquitto)
        await publish_numbers(client, range(10))
        await until(lambda: len(values(broker_folder)) == 10)
        await client.close()
        beat = broker_folder.heartbeat()
        assert beat is not None
        assert "broker_session_lost:plant" in {problem.code for problem in beat.problems}
    gaps = [gap for batch in broker_folder.batches() for gap in batch.entry.gaps]
    assert len(gaps) == 1
    assert gaps[0].start_us < killed_us < gaps[0].end_us


async def test_a_topic_that_is_no_text_is_quarantined_and_the_thread_lives(
    broker_folder: IngestFolder, mosquitto: Mosquitto, run_ingest: Running
) -> None:
    async with run_ingest(broker_folder):
        await until(lambda: is_connected(broker_folder))
        client = await publisher(mosquitto)
        # Mosquitto refuses what is not UTF-8 itself; a look-alike passes.
        client.send(publish_packet("factories/riversidе/devices/pump-1/telemetry".encode(), b"{}", None))
        await publish_numbers(client, range(1))
        await until(lambda: len(values(broker_folder)) == 1)
        await client.close()
    assert broker_folder.batches()[-1].entry.ledger.quarantined == 1


async def test_a_retained_message_is_no_news(
    broker_folder: IngestFolder, mosquitto: Mosquitto, run_ingest: Running
) -> None:
    client = await publisher(mosquitto)
    client.send(publish_packet(TOPIC, b'{"metrics":{"n":1}}', 1, first=0x33))
    assert await client.packet() == b"\x40\x02\x00\x01"
    async with run_ingest(broker_folder):
        await until(lambda: (beat := broker_folder.heartbeat()) and beat.figures["quarantined"] == 1)
    await client.close()
    assert values(broker_folder) == []


async def test_a_wrong_password_is_named_and_tried_again(
    tmp_path: Path, mosquitto: Mosquitto, run_ingest: Running
) -> None:
    broker = BrokerConfig("plant", "127.0.0.1", mosquitto.port, USER, "wrong")
    folder = IngestFolder(tmp_path, brokers=(broker,), endpoint=None)
    async with run_ingest(folder):
        await until(lambda: "refuses us" in str(folder.heartbeat()))


async def test_a_broker_that_is_back_is_no_problem_any_more(
    broker_folder: IngestFolder, mosquitto: Mosquitto, run_ingest: Running
) -> None:
    mosquitto.stop()
    async with run_ingest(broker_folder):
        await until(lambda: "broker_away:plant" in str(broker_folder.heartbeat()))
        mosquitto.start()
        await until(lambda: is_connected(broker_folder), timeout_s=20)
        await until(lambda: "broker_away" not in str(broker_folder.heartbeat()))


async def test_messages_dropped_by_a_full_broker_queue_become_a_gap_and_a_problem(
    tmp_path: Path, run_ingest: Running
) -> None:
    small = Mosquitto(tmp_path / "small", queued=10)
    small.start()
    folder = IngestFolder(
        tmp_path, brokers=(BrokerConfig("plant", "127.0.0.1", small.port, USER, PASSWORD),), endpoint=None
    )
    try:
        async with run_ingest(folder):
            await until(lambda: is_connected(folder))
            await until(lambda: b'"dropped":0' in (folder.checkpoints / "broker.plant").read_bytes())
        client = await publisher(small)
        await publish_numbers(client, range(1_200))
        await client.close()
        async with run_ingest(folder):
            await until(lambda: "broker_dropped:plant" in str(folder.heartbeat()), timeout_s=20)
    finally:
        small.stop()
    assert any("dropped" in gap.reason for batch in folder.batches() for gap in batch.entry.gaps)
