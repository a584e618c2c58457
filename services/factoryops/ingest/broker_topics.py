"""What we subscribe to at a broker: asked for anew after every CONNACK, and taken back when it is wanted no more.

A persistent session keeps old subscriptions for ever, also across our restarts; so what was asked for is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from paho.mqtt.client import Client

from factoryops.contracts.telemetry import SUBSCRIPTION
from factoryops.ingest.broker_memory import BrokerMemory
from factoryops.ingest.broker_watch import SYS_TOPICS, UPTIME

_FIRST: Final = frozenset({SUBSCRIPTION})


class BrokerTopics:
    """Wanted, asked for, and refused topics. `want` may be called from any thread, the rest from the client's."""

    def __init__(self, memory: BrokerMemory) -> None:
        self._memory = memory
        self._wanted = _FIRST
        self._asked: frozenset[str] = frozenset()
        self._questions: dict[int, tuple[str, ...]] = {}
        self._refused: frozenset[str] = frozenset()

    @property
    def refused(self) -> list[str]:
        """What the broker does not let us read."""
        return sorted(self._refused & self._wanted)

    def want(self, topics: Iterable[str]) -> None:
        """Subscribe to these and to no others."""
        self._wanted = frozenset(topics)

    def begin(self, client: Client) -> None:
        """A connection stands: ask for everything, and give back what an earlier run asked for."""
        client.subscribe([(topic, 0) for topic in (*SYS_TOPICS, UPTIME)])
        self._asked = frozenset()
        old = self._memory.subscribed - self._wanted
        if old:
            client.unsubscribe(sorted(old))
        self.ask(client)

    def ask(self, client: Client) -> None:
        """Ask for what has become wanted, and give back what is no more; does nothing when nothing changed."""
        wanted = self._wanted
        if wanted == self._asked:
            return
        added, gone = tuple(sorted(wanted - self._asked)), sorted(self._asked - wanted)
        if added:
            _, number = client.subscribe([(topic, 1) for topic in added])
            if number is not None:
                self._questions[number] = added
        if gone:
            client.unsubscribe(gone)
        self._asked = wanted
        self._memory.note_subscribed(wanted)

    def answered(self, number: int, are_refused: Sequence[bool]) -> None:
        """Note which of a question's topics were refused."""
        topics = self._questions.pop(number, ())
        said_no = {topic for topic, is_refused in zip(topics, are_refused, strict=False) if is_refused}
        self._refused = (self._refused - set(topics)) | said_no

    def forget(self) -> None:
        """The connection is gone; questions of it are never answered."""
        self._asked = frozenset()
        self._questions.clear()
