"""An outside broker as a source: a persistent session, acknowledged only after the fsync.

The client runs on a thread of its own, which alone touches it. Messages travel to the event loop in bundles; packet ids
to acknowledge travel back. Each connection is a generation: what belongs to an older one is dropped, because after a
lost session the broker may give the same packet ids to other messages.
"""

from __future__ import annotations

import asyncio
import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from factoryops.contracts.telemetry import Reason
from factoryops.domain.time import now_us
from factoryops.ingest.broker_memory import BrokerMemory
from factoryops.ingest.broker_pace import ReconnectPace
from factoryops.ingest.broker_topics import BrokerTopics
from factoryops.ingest.broker_watch import BrokerWatch
from factoryops.ingest.buffered_client import BufferedClient, ignore
from factoryops.ingest.config import BrokerConfig
from factoryops.ingest.devices import Publisher
from factoryops.ingest.mosquitto.standing_review import StandingReview
from factoryops.ingest.pipeline import Pipeline
from factoryops.ingest.tls_client import tls_context, why_not
from factoryops.journal.failpoint import failpoint

logger = logging.getLogger(__name__)

_CONNECT_TIMEOUT_S: Final = 10.0
_WAIT_S: Final = 0.5
_PACKETS_PER_TURN: Final = 1_000
_MOST_UNDELIVERED: Final = 10_000
"""Messages on their way to the event loop; with so many nothing is read, and the broker keeps the rest."""

_REMEMBER_EVERY_S: Final = 5.0
_CATCHING_UP_S: Final = 10.0
"""So long after connecting a loss may concern what waited at the broker before."""

Received = tuple[bytes, bytes, bytes | None, bool]
"""Topic, payload, packet id, whether it was retained."""


class Generation:
    """One connection to the broker: the origin of what came over it.

    Attributes:
        is_over: the client's thread is done with it.
        is_given_up: messages of it were dropped and come again over the next one, and so do those behind them: taken
            now, these would make the others late.
    """

    def __init__(self, source: BrokerSource) -> None:
        self._source = source
        self.is_over = False
        self.is_given_up = False

    def acknowledge(self, packet_ids: list[bytes]) -> None:
        """Hand packet ids to the client's thread; dropped there when this connection is over."""
        self._source.hand_acks(self, packet_ids)

    def when_quarantined(self, reason: Reason) -> Generation:
        """Itself: a broker has no use for the reason."""
        return self

    def give_up(self) -> None:
        """Drop the connection: the broker delivers again what was not acknowledged."""
        self.is_given_up = True
        self._source.drop(self)


class BrokerSource:
    """Receives from one broker."""

    def __init__(self, config: BrokerConfig, pipeline: Pipeline, memory_file: Path) -> None:
        self.name = config.name
        self._config = config
        self._pipeline = pipeline
        self._loop = asyncio.get_running_loop()
        self._publisher = Publisher(f"broker {config.name}")
        self._memory = BrokerMemory(memory_file)
        self._watch = BrokerWatch(config, self._memory)
        self._review = StandingReview(config.name, config.configuration_file)
        self._pace = ReconnectPace()
        self._topics = BrokerTopics(self._memory)
        self._thread = threading.Thread(target=self._run, name=f"broker-{config.name}", daemon=True)
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)
        self._acks: deque[tuple[Generation, list[bytes]]] = deque()
        self._is_stopping = threading.Event()
        self._is_paused = False
        self._to_drop: Generation | None = None
        self._generation = Generation(self)
        self._client: BufferedClient | None = None
        self._bundle: list[Received] = []
        self._connected_since_s: float | None = None
        self._away = "The connection has not been made yet."
        self._received = 0
        self._heard_us = 0
        # Each is counted by one thread alone: handed to the event loop, and taken there.
        self._handed = self._delivered = 0
        pipeline.add_source(self)

    # --- the event loop's side ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin connecting; the connection is kept until `close`."""
        self._thread.start()

    def pause(self) -> None:
        """Stop reading the socket: the broker's session holds the messages."""
        self._is_paused = True

    def resume(self) -> None:
        """Read again."""
        self._is_paused = False
        self._wake()

    def want(self, topics: Iterable[str]) -> None:
        """Subscribe to these and no others; takes effect at once where a connection stands."""
        self._topics.want(topics)
        self._wake()

    def hand_acks(self, generation: Generation, packet_ids: list[bytes]) -> None:
        """Queue acknowledgements for the client's thread."""
        self._acks.append((generation, packet_ids))
        self._wake()

    def drop(self, generation: Generation) -> None:
        """End a connection from the event loop."""
        self._to_drop = generation
        self._wake()

    def close(self) -> None:
        """Send the last acknowledgements, take leave of the broker and end the thread; blocks for up to 3 s."""
        self._is_stopping.set()
        self._wake()
        if self._thread.is_alive():
            self._thread.join(3.0)
        self._wake_reader.close()
        self._wake_writer.close()

    def problems(self) -> dict[str, str]:
        """What is wrong at the moment, by code."""
        address = f"{self._config.host}:{self._config.port}"
        found: dict[str, str] = {}
        if not self._thread.is_alive():
            found["broker_away"] = f"The part that listens to the broker {self.name} has ended; restart the service."
        elif self._connected_since_s is None and not self._is_paused:
            found["broker_away"] = (
                f"The broker {self.name} at {address} cannot be reached: {self._away} Its devices' data waits there."
            )
        if self._pace.is_unstable:
            found["broker_unstable"] = (
                f"The connection to the broker {self.name} keeps being lost; another client may be using the "
                f"client id {self._config.client_id}, which must be ours alone."
            )
        if self._review.problem:
            found["broker_configuration"] = self._review.problem
        refused = self._topics.refused
        if refused:
            found["broker_refuses"] = (
                f"The broker {self.name} does not let us read {', '.join(refused)}: what devices publish there is not "
                "received. Permit it to our user."
            )
        return found | self._watch.problems()

    def figures(self) -> dict[str, Any]:
        """Counters for the health page."""
        is_connected = self._connected_since_s is not None
        return {"is_connected": is_connected, "received": self._received, **self._watch.figures()}

    def _deliver(self, generation: Generation, bundle: list[Received]) -> None:
        is_waited_for = self._handed - self._delivered >= _MOST_UNDELIVERED
        self._delivered += len(bundle)
        if is_waited_for:
            self._wake()
        if generation.is_given_up:
            return
        received_us = now_us()
        for topic, payload, packet_id, is_retained in bundle:
            self._pipeline.receive(
                generation, self._publisher, topic, payload, packet_id, received_us, is_retained=is_retained
            )
        failpoint("recv")

    def _wake(self) -> None:
        try:
            self._wake_writer.send(b"!")
        except (BlockingIOError, OSError):
            return  # it is awake already, or gone

    # --- the client's thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._is_stopping.is_set():
            try:
                self._review.look()
                if self._is_reading_soon():
                    self._stay_connected()
            except Exception as error:  # noqa: BLE001 - this is the supervisor of the client's thread
                logger.warning("The connection to the broker %s failed: %r", self.name, error)
                self._away = why_not(error)
            self._end_generation()
            self._is_stopping.wait(self._pace.next_pause_s())

    def _is_reading_soon(self) -> bool:
        """Wait until messages may be read: before that not even the answer to a CONNECT is; False at the end."""
        while self._is_paused and not self._is_stopping.is_set():
            with selectors.DefaultSelector() as selector:
                selector.register(self._wake_reader, selectors.EVENT_READ)
                selector.select(_WAIT_S)
            self._drain_wakes()
        return not self._is_stopping.is_set()

    def _end_generation(self) -> None:
        self._generation.is_over = True
        self._bundle.clear()
        self._acks.clear()
        if self._connected_since_s is not None:
            self._connected_since_s = None
            self._pace.lost()
            self._memory.save_seen(self._heard_us)
        self._topics.forget()
        self._watch.forget()

    def _stay_connected(self) -> None:
        """Connect and stay so until the link is lost."""
        client = self._client = self._make_client()
        self._generation = Generation(self)
        client.connect(self._config.host, self._config.port, keepalive=self._config.keep_alive_s)
        deadline_s = time.monotonic() + _CONNECT_TIMEOUT_S
        while not self._is_stopping.is_set():
            if not self._turn(client):
                break
            if self._connected_since_s is None and time.monotonic() > deadline_s:
                self._away = "It does not answer."
                break
        self._part(client)

    def _make_client(self) -> BufferedClient:
        config = self._config
        client = BufferedClient(
            CallbackAPIVersion.VERSION2,
            client_id=config.client_id,
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        client.connect_timeout = _CONNECT_TIMEOUT_S
        if config.username is not None:
            client.username_pw_set(config.username, config.password)
        if config.use_tls:
            client.tls = tls_context(config.ca_file)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.take = self._take
        return client

    def _turn(self, client: BufferedClient) -> bool:
        """Wait for something to do and do it; returns whether the link still stands."""
        connection = client.socket()
        if connection is None:
            return False
        may_read = not self._is_paused and self._handed - self._delivered < _MOST_UNDELIVERED
        is_unread = may_read and client.has_unread
        is_readable = self._wait(connection, may_read=may_read, can_write=client.has_unsent, is_due=is_unread)
        if self._to_drop is not None and self._to_drop is self._generation:
            self._away = "Its messages could not be stored."
            return False
        stands = not (is_readable or is_unread) or client.read_packets(most=_PACKETS_PER_TURN)
        if stands and is_readable and self._has_caught_up():
            self._heard_us = now_us()
        self._hand_over()
        self._send_acks(client)
        if self._connected_since_s is not None:
            self._topics.ask(client)
            self._memory.save_seen_every(_REMEMBER_EVERY_S, self._heard_us)
        self._review.look()
        return stands and client.flush() and client.loop_misc() == 0

    def _has_caught_up(self) -> bool:
        """Whether the connection has stood for so long that what waited at the broker should have been taken."""
        since_s = self._connected_since_s
        return since_s is not None and time.monotonic() - since_s >= _CATCHING_UP_S

    def _wait(self, connection: Any, *, may_read: bool, can_write: bool, is_due: bool) -> bool:
        """Wait until there is something to do, or only look when it `is_due`; returns whether it can be read."""
        events = (selectors.EVENT_READ if may_read else 0) | (selectors.EVENT_WRITE if can_write else 0)
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_reader, selectors.EVENT_READ)
            if events:
                selector.register(connection, events)
            ready = {key.fileobj: mask for key, mask in selector.select(0 if is_due else _WAIT_S)}
        if self._wake_reader in ready:
            self._drain_wakes()
        return bool(ready.get(connection, 0) & selectors.EVENT_READ)

    def _drain_wakes(self) -> None:
        try:
            while self._wake_reader.recv(4_096):
                pass
        except BlockingIOError:
            return

    def _hand_over(self) -> None:
        if self._bundle:
            bundle, self._bundle = self._bundle, []
            self._received += len(bundle)
            self._handed += len(bundle)
            self._loop.call_soon_threadsafe(self._deliver, self._generation, bundle)

    def _send_acks(self, client: BufferedClient) -> None:
        while self._acks:
            generation, packet_ids = self._acks.popleft()
            if generation is self._generation and not generation.is_over:
                client.acknowledge(packet_ids)

    def _part(self, client: BufferedClient) -> None:
        """Leave in good order: the last acknowledgements first."""
        if client.socket() is not None:
            self._send_acks(client)
            client.disconnect()
            client.flush()
        client.take = ignore
        connection = client.socket()
        if connection is not None:
            connection.close()

    # --- paho's callbacks: nothing may leave them --------------------------------------------------------------------

    def _on_connect(
        self, client: Client, _userdata: Any, flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._away = f"It refuses us ({reason})."
            return
        moment_us = now_us()
        gap = None if flags.session_present else self._memory.gap_until(moment_us)
        if gap is not None:
            logger.warning("The broker %s has lost our session: %s", self.name, gap.reason)
            self._watch.note_lost_session(gap)
            self._loop.call_soon_threadsafe(self._pipeline.add_gap, gap)
        elif flags.session_present:
            self._watch.note_kept_session(self._heard_us)
        self._memory.note_connected(moment_us, is_kept=flags.session_present)
        self._heard_us = max(self._heard_us if flags.session_present else 0, self._memory.seen_us)
        self._topics.begin(client)
        self._watch.certificate_ends_at = self._client.certificate_ends_at() if self._client is not None else None
        self._pace.made()
        self._connected_since_s = time.monotonic()
        logger.info("Connected to the broker %s.", self.name)

    def _on_subscribe(
        self, _client: Client, _userdata: Any, mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        self._topics.answered(mid, [reason.is_failure for reason in reasons])

    def _take(self, topic: bytes, payload: bytes, packet_id: bytes | None, is_retained: bool) -> None:
        if topic.startswith(b"$SYS/"):
            gap = self._watch.take(topic.decode("utf-8", "replace"), payload, is_retained=is_retained)
            if gap is not None:
                self._loop.call_soon_threadsafe(self._pipeline.add_gap, gap)
            return
        self._bundle.append((topic, payload, packet_id, is_retained))
