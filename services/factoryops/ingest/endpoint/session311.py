"""A client that speaks MQTT 3.1.1."""

from __future__ import annotations

from collections.abc import Iterable

from factoryops.ingest.endpoint import packets
from factoryops.ingest.endpoint.audience import Message
from factoryops.ingest.endpoint.filters import Subscription
from factoryops.ingest.endpoint.reasons import ReasonCode, malformed
from factoryops.ingest.endpoint.session import Session
from factoryops.ingest.endpoint.wire import packet

_REFUSED = 0x80


class Session311(Session):
    """A session in MQTT 3.1.1: its acknowledgements know no reasons, and only the end of the connection says no."""

    level = packets.MQTT_311

    def greet(self) -> None:
        """Send the CONNACK."""
        self._link.write(packets.connack(ReasonCode.SUCCESS, self.level))

    def publish(self, data: bytes, first: int, body: int, after: int, received_us: int) -> None:
        """Take a PUBLISH; QoS 1 directly, because that is what devices send."""
        if first & 0x06 != 0x02:
            self._publish_other(data, first, body, after, received_us)
            return
        if after - body < 4:
            raise malformed("a PUBLISH is shorter than its fields")
        topic_end = body + 2 + (data[body] << 8 | data[body + 1])
        payload_at = topic_end + 2
        packet_id = data[topic_end:payload_at]
        if payload_at > after or packet_id == b"\0\0":
            raise malformed("a PUBLISH is shorter than its fields, or has the packet id 0")
        self._pipeline.receive(
            self, self.publisher, data[body + 2 : topic_end], data[payload_at:after], packet_id, received_us
        )

    def _read_message(self, data: bytes, first: int, body: int, after: int, received_us: int) -> Message:
        topic, packet_id, at = packets.read_publish_head(data, first, body, after)
        return Message(topic, data[at:after], first >> 1 & 3, packet_id, received_us, bool(first & 1))

    def _leave(self, body: bytes) -> None:
        if body:
            raise malformed("a DISCONNECT has content")
        self.will = None
        self._link.close()

    def _answer_release(self, packet_id: bytes, *, is_known: bool) -> None:
        self._link.send_acknowledgements(packets.PUBCOMP + packet_id)

    def _answer_subscribe(self, packet_id: bytes, answers: list[ReasonCode]) -> None:
        codes = bytes(0 if one is ReasonCode.SUCCESS else _REFUSED for one in answers)
        self._link.send_acknowledgements(packet(packets.SUBACK, packet_id + codes))

    def _answer_unsubscribe(self, packet_id: bytes, answers: list[ReasonCode]) -> None:
        self._link.send_acknowledgements(packet(packets.UNSUBACK, packet_id))

    def farewell(self, reason: ReasonCode, explanation: str) -> bytes:
        """Nothing: a server of MQTT 3.1.1 just closes."""
        return b""

    def deliver(self, message: Message, wanted: Iterable[Subscription]) -> bool:
        """Send a message."""
        return self._link.offer(packets.delivery(message.topic, message.payload))
