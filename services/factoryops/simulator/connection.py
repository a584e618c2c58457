"""How a simulated device, or a recording, reaches an MQTT server: one small typed wrapper around paho-mqtt."""

from __future__ import annotations

import logging
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from factoryops.domain.errors import SetupError, UnavailableError

if TYPE_CHECKING:
    from paho.mqtt.reasoncodes import ReasonCode

logger = logging.getLogger(__name__)

_REFUSALS: Final = frozenset({"Not authorized", "Bad user name or password", "Client identifier not valid", "Banned"})


@dataclass(frozen=True, slots=True)
class MqttTarget:
    """Where to publish, and as whom.

    Attributes:
        factory: the factory's slug, the second segment of the topic.
        username / password: the MQTT credential; None connects anonymously (outside brokers only).
        ca_file: the certificate authority to trust; None speaks plain TCP.
    """

    host: str
    port: int
    factory: str
    username: str | None = None
    password: str | None = None
    ca_file: Path | None = None

    def topic(self, device_key: str) -> str:
        """The telemetry topic of a device (dialect A)."""
        return f"factories/{self.factory}/devices/{device_key}/telemetry"


class DeviceConnection:
    """One device's connection: reconnects by itself and sends again what was not acknowledged.

    Attributes:
        acknowledged: messages the server has confirmed.
        refusal: why the server will not have us; None while it does.
    """

    def __init__(self, target: MqttTarget, client_id: str, *, in_flight: int = 20, most_waiting: int = 2_000) -> None:
        self._target = target
        self._condition = threading.Condition()
        self._unacknowledged: set[int] = set()
        self._early: set[int] = set()
        self._is_connected = False
        self.acknowledged = 0
        self.refusal: str | None = None
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
        self._client.max_inflight_messages_set(in_flight)
        self._client.max_queued_messages_set(most_waiting)
        self._client.reconnect_delay_set(1, 15)
        if target.username is not None:
            self._client.username_pw_set(target.username, target.password)
        if target.ca_file is not None:
            self._client.tls_set_context(ssl.create_default_context(cafile=str(target.ca_file)))
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish

    @property
    def is_connected(self) -> bool:
        """Whether the server has let us in."""
        with self._condition:
            return self._is_connected

    @property
    def waiting(self) -> int:
        """Messages handed over and not confirmed yet."""
        with self._condition:
            return len(self._unacknowledged)

    def start(self) -> None:
        """Begin connecting in the background; never blocks on the network."""
        self._client.connect_async(self._target.host, self._target.port, keepalive=30)
        self._client.loop_start()

    def wait_connected(self, timeout_s: float) -> None:
        """Wait to be let in.

        Raises:
            SetupError: the server refuses the credential.
            UnavailableError: nobody answered in time.
        """
        where = f"{self._target.host}:{self._target.port}"
        with self._condition:
            self._condition.wait_for(lambda: self._is_connected or self.refusal is not None, timeout_s)
            if self.refusal is not None:
                raise SetupError(
                    f"The MQTT server at {where} refused the connection ({self.refusal}). "
                    "Check the user name and the password of the device credential."
                )
            if not self._is_connected:
                raise UnavailableError(
                    f"No MQTT server answers at {where}. Start the service or the broker, or correct the address."
                )

    def publish(self, topic: str, payload: bytes) -> bool:
        """Hand over one message with QoS 1; False when too many wait already (the message was dropped)."""
        info = self._client.publish(topic, payload, qos=1)
        if info.rc == paho.MQTT_ERR_QUEUE_SIZE:
            return False
        with self._condition:
            if info.mid in self._early:
                self._early.discard(info.mid)
            else:
                self._unacknowledged.add(info.mid)
        return True

    def wait_below(self, count: int, timeout_s: float) -> bool:
        """Wait until fewer than `count` messages are unconfirmed; False when that took longer than `timeout_s`."""
        with self._condition:
            return self._condition.wait_for(lambda: len(self._unacknowledged) < count, timeout_s)

    def close(self) -> None:
        """Say goodbye and end the background thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, client: paho.Client, userdata: object, flags: object, reason: ReasonCode, properties: object
    ) -> None:
        with self._condition:
            self._is_connected = not reason.is_failure
            self.refusal = reason.getName() if reason.is_failure and reason.getName() in _REFUSALS else None
            self._condition.notify_all()
        if reason.is_failure:
            logger.warning("The MQTT server refused %s: %s", self._target.username, reason.getName())

    def _on_disconnect(
        self, client: paho.Client, userdata: object, flags: object, reason: ReasonCode, properties: object
    ) -> None:
        with self._condition:
            self._is_connected = False
            self._condition.notify_all()

    def _on_publish(
        self, client: paho.Client, userdata: object, message_id: int, reason: ReasonCode, properties: object
    ) -> None:
        with self._condition:
            self.acknowledged += 1
            if message_id in self._unacknowledged:
                self._unacknowledged.discard(message_id)
            else:
                self._early.add(message_id)  # confirmed before publish() had returned its number
            self._condition.notify_all()
