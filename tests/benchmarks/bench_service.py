"""The whole service under load: all roles running, on the cores it shares with the load generator and the broker."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from factoryops.observability.heartbeat import read_heartbeats
from tests.benchmarks.bench_api import FrameLatency, measure_frames
from tests.benchmarks.figure import Figure
from tests.support.installation import Installation
from tests.support.mosquitto import PASSWORD, USER, Mosquitto
from tests.support.waiting import wait_until

SLUG = "works"
RUNS = 3
SECONDS = 10.0
DEVICES = 100
METRICS = 10


@contextmanager
def installation(folder: Path, extra: str = "", *, has_endpoint: bool = True) -> Iterator[Installation]:
    """A running service with one factory."""
    made = Installation(folder, extra, has_endpoint=has_endpoint)
    made.add_factory(SLUG)
    made.start(timeout_s=90)
    try:
        yield made
    finally:
        made.kill()


def load_command(port: int, username: str, password: str, *, rate: float = 0.0, seconds: float = SECONDS) -> list[str]:
    """The load generator as a program of its own."""
    arguments = {
        "port": port,
        "username": username,
        "password": password,
        "slug": SLUG,
        "devices": DEVICES,
        "metrics": METRICS,
        "window": 40,
        "seconds": seconds,
        "rate": rate,
    }
    flags = [part for name, value in arguments.items() for part in (f"--{name}", str(value))]
    return [sys.executable, "-m", "tests.benchmarks.load", *flags]


def publish(command: list[str]) -> dict[str, float]:
    """Run the load generator to its end."""
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    outcome: dict[str, float] = json.loads(done.stdout)
    return outcome


def received(made: Installation) -> int:
    """Messages accepted so far."""
    return int(read_heartbeats(made.data.heartbeats)["ingest"].figures["accepted"])


def through_endpoint(made: Installation, secret: str) -> tuple[float, float, float]:
    """Median (messages/s, p50 ms, p99 ms of PUBLISH to PUBACK), as fast as acknowledgements come."""
    outcomes = [publish(load_command(made.endpoint_port, "load", secret)) for _ in range(RUNS)]
    names = ("messages_per_s", "latency_p50_ms", "latency_p99_ms")
    rate, p50, p99 = (statistics.median(one[name] for one in outcomes) for name in names)
    return rate, p50, p99


def through_mosquitto(folder: Path) -> float:
    """Median messages/s that have become durable, the queue in the broker drained included."""
    broker = Mosquitto(folder / "broker")
    broker.start()
    password = folder / "broker.password"
    password.write_text(PASSWORD, encoding="utf-8")
    password.chmod(0o600)
    extra = (
        f'[[brokers]]\nname = "hall"\nhost = "127.0.0.1"\nport = {broker.port}\n'
        f'username = "{USER}"\npassword_file = "{password}"\n'
    )
    try:
        with installation(folder / "plant", extra, has_endpoint=False) as made:
            rates = [_drained(made, load_command(broker.port, USER, PASSWORD)) for _ in range(RUNS)]
    finally:
        broker.kill()
    return statistics.median(rates)


def _drained(made: Installation, command: list[str]) -> float:
    before, started = received(made), time.monotonic()
    sent = int(publish(command)["sent"])
    wait_until(lambda: received(made) - before >= sent, timeout_s=120, what="the broker's queue to drain")
    return sent / (time.monotonic() - started)


async def to_a_client(made: Installation, secret: str) -> FrameLatency:
    """How old samples are when their frame arrives, at 2,000 messages/s."""
    plant = await made.log_in(SLUG)
    generator = subprocess.Popen(
        load_command(made.endpoint_port, "load", secret, rate=2_000, seconds=20), stdout=subprocess.DEVNULL
    )
    try:
        token = plant.token
        assert token is not None
        return await measure_frames(made.url, token, seconds=10, warm_up_s=5)
    finally:
        generator.terminate()
        generator.wait()
        await plant.close()


def measure() -> list[Figure]:
    """Ingest through both entrances, and publish to frame."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with installation(folder / "own") as made:
            secret = made.add_credential(SLUG, "load")
            rate, p50, p99 = through_endpoint(made, secret)
            frames = asyncio.run(to_a_client(made, secret))
        outside = through_mosquitto(folder)
    how = f"{DEVICES} devices, QoS 1, {METRICS} metrics a message, all roles running, median of {RUNS}"
    return [
        Figure("ingest through the endpoint", rate, "messages/s", "at least 20,000", how),
        Figure("PUBLISH to PUBACK at that rate, p50", p50, "ms", "", how),
        Figure("PUBLISH to PUBACK at that rate, p99", p99, "ms", "", how),
        Figure("publish to frame at 2,000 messages/s, p50", frames.p50_ms, "ms", "", f"{frames.frames} frames"),
        Figure(
            "publish to frame at 2,000 messages/s, p99", frames.p99_ms, "ms", "under 100", f"{frames.samples} samples"
        ),
        Figure("ingest through Mosquitto and paho", outside, "messages/s", "at least 10,000", how),
    ]
