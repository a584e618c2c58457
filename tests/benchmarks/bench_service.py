"""The whole service at plant speed: all roles running, on the cores it shares with the load generator and the broker.

FACTORYOPS_BENCH_SECONDS shortens or lengthens each sustained load (60 s by default; 1,800 shows that memory is flat).
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.bench_api import FrameLatency, measure_frames
from tests.benchmarks.figure import Figure
from tests.benchmarks.plant import (
    SLUG,
    Load,
    Watch,
    assert_balanced,
    figures_of,
    installation,
    wait_until_settled,
)
from tests.support.installation import Installation
from tests.support.mosquitto import PASSWORD, USER, Mosquitto
from tests.support.waiting import wait_until

SECONDS = float(os.environ.get("FACTORYOPS_BENCH_SECONDS", "60"))
DEVICES = 1_000
RULES = 1_000
PACED = 10_000
BROKERED = 31_000
"""Through a broker the load keeps to a rate: Mosquitto acknowledges faster than anybody reads, and drops what its queue
cannot hold."""

_HOW = f"{DEVICES:,} devices, 10 metrics, QoS 1, {RULES:,} rules, all roles, {SECONDS:.0f} s"


def measure() -> list[Figure]:
    """Ingest through both entrances, beside a bare subscriber; latency; catching up."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with installation(folder / "own", devices=DEVICES, rules=RULES) as made:
            secret = made.add_credential(SLUG, "load")
            # The flood last: what it leaves to compact would share the cores with what is measured after it.
            figures = _latency(made, secret)
            figures += _catching_up(made, secret)
            figures += _through_endpoint(made, secret)
        figures += _through_mosquitto(folder)
    return figures


def _through_endpoint(made: Installation, secret: str) -> list[Figure]:
    load = Load(made.endpoint_port, "load", secret, devices=DEVICES, seconds=SECONDS)
    with Watch(made) as watch:
        outcome = load.run()
        behind_s = wait_until_settled(made)
    assert_balanced(made)
    memory = [one / 2**20 for one in watch.memory["ingest"]]
    settled = memory[len(memory) // 5 :]
    cpu = f"{_HOW}; CPU µs per message: {watch.cpu_note(outcome['acked'])}"
    return [
        Figure("ingest through the endpoint", outcome["messages_per_s"], "messages/s", "60,000", cpu),
        Figure("history and alarms behind at its end", behind_s, "s", "", "until every value is sealed"),
        Figure("PUBLISH to PUBACK at that rate, p99", outcome["latency_p99_ms"], "ms", "", _HOW),
        Figure("memory of ingest at full load, most", max(memory), "MB", "under 150", _HOW),
        Figure("memory of ingest, last less first fifth", settled[-1] - settled[0], "MB", "flat", _HOW),
    ]


def _latency(made: Installation, secret: str) -> list[Figure]:
    meeting = Load(made.endpoint_port, "load", secret, devices=DEVICES, seconds=5, rate=PACED)
    meeting.wait_until_let_in()
    fresh = meeting.run()
    load = Load(made.endpoint_port, "load", secret, devices=DEVICES, seconds=20, rate=PACED)
    durable = load.run()
    frames = asyncio.run(_to_a_client(made, load))
    how = f"{DEVICES:,} devices, {RULES:,} rules, all roles running"
    first = "the first 5 s of a new installation: 10,000 parameters are met for the first time"
    return [
        Figure("the same while everything is new, p99", fresh["latency_p99_ms"], "ms", "", first),
        Figure("publish to durable at 10,000 messages/s, p50", durable["latency_p50_ms"], "ms", "", how),
        Figure("publish to durable at 10,000 messages/s, p99", durable["latency_p99_ms"], "ms", "under 10", how),
        Figure("publish to frame at 10,000 messages/s, p50", frames.p50_ms, "ms", "", f"{frames.frames} frames"),
        Figure("publish to frame at 10,000 messages/s, p99", frames.p99_ms, "ms", "under 60", f"{frames.samples}"),
    ]


async def _to_a_client(made: Installation, load: Load) -> FrameLatency:
    plant = await made.log_in(SLUG)
    generator = subprocess.Popen(load.command(), stdout=subprocess.DEVNULL)
    try:
        token = plant.token
        assert token is not None
        return await measure_frames(made.url, token, seconds=10, frames_per_s=60, warm_up_s=6)
    finally:
        generator.terminate()
        generator.wait()
        await plant.close()


def _catching_up(made: Installation, secret: str) -> list[Figure]:
    """The historian stands still for 20 s while 10,000 messages/s come, and goes on while they still do."""
    wait_until_settled(made)
    load = Load(made.endpoint_port, "load", secret, devices=DEVICES, seconds=60, rate=PACED)
    historian = made.role_process("historian")
    with subprocess.Popen(load.command(), stdout=subprocess.DEVNULL) as generator:
        wait_until(lambda: figures_of(made, "ingest").get("messages_per_s", 0) > PACED * 0.8, timeout_s=20)
        historian.suspend()
        stood_still, began = 20.0, time.monotonic()
        wait_until(lambda: time.monotonic() - began > stood_still, timeout_s=stood_still + 5)
        before = figures_of(made, "historian")["stored"]
        historian.resume()
        resumed, worst_s = time.monotonic(), 0.0
        while _waiting(made) > 2 * PACED * 10:
            worst_s = max(worst_s, figures_of(made, "engine").get("lag_s", 0.0))
            if time.monotonic() - resumed > 120:
                break
        spent_s = time.monotonic() - resumed
        rate = (figures_of(made, "historian")["stored"] - before) / spent_s / (PACED * 10)
        generator.terminate()
    return [
        Figure("catching up after 20 s away, beside the live load", rate, "times live", "at least 3", "10,000 msg/s"),
        Figure("alarms behind meanwhile, at most", worst_s, "s", "about 2 (grace)", "the watermark's own 2 s included"),
    ]


def _waiting(made: Installation) -> int:
    historian = figures_of(made, "historian")
    accepted = figures_of(made, "ingest")["values_accepted"]
    return int(accepted - historian["stored"] - historian["replaced"])


# --- an outside broker -------------------------------------------------------------------------------------------


@contextmanager
def _broker(folder: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


def _through_mosquitto(folder: Path) -> list[Figure]:
    with _broker(folder / "bare-broker") as broker:
        bare = _bare(broker.port)
    password = folder / "broker.password"
    password.write_text(PASSWORD, encoding="utf-8")
    password.chmod(0o600)
    with _broker(folder / "broker") as broker:
        extra = (
            f'[[brokers]]\nname = "hall"\nhost = "127.0.0.1"\nport = {broker.port}\n'
            f'username = "{USER}"\npassword_file = "{password}"\n'
        )
        with installation(folder / "plant", extra, has_endpoint=False, devices=DEVICES, rules=RULES) as made:
            connected = lambda: figures_of(made, "ingest").get("brokers", {}).get("hall", {}).get("is_connected")  # noqa: E731 - one condition
            wait_until(connected, timeout_s=30)
            with Watch(made) as watch:
                rate, sent = _drained(
                    made, Load(broker.port, USER, PASSWORD, devices=DEVICES, seconds=SECONDS, rate=BROKERED)
                )
                wait_until_settled(made)
            assert_balanced(made)
    cpu = f"{_HOW}, its queue drained; CPU µs per message: {watch.cpu_note(sent)}"
    return [
        Figure("ingest through Mosquitto and paho", rate, "messages/s", "30,000", cpu),
        Figure("a bare paho subscriber in the same run", bare, "messages/s", "", "counts and does nothing else"),
    ]


def _drained(made: Installation, load: Load) -> tuple[float, float]:
    """(messages/s that became durable, from the first one sent to the last one kept; how many)."""
    before = figures_of(made, "ingest")["accepted"]
    outcome, ended = load.run(), time.monotonic()
    sent = outcome["sent"]
    wait_until(lambda: figures_of(made, "ingest")["accepted"] - before >= sent, timeout_s=300, what="the queue")
    return sent / (outcome["seconds"] + time.monotonic() - ended), sent


def _bare(port: int) -> float:
    command = [
        sys.executable, "-m", "tests.benchmarks.bare_subscriber", "--port", str(port), "--username", USER,
        "--password", PASSWORD,
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as subscriber:
        assert subscriber.stdout is not None
        assert subscriber.stdout.readline() == "ready\n"
        Load(port, USER, PASSWORD, devices=DEVICES, seconds=min(SECONDS, 20.0)).run()
        told = json.loads(subscriber.stdout.readline())
    return float(told["received"] / told["seconds"])
