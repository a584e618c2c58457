"""A disk that takes nothing for a while, behind a broker: its messages wait there, and come back whole and on time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import apsw
import pytest

from factoryops.domain.samples import SampleFlag
from factoryops.domain.time import US_PER_S, now_us
from factoryops.ingest.broker import BrokerSource, Received
from factoryops.ingest.config import BrokerConfig
from factoryops.ingest.pipeline import Pipeline
from factoryops.journal.writer import JournalWriter
from tests.integration.ingest.conftest import Running
from tests.support.ingest_folder import IngestFolder
from tests.support.mqtt_client import RawClient
from tests.support.plant_broker import PlantBroker
from tests.support.waiting import until

TOPIC = "factories/riverside/devices/press-1/telemetry"
EVERY_S = 0.02


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[PlantBroker]:
    made = PlantBroker(tmp_path)
    made.add("riverside", "gateway")
    made.write_users()
    made.start()
    yield made
    made.close()


def is_connected(folder: IngestFolder) -> bool:
    beat = folder.heartbeat()
    return beat is not None and bool(beat.figures["brokers"]["plant"]["is_connected"])


async def publish(client: RawClient, first: int, count: int) -> int:
    """Live messages, each acknowledged by the broker; answers the number behind the last."""
    for number in range(first, first + count):
        message = {"timestamp": now_us() / US_PER_S, "metrics": {"n": number}}
        await client.publish(TOPIC, json.dumps(message).encode())
        await asyncio.sleep(EVERY_S)
    return first + count


async def test_a_full_disk_loses_nothing_makes_nothing_late_and_ends_by_itself(
    tmp_path: Path, broker: PlantBroker, run_ingest: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    folder = IngestFolder(tmp_path / "data", brokers=(broker.config(),), endpoint=None)
    memory = folder.checkpoints / "broker.plant.new"
    async with run_ingest(folder):
        await until(lambda: is_connected(folder))
        client = await RawClient.logged_in(broker.plain_port, "press", password=broker.secrets["gateway"])
        sent = await publish(client, 0, 50)
        memory.mkdir()  # what the broker's part must remember cannot be written, either
        with monkeypatch.context() as full:
            full.setattr(JournalWriter, "_commit", _full)
            sent = await publish(client, sent, 100)
        memory.rmdir()
        sent = await publish(client, sent, 50)
        await until(lambda: len({sample[3] for sample in folder.samples()}) == sent, timeout_s=30, every_s=0.2)
        await client.close()
    samples = folder.samples()
    assert {int(value) for *_, value, _ in samples} == set(range(sent))
    first_of = {value: flags for *_, value, flags in reversed(samples)}
    assert [value for value, flags in first_of.items() if flags & SampleFlag.LATE] == []
    ledger = folder.batches()[-1].entry.ledger
    assert (ledger.received, ledger.accepted) == (len(samples), len(samples))


class Taking:
    """Stands in for the pipeline."""

    messages = 0

    def add_source(self, _source: object) -> None:
        """Ask nothing of it."""

    def receive(self, *_: object, **__: object) -> None:
        self.messages += 1


def source_of(config: BrokerConfig, pipeline: Taking, folder: Path) -> BrokerSource:
    return BrokerSource(config, cast("Pipeline", pipeline), folder / "broker.hall")


async def test_what_is_behind_a_dropped_message_waits_for_it(tmp_path: Path) -> None:
    pipeline = Taking()
    source = source_of(BrokerConfig("hall", "127.0.0.1"), pipeline, tmp_path)
    bundle: list[Received] = [(b"t", b"p", b"\0\1", False)]
    source._deliver(source._generation, bundle)
    source._generation.give_up()
    source._deliver(source._generation, bundle)
    source.close()
    assert pipeline.messages == 1


async def test_a_broker_is_neither_asked_nor_blamed_while_nothing_may_be_read(
    tmp_path: Path, broker: PlantBroker
) -> None:
    source = source_of(broker.config(), Taking(), tmp_path)
    source.pause()
    source.start()
    await until(lambda: bool(source._thread.is_alive()))
    assert source.problems() == {}
    assert source._client is None
    source.resume()
    await until(lambda: bool(source.figures()["is_connected"]))
    await asyncio.to_thread(source.close)


def _full(*_: object, **__: object) -> None:
    raise apsw.FullError("database or disk is full")
