"""P4: one factory that floods does not harm another: nothing of the other is lost, and nothing waits long."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from factoryops.domain.samples import SeriesKey
from factoryops.journal.reader import JournalReader
from tests.faults.conftest import Ingest
from tests.support.ingest_folder import SECRET, SNAPSHOT, STRICT_PLANT, IngestFolder

OTHER = msgspec.structs.replace(STRICT_PLANT, adopts_automatically=True)
BOTH = msgspec.structs.replace(SNAPSHOT, factories=[SNAPSHOT.factories[0], OTHER])
QUIET_RATE = 50
TIMES = 20


def publishing(port: int, username: str, slug: str, **options: float) -> subprocess.Popen[bytes]:
    """The load generator as a process of its own."""
    extra = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    command = [
        sys.executable, "-m", "tests.benchmarks.load", "--port", str(port), "--username", username,
        "--password", SECRET, "--slug", slug, *extra,
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def values_of(folder: IngestFolder, factory: str) -> int:
    """How many samples of one factory the journal holds."""
    reader = JournalReader(folder.journal)
    count = 0
    while batches := reader.read():
        keys: dict[int, SeriesKey] = reader.series
        count += sum(keys[one].factory == factory for batch in batches for one in batch.samples.series.tolist())
    reader.close()
    return count


def flood(tmp_path: Path, ingest: Ingest, seconds: float) -> None:
    folder = IngestFolder(tmp_path)
    folder.write_snapshot(BOTH)
    process = ingest(folder)
    port = process.port()
    # Without a rate: as much as it takes, far more than 20 times what the other sends.
    loud = publishing(port, "gateway", "riverside", devices=20, window=40, metrics=2, seconds=seconds + 2)
    quiet = publishing(port, "hillside-gateway", "hillside", devices=1, window=20, metrics=1, seconds=seconds,
                       rate=QUIET_RATE)  # fmt: skip
    heard, _ = quiet.communicate(timeout=seconds + 60)
    noise, _ = loud.communicate(timeout=60)
    outcome, flooded = json.loads(heard), json.loads(noise)
    process.stop()
    assert flooded["messages_per_s"] > TIMES * QUIET_RATE
    assert outcome["acked"] == outcome["sent"] >= 0.8 * QUIET_RATE * seconds
    assert outcome["latency_p99_ms"] < 2_000
    assert values_of(folder, OTHER.id) == outcome["acked"]


def test_p4_a_flood_of_one_factory_does_not_delay_another(tmp_path: Path, ingest: Ingest) -> None:
    flood(tmp_path, ingest, seconds=4.0)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_p4_five_minutes_of_flood_cost_another_factory_nothing(tmp_path: Path, ingest: Ingest) -> None:
    flood(tmp_path, ingest, seconds=300.0)
