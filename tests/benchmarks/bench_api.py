"""The API: how long a sample takes from the journal to a client's frame, and how many requests one core answers.

`measure_frames` and `measure_gets` work on any running service. `measure` starts an API of its own in another process,
beside a writer that commits 2,000 messages of 10 metrics a second to its journal as ingest would.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import uvloop

from factoryops.client.http import HttpPlant
from factoryops.contracts import live
from factoryops.domain.identity import Role, device_id, parameter_id
from factoryops.domain.plant import Device, Parameter
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.domain.time import now_us
from factoryops.journal.records import Entry, MessageLedger
from tests.benchmarks.figure import Figure
from tests.support.api_service import ApiService, FactoryKit, running_api

DEVICES = 50
METRICS = 10
MESSAGES_PER_S = 2_000
COMMITS_PER_S = 200


@dataclass(frozen=True, slots=True)
class FrameLatency:
    """From a sample's own time to its frame being decoded at a client; publishers stamp the moment of publishing."""

    samples: int
    frames: int
    p50_ms: float
    p99_ms: float
    max_ms: float


async def measure_frames(
    url: str, token: str, *, seconds: float = 10.0, frames_per_s: float = 30.0, warm_up_s: float = 1.0
) -> FrameLatency:
    """Listen to everything for a while and look how old each sample is when it arrives."""
    plant = HttpPlant(url)
    await plant.resume(token)
    link = await plant.open_live()
    await link.subscribe(live.Subscribe(is_all=True, most_frames_per_s=frames_per_s))
    ages: list[np.ndarray] = []
    frames, begin = 0, time.monotonic() + warm_up_s
    async for message in link:
        if time.monotonic() > begin + seconds:
            break
        if isinstance(message, live.Samples) and time.monotonic() > begin:
            ages.append(now_us() - message.columns().time_us)
            frames += 1
    await link.close()
    await plant.close()
    joined = np.concatenate(ages) / 1_000 if ages else np.full(1, np.nan)
    p50, p99 = np.percentile(joined, [50, 99])
    return FrameLatency(len(joined), frames, float(p50), float(p99), float(joined.max()))


async def measure_gets(
    url: str, token: str, path: str, *, seconds: float = 5.0, connections: int = 32
) -> tuple[float, float]:
    """Answers per second and p99 in ms of one authenticated GET, on connections kept open."""
    place = urlsplit(url)
    request = (f"GET /api/v1/{path} HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n").encode()
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def ask() -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        while (began := time.perf_counter()) < end:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise AssertionError(head.decode("latin-1"))
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.split(b":")[1]))
            latencies.append(time.perf_counter() - began)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    await asyncio.gather(*(ask() for _ in range(connections)))
    return len(latencies) / seconds, float(np.percentile(latencies, 99)) * 1_000


def measure() -> list[Figure]:
    """All figures of the API alone."""
    with tempfile.TemporaryDirectory() as folder, _served(Path(folder)) as (url, token):
        frames = [uvloop.run(measure_frames(url, token, seconds=5.0)) for _ in range(3)]
        median = sorted(frames, key=lambda one: one.p99_ms)[1]
    note = f"{MESSAGES_PER_S:,} messages/s of {METRICS} metrics, {COMMITS_PER_S} commits/s, 30 frames/s; no MQTT"
    figures = [
        Figure("Journal to frame, p99", median.p99_ms, "ms", "under 100 from publish on", note),
        Figure("Journal to frame, median", median.p50_ms, "ms", "", note),
    ]
    with tempfile.TemporaryDirectory() as folder, _served(Path(folder), is_quiet=True) as (url, token):
        for name, path in (("session", "session"), ("latest of 500 series", "latest")):
            per_s, p99_ms = uvloop.run(measure_gets(url, token, path))
            note = f"p99 {p99_ms:.1f} ms, 32 connections, the client on the other core"
            figures.append(Figure(f"Authenticated GET: {name}", per_s, "/s", "", note))
    return figures


@contextmanager
def _served(folder: Path, *, is_quiet: bool = False) -> Iterator[tuple[str, str]]:
    """An API in a process of its own; its address and a token."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_api", str(folder), "quiet" if is_quiet else "busy"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        told = json.loads(process.stdout.readline())
        yield told["url"], told["token"]
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


def _serve(folder: Path, *, is_quiet: bool) -> None:
    from factoryops.api.context import ApiLimits  # noqa: PLC0415 - only in the served process

    plenty = 100_000_000
    with running_api(folder, limits=ApiLimits(light_per_min=plenty, history_per_min=plenty)) as service:
        kit = service.add_factory("bench")
        _add_devices(service, kit)
        stop = threading.Event()
        writer = threading.Thread(target=_write, args=(service, kit, stop, is_quiet))
        writer.start()
        sys.stdout.write(json.dumps({"url": service.url, "token": kit.tokens[Role.VIEWER]}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
        stop.set()
        writer.join()


def _add_devices(service: ApiService, kit: FactoryKit) -> None:
    factory = kit.factory.id
    keys = [f"machine-{number}" for number in range(DEVICES)]
    devices = [Device(device_id(factory, key), factory, key, key) for key in keys]
    parameters = [
        Parameter(
            parameter_id(factory, key, f"m{n}"), factory, device_id(factory, key),
            series_id(SeriesKey(factory, key, f"m{n}")), f"m{n}", f"Metric {n}",
        )
        for key in keys
        for n in range(METRICS)
    ]  # fmt: skip
    service.database.run(lambda tx: tx.devices(kit.scope).ensure_many(devices))
    service.database.run(lambda tx: tx.parameters(kit.scope).ensure_many(parameters))
    kit.devices, kit.parameters = devices, parameters


def _write(service: ApiService, kit: FactoryKit, stop: threading.Event, is_quiet: bool) -> None:
    """Group commits at a steady pace until told to stop; a quiet writer commits once."""
    series = np.array([one.series_id for one in kit.parameters], np.int64)
    writer, keys = service.writers["journal"], kit.keys()
    per_commit = MESSAGES_PER_S // COMMITS_PER_S * METRICS
    due = time.monotonic()
    for number in range(1 << 62):
        moment = now_us()
        chosen = series if number == 0 else np.roll(series, -number * per_commit)[:per_commit]
        samples = SampleColumns(
            chosen, np.full(len(chosen), moment), np.random.default_rng(number).random(len(chosen)),
            np.zeros(len(chosen), np.uint8),
        )  # fmt: skip
        total = writer.ledger.values_accepted + len(samples)
        writer.append(Entry(moment, MessageLedger(total, total, 0, total), samples, moment - 2_000_000), keys)
        service.doorbell.ring()
        due += 1 / COMMITS_PER_S
        if stop.wait(None if is_quiet else max(0.0, due - time.monotonic())):
            return


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), is_quiet=sys.argv[2] == "quiet")
