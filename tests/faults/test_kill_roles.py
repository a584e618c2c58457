"""kill -9 of any role of a running service, under load: both ledgers balance, acknowledged values are stored once.

Fault rows 1, 2 and 5: ingest, historian, engine and api die at random instants and come back by themselves.
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import numpy as np
import pytest

from factoryops.domain.samples import SeriesKey, series_id
from factoryops.history.local.reader import LocalHistoryReader
from factoryops.journal.reader import JournalReader
from factoryops.observability.heartbeat import read_heartbeats
from tests.support.installation import Installation
from tests.support.numbered_publisher import FIRST_TIME_MS, NumberedPublisher
from tests.support.waiting import until

ROLES = ("ingest", "historian", "engine", "api")
DEVICES = 3


async def kill_roles(installation: Installation, *, kills: int, seed: int) -> list[NumberedPublisher]:
    """Publish all the time and kill a role every now and then; answers the publishers, all of them at rest."""
    chance = random.Random(seed)
    print(f"seed {seed}")  # noqa: T201 - to repeat a failure
    secret = installation.add_credential("riverside", "gateway")
    installation.start()
    stop, port = asyncio.Event(), asyncio.Queue[int]()
    port.put_nowait(installation.endpoint_port)
    devices = [NumberedPublisher(f"device-{number}", password=secret) for number in range(DEVICES)]
    tasks = [asyncio.create_task(device.run(port, stop)) for device in devices]
    for number in range(kills):
        role = ROLES[number % len(ROLES)]
        await asyncio.sleep(chance.uniform(0.1, 0.6))
        await kill(installation, role)
    acked = sum(len(device.acked) for device in devices)
    await until(lambda: sum(len(device.acked) for device in devices) > acked + 100, timeout_s=30)
    stop.set()
    await asyncio.gather(*tasks)
    return devices


async def kill(installation: Installation, role: str) -> None:
    process = installation.role_process(role)
    process.kill()

    def is_back() -> bool:
        beat = read_heartbeats(installation.data.heartbeats).get(role)
        return beat is not None and beat.process_id != process.pid

    await until(is_back, timeout_s=60, every_s=0.05, what=f"{role} to come back")


async def settle(installation: Installation) -> None:
    """Wait until the historian has everything; both ledgers are exact then (beats are not of one moment before)."""

    def is_settled() -> bool:
        beats = read_heartbeats(installation.data.heartbeats)
        ingest, historian = beats["ingest"].figures, beats["historian"].figures
        kept = historian.get("stored", 0) + historian.get("replaced", 0)
        return bool(kept == ingest["values_accepted"])

    await until(is_settled, timeout_s=60, every_s=0.2, what="history to catch up")
    health = await installation.health("riverside")
    assert health.messages is not None
    assert health.messages.received == health.messages.accepted + health.messages.quarantined
    assert health.messages.quarantined == 0


def stored(installation: Installation, factory: str, device: str) -> dict[int, float]:
    """Time -> value of a device's first metric, read from the history file; fails on a time that is there twice."""
    reader = LocalHistoryReader(installation.data.history)
    samples = reader.raw(series_id(SeriesKey(factory, device, "m0")), 0, 1 << 62, most=10_000_000)
    reader.close()
    assert (np.diff(samples.time_us) > 0).all()
    return dict(zip(samples.time_us.tolist(), samples.value.tolist(), strict=True))


def factory_of(installation: Installation) -> str:
    """The id of the one factory, as the journal knows it."""
    reader = JournalReader(installation.data.journals["journal"])
    reader.read(most_rows=1)
    reader.close()
    (factory,) = {key.factory for key in reader.series.values()}
    return factory


async def check(installation: Installation, *, kills: int, seed: int) -> None:
    installation.add_factory("riverside")
    devices = await kill_roles(installation, kills=kills, seed=seed)
    await settle(installation)
    factory = factory_of(installation)
    lost = 0
    for device in devices:
        kept = stored(installation, factory, device.name)
        lost += sum(kept.get((FIRST_TIME_MS + number) * 1_000) != number for number in device.acked)
    assert sum(len(device.acked) for device in devices) > 100
    assert lost == 0


@pytest.mark.timeout(240)
async def test_roles_that_are_killed_come_back_and_nothing_acknowledged_is_lost(installation: Installation) -> None:
    await check(installation, kills=len(ROLES), seed=int(os.environ.get("FACTORYOPS_SEED", "21")))


@pytest.mark.long
@pytest.mark.timeout(3_600)
async def test_a_hundred_kills_of_roles_lose_nothing_acknowledged(installation: Installation, tmp_path: Path) -> None:
    await check(installation, kills=100, seed=int(os.environ.get("FACTORYOPS_SEED", "2027")))
