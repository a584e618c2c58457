"""The broker's client takes the same messages however the network cuts them up, the short way or paho's."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from factoryops.ingest.buffered_client import BufferedClient
from factoryops.ingest.endpoint.wire import packet

CONNACK = b"\x20\x02\x00\x00"
PINGRESP = b"\xd0\x00"
Message = tuple[bytes, bytes, bytes | None, bool]


def publish(message: Message) -> bytes:
    topic, payload, packet_id, is_retained = message
    first = 0x30 | (0x02 if packet_id else 0) | is_retained
    return packet(first, len(topic).to_bytes(2, "big") + topic + (packet_id or b"") + payload)


@contextmanager
def connected(taken: list[Message]) -> Iterator[tuple[BufferedClient, socket.socket]]:
    """A client that has logged in, and the broker's end of its connection."""
    client = BufferedClient(
        CallbackAPIVersion.VERSION2, client_id="ours", protocol=MQTTProtocolVersion.MQTTv311, manual_ack=True
    )
    client.take = lambda *message: taken.append(message)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        client.connect(*listener.getsockname())
        broker, _ = listener.accept()
    with closing(broker):
        client.flush()
        broker.sendall(CONNACK)
        read(client)
        yield client, broker
        link = client.socket()
        client.disconnect()
        client.flush()
        if link is not None:
            link.close()


def read(client: BufferedClient, *, most: int = 1_000) -> bool:
    """Wait for bytes, as the owner's loop does, and handle what is whole."""
    connection = client.socket()
    assert connection is not None
    select.select([connection], [], [], 10)
    stands = client.read_packets(most=most)
    while stands and client.has_unread:
        stands = client.read_packets(most=most)
    return stands


messages = st.tuples(
    st.binary(min_size=1, max_size=20).map(bytes.hex).map(str.encode),
    st.binary(max_size=40) | st.integers(120, 20_000).map(bytes),
    st.none() | st.binary(min_size=2, max_size=2).filter(lambda one: one != b"\0\0"),
    st.booleans(),
)


@settings(max_examples=40)
@given(st.lists(messages | st.just(PINGRESP), min_size=1, max_size=12), st.data())
def test_messages_arrive_whole_and_in_order_however_they_are_cut(
    sent: list[Message | bytes], data: st.DataObject
) -> None:
    stream = b"".join(one if isinstance(one, bytes) else publish(one) for one in sent)
    expected = [one for one in sent if not isinstance(one, bytes)]
    taken: list[Message] = []
    with connected(taken) as (client, broker):
        at = 0
        while at < len(stream):
            size = data.draw(st.integers(1, len(stream) - at))
            broker.sendall(stream[at : at + size])
            at += size
            assert read(client, most=data.draw(st.integers(1, 5)))
        assert taken == expected


def test_acknowledgements_leave_together() -> None:
    with connected([]) as (client, broker):
        broker.settimeout(10)
        broker.recv(1_000)
        client.acknowledge([b"\0\1", b"\0\2"])
        assert client.has_unsent
        assert client.flush()
        assert broker.recv(1_000) == b"\x40\x02\0\1\x40\x02\0\2"


def test_the_end_of_the_connection_and_what_is_no_mqtt_are_noticed() -> None:
    for ending in (b"", b"\x30\xff\xff\xff\xff\xff"):
        with connected([]) as (client, broker):
            broker.sendall(ending) if ending else broker.shutdown(socket.SHUT_WR)
            assert not read(client)
