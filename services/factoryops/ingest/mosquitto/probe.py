"""Tries a running broker out: whether it refuses whom it must, and keeps what it acknowledges."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from factoryops.domain.errors import UnavailableError
from factoryops.ingest.mosquitto.users import PROBE_TOPICS, PROBE_USER
from factoryops.ingest.tls_client import TlsClient, tls_context, why_not

QUEUE_MESSAGES: Final = 3_000
"""More than a Mosquitto with its own defaults keeps: 1,000 queued and 20 in flight."""

NOT_AUTHORISED: Final = 0x87
"""The reason code of MQTT 5."""

_PATIENCE_S: Final = 4.0
_TURN_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """The broker to try out.

    Attributes:
        password: of the user `factoryops-probe`.
        ca_file: the authority of its certificate; None for a listener without TLS.
    """

    host: str
    port: int
    password: str
    ca_file: Path | None = None


def probe(target: ProbeTarget) -> list[str]:
    """What is wrong with a running broker, a sentence each; empty when it is as it must be. Takes a few seconds.

    Raises:
        UnavailableError: it cannot be reached, or does not let the probe in.
    """
    found = []
    if _is_let_in(target, None, None):
        found.append("The broker lets clients in without a password. Set allow_anonymous false.")
    if _is_let_in(target, PROBE_USER, "wrong"):
        found.append("The broker lets clients in with a wrong password. Set password_file.")
    with ProbeSession(target, PROBE_USER, target.password) as session:
        session.require()
        if session.publish(f"factories/{PROBE_USER}/devices/probe/telemetry") != NOT_AUTHORISED:
            found.append("The broker lets any user publish any device's telemetry. Set acl_file.")
        lost = session.count_lost()
        if lost:
            found.append(
                f"The broker threw away {lost} of {QUEUE_MESSAGES} messages it had acknowledged, because its queue "
                "is too short. Set max_queued_messages 1000000."
            )
    return found


def _is_let_in(target: ProbeTarget, user: str | None, password: str | None) -> bool:
    with ProbeSession(target, user, password) as session:
        return session.answer == 0


class ProbeSession:
    """One MQTT 5 connection, driven step by step on the caller's thread.

    Attributes:
        answer: the reason code of the CONNACK; None when none came.
    """

    def __init__(
        self, target: ProbeTarget, user: str | None, password: str | None, *, client_id: str = PROBE_USER
    ) -> None:
        self._target = target
        self._client = client = TlsClient(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True
        )
        if user is not None:
            client.username_pw_set(user, password)
        if target.ca_file is not None:
            client.tls = tls_context(target.ca_file)
        client.max_inflight_messages_set(QUEUE_MESSAGES)
        client.max_queued_messages_set(0)
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        self.answer: int | None = None
        self._published: dict[int, int] = {}
        self._is_subscribed = False
        self._received: list[int] = []
        self._acknowledged = 0

    def __enter__(self) -> Self:
        try:
            self._client.connect(self._target.host, self._target.port, keepalive=30)
        except (OSError, ValueError) as error:
            raise UnavailableError(
                f"The broker at {self._target.host}:{self._target.port} cannot be tried out. {why_not(error)}"
            ) from error
        self._turn_until(lambda: self.answer is not None or self._client.socket() is None)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop(_TURN_S)

    def require(self) -> None:
        """Raise UnavailableError unless the broker let us in."""
        if self.answer != 0:
            raise UnavailableError(
                f"The broker does not let the user {PROBE_USER} in; run `broker users` and let it read its files again."
            )

    def publish(self, topic: str) -> int | None:
        """Publish nothing to `topic`; answers the reason code, None when there was none."""
        number = self._client.publish(topic, b"", qos=1).mid
        self._turn_until(lambda: number in self._published)
        return self._published.get(number)

    def subscribe(self, topic: str) -> None:
        """Ask for a topic, and wait for the answer."""
        self._client.subscribe(topic, 1)
        self._turn_until(lambda: self._is_subscribed)

    def count_lost(self) -> int:
        """How many messages are lost when they come while we do not acknowledge: the broker must queue them."""
        topic = f"{PROBE_TOPICS}/queue"
        self.subscribe(topic)
        already = len(self._published)
        for _ in range(QUEUE_MESSAGES):
            self._client.publish(topic, b"", qos=1)
        self._turn_until(lambda: len(self._published) - already >= QUEUE_MESSAGES)
        self._turn_until(self._acknowledged_all)
        return max(0, QUEUE_MESSAGES - self._acknowledged)

    def _acknowledged_all(self) -> bool:
        """Acknowledge what has come; whether all of it is there."""
        waiting, self._received = self._received, []
        for number in waiting:
            self._client.ack(number, 1)
        self._acknowledged += len(waiting)
        return self._acknowledged >= QUEUE_MESSAGES

    def _turn_until(self, condition: Callable[[], bool]) -> None:
        """Let the client work until the condition holds or nothing has happened for a while."""
        quiet_since_s, seen = time.monotonic(), self._progress()
        while not condition() and time.monotonic() - quiet_since_s < _PATIENCE_S:
            if self._client.loop(_TURN_S) != 0:
                return
            if self._progress() != seen:
                quiet_since_s, seen = time.monotonic(), self._progress()

    def _progress(self) -> tuple[int, int]:
        return len(self._published), len(self._received) + self._acknowledged

    def _on_connect(
        self, _client: Client, _userdata: Any, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self.answer = reason.value

    def _on_publish(
        self, _client: Client, _userdata: Any, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self._published[mid] = reason.value

    def _on_subscribe(
        self, _client: Client, _userdata: Any, _mid: int, _reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        self._is_subscribed = True

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self._received.append(message.mid)
