"""A client that speaks MQTT 5."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from factoryops.contracts.telemetry import Reason
from factoryops.domain.time import US_PER_S, now_us
from factoryops.ingest.batch import Origin
from factoryops.ingest.endpoint import packets
from factoryops.ingest.endpoint.aliases import TopicAliases
from factoryops.ingest.endpoint.audience import Audience, Message
from factoryops.ingest.endpoint.filters import Subscription
from factoryops.ingest.endpoint.packets import LARGEST_PACKET, Connect
from factoryops.ingest.endpoint.properties import Place, Properties, Property, encode_properties, read_properties
from factoryops.ingest.endpoint.reasons import ProtocolError, ReasonCode
from factoryops.ingest.endpoint.session import Guest, Link, Session
from factoryops.ingest.endpoint.wire import Fields, packet
from factoryops.ingest.pipeline import Pipeline

RECEIVE_MAXIMUM: Final = 1_000
LONGEST_KEEP_ALIVE_S: Final = 3_600

_NONE: Final = b"\0"
_MOST_SEEN: Final = 16

_IN_WORDS_OF_MQTT: Final = {
    Reason.NOT_AUTHORISED: ReasonCode.NOT_AUTHORISED,
    Reason.INVALID_TOPIC: ReasonCode.TOPIC_NAME_INVALID,
}
"""Reasons of the quarantine that a publisher of MQTT 5 is told; whatever else is wrong with a message, it is kept."""


class Session5(Session):
    """A session in MQTT 5."""

    level = packets.MQTT_5

    def __init__(self, link: Link, pipeline: Pipeline, audience: Audience, guest: Guest, connect: Connect) -> None:
        super().__init__(link, pipeline, audience, guest, connect)
        self._connect = connect
        self._client_id = guest.client_id
        self._aliases = TopicAliases()
        self._seen = {_NONE: Properties()}
        self._in_flight = 0
        self._largest_bytes = connect.properties.number(Property.MAXIMUM_PACKET_SIZE, LARGEST_PACKET * 2)
        self._wants_problems = bool(connect.properties.number(Property.REQUEST_PROBLEMS, 1))
        self._keeps_no_session = not connect.properties.number(Property.SESSION_EXPIRY, 0)
        if not 0 < self.keep_alive_s <= LONGEST_KEEP_ALIVE_S:
            self.keep_alive_s = LONGEST_KEEP_ALIVE_S

    def greet(self) -> None:
        """Send the CONNACK with what this endpoint offers."""
        offered: list[tuple[Property, int | str]] = [
            (Property.RECEIVE_MAXIMUM, RECEIVE_MAXIMUM),
            (Property.RETAIN_AVAILABLE, 0),
            (Property.MAXIMUM_PACKET_SIZE, LARGEST_PACKET),
            (Property.TOPIC_ALIAS_MAXIMUM, TopicAliases.MOST),
            (Property.SHARED_AVAILABLE, 0),
        ]
        if not self._keeps_no_session:
            offered.append((Property.SESSION_EXPIRY, 0))
        if not self._connect.client_id:
            offered.append((Property.ASSIGNED_CLIENT_ID, self._client_id))
        if self.keep_alive_s != self._connect.keep_alive_s:
            offered.append((Property.SERVER_KEEP_ALIVE, self.keep_alive_s))
        self._link.write(packets.connack(ReasonCode.SUCCESS, self.level, encode_properties(offered)))

    # --- messages ----------------------------------------------------------------------------------------------------

    def publish(self, data: bytes, first: int, body: int, after: int, received_us: int) -> None:
        """Take a PUBLISH; QoS 1 directly, where its properties have been met before: devices always send the same."""
        topic_end = body + 2 + (data[body] << 8 | data[body + 1]) if after - body > 4 else after
        behind_id = topic_end + 2
        if first & 0x06 != 0x02 or behind_id >= after:
            self._publish_other(data, first, body, after, received_us)
            return
        payload_at = behind_id + 1 + data[behind_id]
        known = self._seen.get(data[behind_id:payload_at])
        packet_id = data[topic_end:behind_id]
        if known is None or payload_at > after or packet_id == b"\0\0":
            self._publish_other(data, first, body, after, received_us)
            return
        topic = data[body + 2 : topic_end]
        if known or not topic:
            topic = self._aliases.resolve(topic, known.get(Property.TOPIC_ALIAS))
        self._in_flight += 1
        if self._in_flight > RECEIVE_MAXIMUM:
            raise self._too_many()
        self._pipeline.receive(self, self.publisher, topic, data[payload_at:after], packet_id, received_us)

    def _read_message(self, data: bytes, first: int, body: int, after: int, received_us: int) -> Message:
        topic, packet_id, at = packets.read_publish_head(data, first, body, after)
        fields = Fields(data, at, after)
        properties = read_properties(fields, Place.PUBLISH)
        self._remember(data[at : fields.at], properties)
        topic = self._aliases.resolve(topic, properties.get(Property.TOPIC_ALIAS))
        expiry_s = properties.number(Property.MESSAGE_EXPIRY, -1)
        if first & 0x06 == 0x02:
            self._count_in()
        return Message(
            topic=topic,
            payload=data[fields.at : after],
            quality=first >> 1 & 3,
            packet_id=packet_id,
            received_us=received_us,
            is_retained=bool(first & 1),
            properties=properties.passed_on,
            expiry_s=None if expiry_s < 0 else expiry_s,
        )

    def _remember(self, coded: bytes, properties: Properties) -> None:
        """Keep what properties mean, within bounds; those whose length takes one byte are found again."""
        if len(coded) <= 0x80:
            if len(self._seen) >= _MOST_SEEN:
                self._seen = {_NONE: Properties()}
            self._seen[coded] = properties

    def _is_new(self, packet_id: bytes) -> bool:
        is_new = super()._is_new(packet_id)
        if is_new:
            self._count_in()
        return is_new

    def _count_in(self) -> None:
        self._in_flight += 1
        if self._in_flight > RECEIVE_MAXIMUM:
            raise self._too_many()

    @staticmethod
    def _too_many() -> ProtocolError:
        said = f"more than {RECEIVE_MAXIMUM} messages wait for their acknowledgement"
        return ProtocolError(said, ReasonCode.RECEIVE_MAXIMUM_EXCEEDED)

    def acknowledge(self, packet_ids: list[bytes]) -> None:
        """Send PUBACKs, joined."""
        self._in_flight -= len(packet_ids)
        super().acknowledge(packet_ids)

    def refuse(self, first: int, packet_ids: list[bytes], reason: ReasonCode) -> None:
        """Send acknowledgements that begin with `first` and say why the messages lie in quarantine."""
        self._in_flight -= len(packet_ids)
        if first == packets.PUBREC[0]:
            self._handshakes.forget(packet_ids)
        head, tail = bytes((first, 3)), bytes((reason,))
        self._link.send_acknowledgements(b"".join(head + packet_id + tail for packet_id in packet_ids))

    def when_quarantined(self, reason: Reason) -> Origin:
        """Itself, or one that gives the reason."""
        told = _IN_WORDS_OF_MQTT.get(reason)
        return self if told is None else _Refused(self, packets.PUBACK[0], told)

    def when_recorded_in_quarantine(self, reason: Reason) -> Origin:
        """The same for a message of QoS 2."""
        told = _IN_WORDS_OF_MQTT.get(reason)
        return self._recorded if told is None else _Refused(self, packets.PUBREC[0], told)

    def deliver(self, message: Message, wanted: Iterable[Subscription]) -> bool:
        """Send a message with the identifiers of the subscriptions that want it."""
        pairs: list[tuple[Property, int | str]] = []
        if message.expiry_s is not None:
            left_s = message.expiry_s - (now_us() - message.received_us) // US_PER_S
            if left_s <= 0:
                return False
            pairs.append((Property.MESSAGE_EXPIRY, left_s))
        pairs += [(Property.SUBSCRIPTION_ID, one.identifier) for one in wanted if one.identifier]
        sent = packets.delivery(
            message.topic,
            message.payload,
            encode_properties(pairs, more=message.properties),
            is_retained=message.is_retained and any(one.keeps_retain for one in wanted),
        )
        return len(sent) <= self._largest_bytes and self._link.offer(sent)

    # --- answers -----------------------------------------------------------------------------------------------------

    def _leave(self, body: bytes) -> None:
        reason, properties = packets.parse_disconnect(body)
        if self._keeps_no_session and properties.number(Property.SESSION_EXPIRY, 0):
            raise ProtocolError("a DISCONNECT asks to keep a session that was not asked for before")
        if reason is ReasonCode.SUCCESS:
            self.will = None
        self._link.close()

    def _answer_release(self, packet_id: bytes, *, is_known: bool) -> None:
        if is_known:
            self._in_flight -= 1
            self._link.send_acknowledgements(packets.PUBCOMP + packet_id)
        else:
            code = bytes((ReasonCode.PACKET_ID_NOT_FOUND,))
            self._link.send_acknowledgements(packet(packets.PUBCOMP[0], packet_id + code))

    def _answer_subscribe(self, packet_id: bytes, answers: list[ReasonCode]) -> None:
        self._link.send_acknowledgements(packet(packets.SUBACK, packet_id + b"\0" + bytes(answers)))

    def _answer_unsubscribe(self, packet_id: bytes, answers: list[ReasonCode]) -> None:
        self._link.send_acknowledgements(packet(packets.UNSUBACK, packet_id + b"\0" + bytes(answers)))

    def farewell(self, reason: ReasonCode, explanation: str) -> bytes:
        """A DISCONNECT, with its explanation where the client can take it."""
        said = packets.disconnect(reason, explanation if self._wants_problems else "")
        return said if len(said) <= self._largest_bytes else packets.disconnect(reason, "")


class _Refused:
    """The origin of messages in quarantine whose publisher is told why."""

    def __init__(self, session: Session5, first: int, reason: ReasonCode) -> None:
        self._session = session
        self._first = first
        self._reason = reason

    def acknowledge(self, packet_ids: list[bytes]) -> None:
        """Send the refusals."""
        self._session.refuse(self._first, packet_ids, self._reason)

    def when_quarantined(self, reason: Reason) -> Origin:
        """Itself."""
        return self

    def give_up(self) -> None:
        """End the connection."""
        self._session.give_up()
