"""What ingest promises on its own: a quick start on a large journal, and nothing lost by kills."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.domain.time import US_PER_S, now_us
from factoryops.journal.records import Entry, MessageLedger
from factoryops.journal.writer import JournalWriter
from tests.benchmarks.figure import Figure
from tests.support.crash_harness import Verdict, crash_run
from tests.support.ingest_folder import PLANT, IngestFolder, IngestProcess
from tests.support.mqtt_client import RawClient

KILLS: Final = 25
STARTS: Final = 3
UNSEALED_BYTES: Final = 500_000_000
_SAMPLES_PER_ROW: Final = 50_000
_TOPIC: Final = "factories/riverside/devices/load-0/telemetry"


def _fill(path: Path) -> int:
    """A journal of half a gigabyte that nobody has read, its newest rows a moment old; answers its samples."""
    keys = [SeriesKey(PLANT.id, f"load-{one}", f"parameter_{two}") for one in range(1_000) for two in range(10)]
    series = np.array([series_id(key) for key in keys], np.int64)
    random = np.random.default_rng(3)
    total = 0
    with JournalWriter(path) as writer:
        while writer.used_bytes() < UNSEALED_BYTES:
            moment_us = now_us()
            time_us = moment_us - random.integers(0, US_PER_S, _SAMPLES_PER_ROW)
            chosen, flags = random.choice(series, _SAMPLES_PER_ROW), np.zeros(_SAMPLES_PER_ROW, np.uint8)
            samples = SampleColumns(chosen, time_us, random.normal(50, 5, _SAMPLES_PER_ROW), flags)
            total += _SAMPLES_PER_ROW
            messages = total // 10
            ledger = MessageLedger(received=messages, accepted=messages, values_accepted=total)
            writer.append(Entry(moment_us, ledger, samples, moment_us - 2 * US_PER_S), keys)
    return total


async def _first_acknowledgement(folder: IngestFolder) -> float:
    """Seconds from starting the process to the first PUBACK."""
    began = time.monotonic()
    with IngestProcess(folder) as process:
        client = await RawClient.logged_in(await asyncio.to_thread(process.port))
        await client.publish(_TOPIC, b'{"metrics":{"parameter_0":1}}')
        spent = time.monotonic() - began
        await client.close()
    return spent


def _starts() -> tuple[float, int]:
    with tempfile.TemporaryDirectory() as root:
        folder = IngestFolder(Path(root))
        samples = _fill(folder.journal)
        return median(asyncio.run(_first_acknowledgement(folder)) for _ in range(STARTS)), samples


def _kills() -> Verdict:
    with tempfile.TemporaryDirectory() as root:
        return asyncio.run(crash_run(Path(root), kills=KILLS, seed=2026, publishers=8))


def measure() -> list[Figure]:
    """The figures of ingest alone; what it takes with everything running is in `service`."""
    start_s, samples = _starts()
    verdict = _kills()
    kills = f"25 random kill -9 under load; {verdict.acked} acknowledged, {verdict.redelivered} delivered again alike"
    note = f"{samples / 1e6:.0f} million samples unsealed, process start included, median of {STARTS}"
    return [
        Figure("first acknowledgement after a start with 500 MB unsealed", start_s, "s", "under 2", note),
        Figure("acknowledged messages lost by kills", verdict.lost, "messages", "0", kills),
        Figure("messages in two versions after kills", verdict.twice, "messages", "0", kills),
    ]


if __name__ == "__main__":
    for figure in measure():
        print(figure)  # noqa: T201 - shown to whoever runs it
