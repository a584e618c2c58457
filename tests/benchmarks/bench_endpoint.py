"""What reading packets costs the endpoint, without sockets, decoding and journal: CPU time per message."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from tests.benchmarks.figure import Figure
from tests.support.endpoint_stage import Stage
from tests.support.mqtt_client import packet, publish5_packet, publish_packet

MESSAGES = 1_000
ROUNDS = 25
TOPIC = b"factories/riverside/devices/load-0001/telemetry"
PAYLOAD = (
    b'{"timestamp":"2026-11-23T08:00:00.000000Z","metrics":{'
    + b",".join(b'"parameter_%d":12.34' % number for number in range(10))
    + b"}}"
)


def nanoseconds(level: int, make: Callable[[int], bytes], *, is_listened_to: bool = False) -> float:
    """CPU time per message of a thousand in one read; what follows the commit is not measured."""
    stage = Stage(level)
    if is_listened_to:
        stage.feed(packet(0x82, b"\0\1" + (b"\0" if level == 5 else b"") + b"\0\1#\0"))
    stream = b"".join(make(number) for number in range(1, MESSAGES + 1))
    taken_ns: list[float] = []
    for _ in range(ROUNDS):
        begun_ns = time.process_time_ns()
        stage.feed(stream)
        taken_ns.append((time.process_time_ns() - begun_ns) / MESSAGES)
        stage.pipeline.commit()
        stage.pipeline.received.clear()
        stage.taken()
        assert not stage.transport.is_closing, stage.said
    return median(taken_ns)


def measure() -> list[Figure]:
    """The figures of the endpoint's parser."""
    note = f"10 metrics, {len(PAYLOAD)} bytes, {MESSAGES} messages in one read, CPU time, median of {ROUNDS}"
    user = b"\x26\x00\x04site\x00\x06hall 1"
    cases = {
        "reading a PUBLISH, QoS 1, MQTT 3.1.1": nanoseconds(4, lambda one: publish_packet(TOPIC, PAYLOAD, one)),
        "reading a PUBLISH, QoS 1, MQTT 5": nanoseconds(5, lambda one: publish5_packet(TOPIC, PAYLOAD, one)),
        "reading a PUBLISH, QoS 1, MQTT 5, a user property": nanoseconds(
            5, lambda one: publish5_packet(TOPIC, PAYLOAD, one, properties=user)
        ),
        "reading a PUBLISH, QoS 1, MQTT 3.1.1, a tool listens": nanoseconds(
            4, lambda one: publish_packet(TOPIC, PAYLOAD, one), is_listened_to=True
        ),
    }
    return [Figure(name, value, "ns", "", note) for name, value in cases.items()]


if __name__ == "__main__":
    for figure in measure():
        print(figure)  # noqa: T201 - shown to whoever runs it
