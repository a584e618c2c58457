"""QoS 1 and 2 in every order: each message is taken once, answered once it is durable, and counted in the window."""

from __future__ import annotations

import struct

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from factoryops.ingest.endpoint.session import MOST_HANDSHAKES
from factoryops.ingest.endpoint.session5 import RECEIVE_MAXIMUM
from tests.support.endpoint_stage import Stage
from tests.support.mqtt_client import packet, publish5_packet, publish_packet
from tests.support.mqtt_corpus import SAMPLE, TOPIC

IDS = st.integers(1, 4)


def identifier(number: int) -> bytes:
    return struct.pack(">H", number)


class Handshake(RuleBasedStateMachine):
    """A client that may say anything at any time; the model is what MQTT promises about it."""

    def __init__(self) -> None:
        super().__init__()
        self.level = 4
        self.log_in(4)

    @initialize(level=st.sampled_from([4, 5]))
    def log_in(self, level: int) -> None:
        self.level = level
        self.stage = Stage(level)
        self.new: list[tuple[int, int]] = []
        self.on_its_way: set[int] = set()
        self.recorded: set[int] = set()
        self.in_flight = self.taken = 0

    def publish(self, number: int, first: int, topic: bytes = TOPIC) -> None:
        make = publish5_packet if self.level == 5 else publish_packet
        self.stage.feed(make(topic, SAMPLE, number, first=first))

    @rule(number=IDS)
    def publish_at_least_once(self, number: int) -> None:
        self.publish(number, 0x32)
        self.new.append((1, number))
        self.in_flight += 1
        self.taken += 1
        assert self.stage.taken() == b""

    @rule(number=IDS, is_repeated=st.booleans())
    def publish_exactly_once(self, number: int, is_repeated: bool) -> None:
        self.publish(number, 0x3C if is_repeated else 0x34)
        if number in self.recorded:
            assert self.stage.taken() == b"\x50\x02" + identifier(number)
            return
        assert self.stage.taken() == b""
        if number not in self.on_its_way:
            self.on_its_way.add(number)
            self.new.append((2, number))
            self.in_flight += 1
            self.taken += 1

    @rule(number=IDS)
    def release(self, number: int) -> None:
        self.stage.feed(packet(0x62, identifier(number)))
        if number in self.on_its_way:
            assert self.stage.transport.is_closing
            self.log_in(self.level)
            return
        known = number in self.recorded
        code = b"\x03" + identifier(number) + b"\x92" if self.level == 5 and not known else b"\x02" + identifier(number)
        assert self.stage.taken() == b"\x70" + code
        if known:
            self.recorded.discard(number)
            self.in_flight -= 1

    @rule()
    def commit(self) -> None:
        self.stage.pipeline.commit()
        answers = self.stage.taken()
        expected = sorted(bytes((0x40 if quality == 1 else 0x50, 2)) + identifier(one) for quality, one in self.new)
        assert sorted(answers[at : at + 4] for at in range(0, len(answers), 4)) == expected
        self.in_flight -= sum(quality == 1 for quality, _ in self.new)
        self.new.clear()
        self.recorded |= self.on_its_way
        self.on_its_way.clear()

    @invariant()
    def each_message_was_taken_once(self) -> None:
        assert len(self.stage.pipeline.received) == self.taken
        session = self.stage.connection.session
        if self.level == 5:
            assert getattr(session, "_in_flight") == self.in_flight  # noqa: B009 - of MQTT 5 alone


Handshake.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestHandshakes = Handshake.TestCase


def test_a_refused_message_of_qos_2_leaves_no_id_behind() -> None:
    stage = Stage(5)
    for _ in range(RECEIVE_MAXIMUM + 5):
        stage.feed(publish5_packet(b"forbidden", SAMPLE, 1, first=0x34))
        stage.pipeline.commit()
        assert stage.taken() == b"\x50\x03\x00\x01\x87"
    assert not stage.transport.is_closing


@pytest.mark.parametrize("level", [4, 5])
def test_ids_that_are_never_released_are_bounded(level: int) -> None:
    stage = Stage(level)
    make = publish5_packet if level == 5 else publish_packet
    for number in range(1, MOST_HANDSHAKES + 2):
        stage.feed(make(TOPIC, SAMPLE, number, first=0x34))
        stage.pipeline.commit()
    assert stage.transport.is_closing
