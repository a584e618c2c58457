"""Who looks at the traffic of a factory, and what they are sent of it.

Nobody is ever sent what another factory's devices publish: a message belongs to the factory of its publisher's
credential, whatever its topic says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol, Self

from factoryops.contracts.telemetry import Reason
from factoryops.ingest.batch import Origin
from factoryops.ingest.endpoint.filters import Subscription, matches
from factoryops.ingest.routes import LONGEST_TOPIC_BYTES

MOST_TOPICS: Final = 10_000
"""Topics remembered with those who want them, per factory."""


@dataclass(slots=True, eq=False)
class Message:
    """A published message as it arrived.

    Attributes:
        packet_id: empty with QoS 0.
        properties: of MQTT 5, those that belong to whoever receives it.
        expiry_s: how long it is news, None for ever.
    """

    topic: bytes
    payload: bytes
    quality: int
    packet_id: bytes
    received_us: int
    is_retained: bool = False
    properties: bytes = b""
    expiry_s: int | None = None


class Listener(Protocol):
    """A connection that asked for messages."""

    def deliver(self, message: Message, wanted: Iterable[Subscription]) -> bool:
        """Send a message that some of its subscriptions want; False when it had to be dropped."""
        ...


class Audience:
    """The listeners of all factories.

    Attributes:
        counts: messages "delivered", and "dropped" because a listener was too slow or too small for them.
    """

    def __init__(self) -> None:
        self._rooms: dict[str, _Room] = {}
        self.counts: Counter[str] = Counter()

    def is_listening(self, factory_id: str | None) -> bool:
        """Whether anybody listens to a factory."""
        return factory_id in self._rooms

    def subscribe(self, factory_id: str, listener: Listener, one: Subscription) -> None:
        """Add a subscription, or replace the listener's own with the same filter."""
        self._rooms.setdefault(factory_id, _Room()).add(listener, one)

    def unsubscribe(self, factory_id: str, listener: Listener, wanted: str) -> bool:
        """Take a subscription away; False when there was none."""
        room = self._rooms.get(factory_id)
        if room is None or not room.remove(listener, wanted):
            return False
        if room.is_empty:
            del self._rooms[factory_id]
        return True

    def leave(self, factory_id: str, listener: Listener) -> None:
        """Take all of a listener's subscriptions away."""
        for wanted in self.subscriptions_of(factory_id, listener):
            self.unsubscribe(factory_id, listener, wanted)

    def subscriptions_of(self, factory_id: str, listener: Listener) -> list[str]:
        """The filters a listener has."""
        room = self._rooms.get(factory_id)
        return room.filters_of(listener) if room else []

    def deliver(self, factory_id: str, sender: object, message: Message) -> None:
        """Send a durable message to everybody who wants it."""
        room = self._rooms.get(factory_id)
        if room is None:
            return
        for listener, subscriptions in room.who_wants(message.topic):
            wanted = subscriptions
            if listener is sender:
                wanted = [one for one in subscriptions if not one.no_local]
            if wanted:
                self.counts["delivered" if listener.deliver(message, wanted) else "dropped"] += 1


Wanted = list[tuple[Listener, list[Subscription]]]


class _Room:
    """The listeners of one factory."""

    def __init__(self) -> None:
        self._subscriptions: dict[Listener, dict[str, Subscription]] = {}
        self._wanted: dict[bytes, Wanted] = {}

    @property
    def is_empty(self) -> bool:
        return not self._subscriptions

    def add(self, listener: Listener, one: Subscription) -> None:
        self._subscriptions.setdefault(listener, {})[one.filter] = one
        self._wanted.clear()

    def remove(self, listener: Listener, wanted: str) -> bool:
        theirs = self._subscriptions.get(listener, {})
        if theirs.pop(wanted, None) is None:
            return False
        if not theirs:
            del self._subscriptions[listener]
        self._wanted.clear()
        return True

    def filters_of(self, listener: Listener) -> list[str]:
        return list(self._subscriptions.get(listener, {}))

    def who_wants(self, topic: bytes) -> Wanted:
        known = self._wanted.get(topic)
        if known is None:
            if len(self._wanted) >= MOST_TOPICS:
                self._wanted.clear()
            known = self._find(topic)
            if len(topic) <= LONGEST_TOPIC_BYTES:
                self._wanted[topic] = known
        return known

    def _find(self, topic: bytes) -> Wanted:
        try:
            text = topic.decode("utf-8")
        except UnicodeDecodeError:
            return []
        found: Wanted = []
        for listener, theirs in self._subscriptions.items():
            wanted = [one for one in theirs.values() if matches(one.filter, text)]
            if wanted:
                found.append((listener, wanted))
        return found


class Ticket(bytes):
    """The packet id of a message that somebody listens to, the message with it; empty for QoS 0."""

    message: Message

    def __new__(cls, message: Message) -> Self:
        """The ticket of a message."""
        one = super().__new__(cls, message.packet_id)
        one.message = message
        return one


class Overheard:
    """An origin whose messages are sent on as soon as they are durable; takes tickets for packet ids."""

    def __init__(self, origin: Origin, audience: Audience | None, factory_id: str, sender: object) -> None:
        self._origin = origin
        self._audience = audience
        self._factory_id = factory_id
        self._sender = sender

    def acknowledge(self, packet_ids: list[bytes]) -> None:
        """Acknowledge those that wait for it, then send all of them on."""
        waiting = [one for one in packet_ids if one]
        if waiting:
            self._origin.acknowledge(waiting)
        if self._audience is not None:
            for one in packet_ids:
                if isinstance(one, Ticket):
                    self._audience.deliver(self._factory_id, self._sender, one.message)

    def when_quarantined(self, reason: Reason) -> Origin:
        """What nobody had the right to send is shown to nobody."""
        audience = None if reason is Reason.NOT_AUTHORISED else self._audience
        return Overheard(self._origin.when_quarantined(reason), audience, self._factory_id, self._sender)

    def give_up(self) -> None:
        """End the connection."""
        self._origin.give_up()
