"""What a connection can cost: memory for unfinished packets, unread answers, messages nobody reads."""

from __future__ import annotations

import pytest

from factoryops.ingest.endpoint.connection import MOST_ASKED_AT_ONCE, MOST_UNFINISHED_BYTES, MOST_UNSENT_BYTES
from factoryops.ingest.endpoint.meter import Meter
from factoryops.ingest.endpoint.outbox import MOST_BYTES, MOST_MESSAGES, Outbox
from factoryops.ingest.endpoint.reconnects import MOST_PER_MINUTE, ReconnectWatch
from tests.support.endpoint_stage import Stage
from tests.support.mqtt_client import length, packet, publish_packet
from tests.support.mqtt_corpus import SAMPLE, TOPIC

LARGE = b"\x32" + length(200_000)


def test_unfinished_packets_are_counted_and_let_go() -> None:
    stage = Stage(4)
    packet = publish_packet(TOPIC, SAMPLE * 300, 1)
    for piece in (packet[:10], packet[10:2_000], packet[2_000:] + packet[:50]):
        stage.feed(piece)
    assert stage.unfinished_bytes == 50
    stage.feed(packet[50:])
    assert stage.unfinished_bytes == 0
    stage.feed(packet[:500])
    stage.connection.connection_lost(None)
    assert stage.unfinished_bytes == 0
    assert len(stage.pipeline.received) == 2


def test_large_unfinished_packets_end_when_there_are_too_many_of_them() -> None:
    stage = Stage(5)
    stage.feed(LARGE + b"x" * 100_000)
    assert not stage.transport.is_closing
    stage.unfinished_bytes += MOST_UNFINISHED_BYTES
    stage.feed(b"x")
    assert stage.taken()[::2][:2] == b"\xe0\x97"
    stage.connection.connection_lost(None)
    assert stage.unfinished_bytes == MOST_UNFINISHED_BYTES


def test_a_small_unfinished_packet_is_let_be() -> None:
    stage = Stage(4)
    stage.unfinished_bytes = MOST_UNFINISHED_BYTES
    stage.feed(publish_packet(TOPIC, SAMPLE, 1)[:20])
    assert not stage.transport.is_closing


def test_who_does_not_read_its_acknowledgements_is_given_up() -> None:
    stage = Stage(4)
    stage.feed(publish_packet(TOPIC, SAMPLE, 1))
    stage.transport.unsent_bytes = MOST_UNSENT_BYTES + 1
    stage.pipeline.commit()
    assert stage.transport.is_closing
    assert stage.said[-1].startswith("unread_acknowledgements")


async def test_who_asks_too_much_waits_like_one_who_publishes_too_much() -> None:
    stage = Stage(4)
    stage.connection._meter = Meter(100.0, 0.0, None, lambda: stage.moment_s)
    held = list[bool]()
    for asked in (200, 1):
        stage.feed(b"\xc0\x00" * asked)
        held.append(stage.connection.is_held)
    stage.connection.connection_lost(None)
    assert held == [False, True]


def test_who_asks_for_so_much_at_once_that_others_would_wait_is_sent_away() -> None:
    stage = Stage(4)
    stage.feed(b"\xc0\x00" * MOST_ASKED_AT_ONCE)
    assert stage.taken() == b"\xd0\x00" * MOST_ASKED_AT_ONCE
    stage.feed(b"\xc0\x00" * 10 * MOST_ASKED_AT_ONCE)
    assert len(stage.taken()) == 2 * MOST_ASKED_AT_ONCE
    assert stage.transport.is_closing


@pytest.mark.parametrize("level", [4, 5])
@pytest.mark.parametrize("asked", [b"\xc0\x00", b"subscribe", b"unsubscribe"])
def test_who_does_not_read_its_answers_is_given_up(level: int, asked: bytes) -> None:
    properties = b"\0" if level == 5 else b""
    body = b"\0\1" + properties + b"\0\1a"
    packets = {b"subscribe": packet(0x82, body + b"\0"), b"unsubscribe": packet(0xA2, body)}
    stage = Stage(level)
    stage.transport.unsent_bytes = MOST_UNSENT_BYTES + 1
    stage.feed(packets.get(asked, asked))
    assert stage.transport.is_closing
    assert stage.said[-1].startswith("unread_acknowledgements")


@pytest.mark.parametrize(
    ("size", "most"), [(10, MOST_MESSAGES), (MOST_BYTES // 4, 4)], ids=["many small ones", "few large ones"]
)
def test_what_a_slow_listener_misses_is_bounded_and_counted(size: int, most: int) -> None:
    sent: list[bytes] = []
    outbox = Outbox(sent.append)
    assert outbox.offer(b"first")
    outbox.pause()
    assert [outbox.offer(b"x" * size) for _ in range(most + 5)] == [True] * most + [False] * 5
    assert (len(sent), outbox.dropped) == (1, 5)
    outbox.resume()
    assert len(sent) == 1 + most


def test_a_paused_pipeline_is_not_read_into() -> None:
    stage, readings = Stage(4), list[bool]()
    stage.pipeline.is_paused = True
    stage.connection.pause()
    readings.append(stage.transport.is_reading)
    stage.pipeline.is_paused = False
    stage.moment_s = 1_000.0
    stage.connection.resume()
    readings.append(stage.transport.is_reading)
    assert readings == [False, True]
    assert stage.connection.last_heard_s == 1_000.0


def test_a_device_that_comes_again_and_again_is_noticed_once_a_minute() -> None:
    watch, meter = ReconnectWatch(), ("gateway", "meter")
    first = [watch.note(meter, 0.5 * number) for number in range(MOST_PER_MINUTE + 5)]
    assert first == [False] * MOST_PER_MINUTE + [True] + [False] * 4
    assert watch.is_frequent(10.0)
    assert not watch.note(("gateway", "other"), 10.0)
    assert not watch.note(meter, 100.0)
    assert not watch.is_frequent(100.0)
