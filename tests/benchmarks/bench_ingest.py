"""What ingest takes: a real ingest process, and the load generator as a process beside it on the same machine."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from factoryops.ingest.config import BrokerConfig
from tests.benchmarks.figure import Figure
from tests.support.crash_harness import Verdict, crash_run
from tests.support.ingest_folder import SECRET, IngestFolder, IngestProcess
from tests.support.mosquitto import PASSWORD, USER, Mosquitto
from tests.support.waiting import wait_until

ROUNDS = 3
SECONDS = 6.0
KILLS = 25

Outcome = dict[str, float]


def load(port: int, *, username: str, password: str, **options: float) -> Outcome:
    """Run the load generator; returns what it printed."""
    extra = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    command = [
        sys.executable, "-m", "tests.benchmarks.load", "--port", str(port), "--username", username,
        "--password", password, "--slug", "riverside", *extra,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    outcome: Outcome = json.loads(done.stdout)
    return outcome


def _endpoint(**options: float) -> list[Outcome]:
    with tempfile.TemporaryDirectory() as root, IngestProcess(IngestFolder(Path(root))) as process:
        port = process.port()
        return [load(port, username="gateway", password=SECRET, seconds=SECONDS, **options) for _ in range(ROUNDS)]


def _broker_rate() -> float:
    """Messages per second that are durable, counted by ingest itself while the load runs through Mosquitto."""
    with tempfile.TemporaryDirectory() as root:
        broker = Mosquitto(Path(root) / "mosquitto")
        broker.start()
        plant = BrokerConfig("plant", "127.0.0.1", broker.port, USER, PASSWORD)
        folder = IngestFolder(Path(root), brokers=(plant,), endpoint=None)
        try:
            with IngestProcess(folder) as process:
                process.port()
                wait_until(lambda: (beat := folder.heartbeat()) and beat.figures["brokers"]["plant"]["is_connected"])
                return median(_broker_round(broker.port, folder) for _ in range(ROUNDS))
        finally:
            broker.stop()


def _received(folder: IngestFolder) -> tuple[int, int]:
    beat = folder.heartbeat()
    assert beat is not None
    return beat.figures["received"], beat.beat_us


def _broker_round(port: int, folder: IngestFolder) -> float:
    before, begun_us = _received(folder)
    acked = load(port, username=USER, password=PASSWORD, seconds=SECONDS, devices=50, window=40)["acked"]
    wait_until(lambda: _received(folder)[0] - before >= acked, timeout_s=60)
    after, ended_us = _received(folder)
    return (after - before) / (ended_us - begun_us) * 1e6


def _kills() -> Verdict:
    with tempfile.TemporaryDirectory() as root:
        return asyncio.run(crash_run(Path(root), kills=KILLS, seed=2026, publishers=8))


def measure() -> list[Figure]:
    """The figures of ingest."""
    flood = _endpoint(devices=50, window=40)
    paced = _endpoint(devices=50, window=40, rate=2_000)
    verdict = _kills()
    note = f"10 metrics, QoS 1, 50 devices, durable, load generator on the same cores, median of {ROUNDS}"

    def of(outcomes: list[Outcome], name: str) -> float:
        return median(one[name] for one in outcomes)

    kills = f"25 random kill -9 under load; {verdict.acked} acknowledged, {verdict.redelivered} delivered again alike"
    return [
        Figure("ingest through the endpoint", of(flood, "messages_per_s"), "messages/s", "at least 20,000", note),
        Figure("ingest through Mosquitto and paho", _broker_rate(), "messages/s", "at least 10,000", note),
        Figure("publish to PUBACK at 2,000/s, p50", of(paced, "latency_p50_ms"), "ms", "", note),
        Figure("publish to PUBACK at 2,000/s, p99", of(paced, "latency_p99_ms"), "ms", "", note),
        Figure("acknowledged messages lost by kills", verdict.lost, "messages", "0", kills),
        Figure("messages in two versions after kills", verdict.twice, "messages", "0", kills),
    ]


if __name__ == "__main__":
    for figure in measure():
        print(figure)  # noqa: T201 - shown to whoever runs it
