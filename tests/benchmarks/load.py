"""A load generator: many devices publishing over MQTT 3.1.1 with QoS 1, each with a window of messages in flight.

As a program it prints one JSON line::

    python -m tests.benchmarks.load --port 1883 --username gateway --password ... --slug riverside --devices 50 \
        --metrics 10 --window 40 --seconds 10 --rate 2000

`--rate 0` publishes as fast as acknowledgements come. Latency is from handing a message to the socket to its PUBACK.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import struct
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import cast

import numpy as np
import uvloop

from factoryops.contracts.telemetry import telemetry_topic
from factoryops.domain.time import from_us, now_us
from tests.support.waiting import until


@dataclass(frozen=True, slots=True)
class Load:
    """What to publish.

    Attributes:
        window: messages in flight per device.
        rate: messages per second of all devices together; 0 for as many as are acknowledged.
    """

    host: str
    port: int
    username: str
    password: str
    slug: str
    devices: int = 50
    metrics: int = 10
    window: int = 40
    seconds: float = 10.0
    rate: float = 0.0


@dataclass
class Outcome:
    """What came of it."""

    sent: int = 0
    acked: int = 0
    seconds: float = 0.0
    messages_per_s: float = 0.0
    latency_p50_ms: float = 0.0
    latency_p99_ms: float = 0.0
    latency_max_ms: float = 0.0
    lost_connections: int = 0


@dataclass
class _Totals:
    sent: int = 0
    acked: int = 0
    lost: int = 0
    latencies: list[float] = field(default_factory=list)


_TIME = len('{"timestamp":"')
_SECOND_FORMAT = "%Y-%m-%dT%H:%M:%S"


VARIANTS = 16
"""Different messages per device, sent in turn, so that values move as a sensor's do."""


class _Device(asyncio.Protocol):
    """One device. Its packets are built once; only the packet id and the time in them change."""

    def __init__(self, load: Load, number: int, totals: _Totals) -> None:
        self._load = load
        self._totals = totals
        self._number = number
        self._is_paced = load.rate > 0
        topic = telemetry_topic(load.slug, f"load-{number:04}").encode()
        self._packets = [self._built(topic, values) for values in walk(number, load.metrics)]
        self._turn = number % VARIANTS
        self._sent_at: deque[float] = deque()
        self._next_id = 1
        self._rest = b""
        self._is_ready = False
        self.transport: asyncio.Transport | None = None
        self.ready = asyncio.get_running_loop().create_future()

    @staticmethod
    def _built(topic: bytes, values: list[float]) -> tuple[bytearray, int, int]:
        """A packet, and where in it the packet id and the time stand."""
        metrics = {f"parameter_{index}": value for index, value in enumerate(values)}
        payload = (
            b'{"timestamp":"'
            + _stamp(now_us())
            + b'","metrics":'
            + json.dumps(metrics, separators=(",", ":")).encode()
            + b"}"
        )
        body = struct.pack(">H", len(topic)) + topic + b"\0\0" + payload
        packet = bytearray(b"\x32" + _length(len(body)) + body)
        payload_at = len(packet) - len(payload)
        return packet, payload_at - 2, payload_at + _TIME

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not derived from asyncio's.
        self.transport = cast("asyncio.Transport", transport)
        load = self._load
        fields = b"".join(
            struct.pack(">H", len(text)) + text
            for text in (f"load-{self._number}".encode(), load.username.encode(), load.password.encode())
        )
        body = b"\x00\x04MQTT\x04\xc2\x00\x3c" + fields
        self.transport.write(b"\x10" + _length(len(body)) + body)

    def connection_lost(self, exc: Exception | None) -> None:
        self._totals.lost += 1
        self._is_ready = False
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("the connection was refused"))

    def data_received(self, data: bytes) -> None:
        if not self._is_ready:
            if data[:4] != b"\x20\x02\x00\x00":
                self.ready.set_exception(ConnectionError(f"the login was refused: {data[:4]!r}"))
                return
            self._is_ready = True
            self.ready.set_result(None)
            data = data[4:]
        data = self._rest + data
        acks = len(data) // 4
        self._rest = data[acks * 4 :]
        moment = time.perf_counter()
        latencies, sent_at = self._totals.latencies, self._sent_at
        for _ in range(acks):
            latencies.append(moment - sent_at.popleft())
        self._totals.acked += acks
        if not self._is_paced:
            self.publish(acks)

    @property
    def is_open(self) -> bool:
        """Whether its window lets it send another message."""
        return len(self._sent_at) < self._load.window

    def publish(self, count: int) -> None:
        if self.transport is None or not self._is_ready or not count:
            return
        moment_us, packets = now_us(), self._packets
        stamp = bytearray(_stamp(moment_us))
        out = bytearray()
        for index in range(count):
            self._turn = (self._turn + 1) % VARIANTS
            packet, at, time_at = packets[self._turn]
            packet[at : at + 2] = struct.pack(">H", self._next_id)
            # Distinct times, so that every sample is one of its own.
            stamp[20:26] = b"%06d" % ((moment_us + index) % 1_000_000)
            packet[time_at : time_at + 27] = stamp
            out += packet
            self._next_id = self._next_id % 65_535 + 1
        moment = time.perf_counter()
        self._sent_at.extend([moment] * count)
        self._totals.sent += count
        self.transport.write(bytes(out))

    def stop(self) -> None:
        self._is_paced = True

    @property
    def in_flight(self) -> int:
        return len(self._sent_at) if self._is_ready else 0


def walk(number: int, metrics: int) -> list[list[float]]:
    """`VARIANTS` sets of two-decimal values that wander about 50, as sensors' do."""
    random = np.random.default_rng(number)
    drift = np.cumsum(random.normal(0, 0.2, (VARIANTS, metrics)), axis=0)
    values = 50 + random.uniform(-20, 20, metrics) + drift
    rounded: list[list[float]] = np.round(values, 2).tolist()
    return rounded


def _stamp(moment_us: int) -> bytes:
    return (from_us(moment_us).strftime(_SECOND_FORMAT) + f".{moment_us % 1_000_000:06}Z").encode()


def _length(length: int) -> bytes:
    coded = bytearray()
    while True:
        length, digit = length >> 7, length & 0x7F
        coded.append(digit | 0x80 if length else digit)
        if not length:
            return bytes(coded)


async def run(load: Load) -> Outcome:
    """Connect, publish for the time that was asked for, wait for the last acknowledgements."""
    loop = asyncio.get_running_loop()
    totals = _Totals()
    devices = [_Device(load, number, totals) for number in range(load.devices)]
    for device in devices:
        await loop.create_connection(lambda device=device: device, load.host, load.port)  # type: ignore[misc]  # bound at once
        await device.ready
    started = time.perf_counter()
    if load.rate:
        await _paced(devices, load)
    else:
        for device in devices:
            device.publish(load.window)
        await asyncio.sleep(load.seconds)
    acked, elapsed = totals.acked, time.perf_counter() - started
    await _finish(devices)
    return _outcome(totals, acked, elapsed)


async def _paced(devices: list[_Device], load: Load) -> None:
    """Devices take turns, so that messages come spread over time as they would from machines."""
    step_s, turn, owed = 0.002, 0, 0.0
    started = before = time.perf_counter()
    while before - started < load.seconds:
        await asyncio.sleep(step_s)
        moment = time.perf_counter()
        owed = min(owed + (moment - before) * load.rate, load.rate)
        while owed >= 1:
            owed -= 1
            turn = (turn + 1) % len(devices)
            if devices[turn].is_open:
                devices[turn].publish(1)
        before = moment


async def _finish(devices: list[_Device]) -> None:
    for device in devices:
        device.stop()
    await until(lambda: not any(device.in_flight for device in devices))
    for device in devices:
        if device.transport is not None:
            device.transport.write(b"\xe0\x00")
            device.transport.close()


def _outcome(totals: _Totals, acked: int, elapsed: float) -> Outcome:
    outcome = Outcome(totals.sent, totals.acked, elapsed, acked / elapsed)
    if totals.latencies:
        p50, p99, worst = np.percentile(np.array(totals.latencies) * 1e3, [50, 99, 100])
        outcome.latency_p50_ms, outcome.latency_p99_ms, outcome.latency_max_ms = float(p50), float(p99), float(worst)
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    for name in ("username", "password", "slug"):
        parser.add_argument(f"--{name}", required=True)
    for name, default in (("devices", 50), ("metrics", 10), ("window", 40)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name, preset in (("seconds", 10.0), ("rate", 0.0)):
        parser.add_argument(f"--{name}", type=float, default=preset)
    load = Load(**vars(parser.parse_args()))
    print(json.dumps(asdict(uvloop.run(run(load)))))  # noqa: T201 - the program's one output


if __name__ == "__main__":
    main()
