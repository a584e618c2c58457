"""What a client that has logged in says and hears, whichever version of MQTT it speaks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from factoryops.contracts.telemetry import Reason
from factoryops.domain.time import now_us
from factoryops.ingest.batch import Origin
from factoryops.ingest.devices import Publisher
from factoryops.ingest.endpoint import packets
from factoryops.ingest.endpoint.audience import Audience, Message, Overheard, Ticket
from factoryops.ingest.endpoint.filters import Subscription, parse_subscribe, parse_unsubscribe
from factoryops.ingest.endpoint.handshakes import Handshakes, Known
from factoryops.ingest.endpoint.packets import Connect, Will
from factoryops.ingest.endpoint.permits import Permits
from factoryops.ingest.endpoint.reasons import ProtocolError, ReasonCode
from factoryops.ingest.pipeline import Pipeline

MOST_HANDSHAKES: Final = 10_000
"""QoS 2 messages of one MQTT 3.1.1 client between PUBLISH and PUBREL; such a client knows no Receive Maximum."""


class Link(Protocol):
    """What a session asks of its connection."""

    def write(self, data: bytes) -> None:
        """Send bytes."""
        ...

    def send_acknowledgements(self, data: bytes) -> None:
        """Send bytes that the client must read, or be given up."""
        ...

    def offer(self, data: bytes) -> bool:
        """Send a message if the client keeps up; False when it was dropped."""
        ...

    def give_up(self) -> None:
        """End the connection at once."""
        ...

    def close(self) -> None:
        """End the connection in good order."""
        ...

    def complain(self, kind: str, message: str) -> None:
        """Note what the client did wrong."""
        ...


@dataclass(frozen=True, slots=True)
class Guest:
    """A client that was let in.

    Attributes:
        client_id: its own, or the one it was given.
        permits: what it may ask for.
    """

    publisher: Publisher
    client_id: str
    permits: Permits


class Session(ABC):
    """A logged-in client: the origin of its QoS 1 messages, and a listener if it may be.

    Attributes:
        publisher: who it is.
        keep_alive_s: how long it may be silent, 0 for ever; judged with half as much again.
        will: what is published when it goes without a word; None once it has said goodbye.
    """

    level: int

    def __init__(self, link: Link, pipeline: Pipeline, audience: Audience, guest: Guest, connect: Connect) -> None:
        self._link = link
        self._pipeline = pipeline
        self._audience = audience
        self._permits = guest.permits
        self._handshakes = Handshakes()
        self._recorded: Origin = Recorded(self)
        self._overheard: dict[Origin, Overheard] = {}
        self.publisher = guest.publisher
        self.factory_id = guest.publisher.factory_id or ""
        self.keep_alive_s = connect.keep_alive_s
        self.will: Will | None = connect.will

    # --- what differs between the versions ---------------------------------------------------------------------------

    @abstractmethod
    def greet(self) -> None:
        """Send the CONNACK."""

    @abstractmethod
    def publish(self, data: bytes, first: int, body: int, after: int, received_us: int) -> None:
        """Take a PUBLISH, which lies in `data` from `body` to `after`; the hot path. Raises ProtocolError."""

    @abstractmethod
    def _read_message(self, data: bytes, first: int, body: int, after: int, received_us: int) -> Message: ...

    @abstractmethod
    def _leave(self, body: bytes) -> None: ...

    @abstractmethod
    def _answer_release(self, packet_id: bytes, *, is_known: bool) -> None: ...

    @abstractmethod
    def _answer_subscribe(self, packet_id: bytes, answers: list[ReasonCode]) -> None: ...

    @abstractmethod
    def _answer_unsubscribe(self, packet_id: bytes, answers: list[ReasonCode]) -> None: ...

    @abstractmethod
    def farewell(self, reason: ReasonCode, explanation: str) -> bytes:
        """What the client is told before the connection is closed; empty where MQTT has no words for it."""

    @abstractmethod
    def deliver(self, message: Message, wanted: Iterable[Subscription]) -> bool:
        """Send a message that some subscriptions want; False when it had to be dropped."""

    # --- messages ----------------------------------------------------------------------------------------------------

    def publish_overheard(self, data: bytes, first: int, body: int, after: int, received_us: int) -> None:
        """Take a PUBLISH of a factory that somebody listens to."""
        self._take(self._read_message(data, first, body, after, received_us), is_overheard=True)

    def _publish_other(self, data: bytes, first: int, body: int, after: int, received_us: int) -> None:
        """Take a PUBLISH on the way that is open to all of them."""
        self._take(self._read_message(data, first, body, after, received_us))

    def _take(self, message: Message, *, is_overheard: bool = False) -> None:
        origin: Origin = self
        if message.quality == 2:
            if not self._is_new(message.packet_id):
                return
            origin = self._recorded
        packet_id: bytes | None = message.packet_id or None
        if is_overheard:
            origin, packet_id = self._overhear(origin), Ticket(message)
        self._pipeline.receive(origin, self.publisher, message.topic, message.payload, packet_id, message.received_us)

    def _overhear(self, origin: Origin) -> Overheard:
        known = self._overheard.get(origin)
        if known is None:
            known = self._overheard[origin] = Overheard(origin, self._audience, self.factory_id, self)
        return known

    def _is_new(self, packet_id: bytes) -> bool:
        known = self._handshakes.begin(packet_id)
        if known is Known.RECORDED:
            self._link.send_acknowledgements(packets.PUBREC + packet_id)
        elif known is Known.NEW and len(self._handshakes) > MOST_HANDSHAKES:
            raise ProtocolError("too many QoS 2 messages wait for their PUBREL", ReasonCode.QUOTA_EXCEEDED)
        return known is Known.NEW

    def acknowledge(self, packet_ids: list[bytes]) -> None:
        """Send PUBACKs, joined."""
        self._link.send_acknowledgements(packets.PUBACK + packets.PUBACK.join(packet_ids))

    def record(self, packet_ids: list[bytes]) -> None:
        """Send PUBRECs, joined."""
        self._handshakes.record(packet_ids)
        self._link.send_acknowledgements(packets.PUBREC + packets.PUBREC.join(packet_ids))

    def when_quarantined(self, reason: Reason) -> Origin:
        """Itself, where MQTT has no word for the reason."""
        return self

    def when_recorded_in_quarantine(self, reason: Reason) -> Origin:
        """The same for a message of QoS 2."""
        return self._recorded

    def give_up(self) -> None:
        """End the connection: messages of it could not be kept."""
        self._link.give_up()

    def ended(self) -> None:
        """The connection is over: publish the will that is still there, listen no more."""
        self._audience.leave(self.factory_id, self)
        will, self.will = self.will, None
        if will is None:
            return
        if not self._pipeline.is_storing or self._pipeline.is_paused_for("stopping"):
            self._link.complain("will_lost", "left a will that cannot be kept at the moment")
            return
        message = Message(will.topic, will.payload, 0, b"", now_us(), will.is_retained, will.properties, will.expiry_s)
        self._take(message, is_overheard=self._audience.is_listening(self.factory_id))

    # --- everything but PUBLISH --------------------------------------------------------------------------------------

    def control(self, first: int, body: bytes) -> None:
        """Take any packet but PUBLISH; raises ProtocolError."""
        if first == packets.PINGREQ and not body:
            self._link.send_acknowledgements(packets.PINGRESP)
        elif first == packets.PUBREL:
            self._release(body)
        elif first == packets.DISCONNECT:
            self._leave(body)
        elif first == packets.SUBSCRIBE:
            self._subscribe(body)
        elif first == packets.UNSUBSCRIBE:
            self._unsubscribe(body)
        else:
            raise packets.unexpected(first)

    def _release(self, body: bytes) -> None:
        packet_id = packets.parse_release(body, self.level)
        known = self._handshakes.release(packet_id)
        if known is Known.ON_ITS_WAY:
            raise ProtocolError("a PUBREL comes before its PUBREC")
        self._answer_release(packet_id, is_known=known is Known.RECORDED)

    def _subscribe(self, body: bytes) -> None:
        packet_id, asked = parse_subscribe(body, self.level)
        self._answer_subscribe(packet_id, [self._grant(one) for one in asked])

    def _grant(self, one: Subscription) -> ReasonCode:
        """Grant a subscription with QoS 0, or say why not."""
        held = self._audience.subscriptions_of(self.factory_id, self)
        reason = self._permits.judge(one, held)
        if reason is ReasonCode.SUCCESS:
            self._audience.subscribe(self.factory_id, self, one)
        else:
            self._link.complain("subscription_refused", "asked for messages that it may not have")
        return reason

    def _unsubscribe(self, body: bytes) -> None:
        packet_id, filters = parse_unsubscribe(body, self.level)
        self._answer_unsubscribe(
            packet_id,
            [
                ReasonCode.SUCCESS
                if self._audience.unsubscribe(self.factory_id, self, wanted)
                else ReasonCode.NO_SUBSCRIPTION_EXISTED
                for wanted in filters
            ],
        )


class Recorded:
    """The origin of a session's QoS 2 messages: they are answered with PUBREC."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def acknowledge(self, packet_ids: list[bytes]) -> None:
        """Send PUBRECs."""
        self._session.record(packet_ids)

    def when_quarantined(self, reason: Reason) -> Origin:
        """Who answers for a message in quarantine."""
        return self._session.when_recorded_in_quarantine(reason)

    def give_up(self) -> None:
        """End the connection."""
        self._session.give_up()
