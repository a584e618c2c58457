"""The endpoint: lets devices in, sends on what tools listen to, and sweeps out the silent."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Final

from factoryops.contracts.snapshot import Snapshot
from factoryops.ingest.config import EndpointConfig
from factoryops.ingest.endpoint.admission import Admission
from factoryops.ingest.endpoint.audience import Audience
from factoryops.ingest.endpoint.connection import Connection
from factoryops.ingest.endpoint.listeners import Listeners
from factoryops.ingest.endpoint.meter import Meter
from factoryops.ingest.endpoint.packets import Connect
from factoryops.ingest.endpoint.reasons import ReasonCode
from factoryops.ingest.endpoint.reconnects import MOST_PER_MINUTE, ReconnectWatch
from factoryops.ingest.endpoint.session import Guest, Session
from factoryops.ingest.pipeline import Pipeline

logger = logging.getLogger(__name__)

_KEEP_ALIVE_FACTOR: Final = 1.5
_LOG_AGAIN_S: Final = 10.0
_FLOOD_IS_OVER_S: Final = 10.0


class Endpoint:
    """An MQTT server for publishing devices (3.1.1 and 5, QoS 0 to 2), without sessions and retained messages.

    Attributes:
        port, tls_port: where it listens, once started; 0 where it does not.
        complaints: what connections did wrong since the start, by kind.
        audience: who listens to the traffic.
        unfinished_bytes: what connections hold of packets that have not come whole.
    """

    def __init__(self, config: EndpointConfig, pipeline: Pipeline) -> None:
        self._config = config
        self._pipeline = pipeline
        self._loop = asyncio.get_running_loop()
        self._admission = Admission(config, self._loop.time)
        self._listeners = Listeners(config)
        self._connections: set[Connection] = set()
        self._hosts: Counter[str] = Counter()
        self._by_identity: dict[tuple[str, str], Connection] = {}
        self._logged_in: set[Connection] = set()
        self._users_seen: set[str] = set()
        self._logged_at_s: dict[str, float] = {}
        self._flooded_at_s = -_FLOOD_IS_OVER_S
        self._reconnects = ReconnectWatch()
        self.complaints: Counter[str] = Counter()
        self.audience = Audience()
        self.unfinished_bytes = 0

    async def start(self) -> None:
        """Listen.

        Raises:
            SetupError: an address or a certificate cannot be used; says why and what to do.
        """
        await self._listeners.open(lambda: Connection(self, self._pipeline, self._loop.time))
        self._pipeline.add_source(self)

    def apply(self, snapshot: Snapshot) -> None:
        """Take over who may log in; whoever may no longer is sent away."""
        self._admission.apply(snapshot)
        self._send_away()

    def _send_away(self) -> None:
        """End the connections of whoever could not log in any more."""
        for connection, session in self._sessions():
            if not self._admission.may_stay(session.publisher):
                said = "is sent away: its credential was changed or withdrawn"
                connection.end(ReasonCode.NOT_AUTHORISED, "credential_withdrawn", said)

    def _sessions(self) -> list[tuple[Connection, Session]]:
        """Every connection that is logged in, with its session."""
        return [(one, one.session) for one in self._logged_in if one.session is not None]

    @property
    def port(self) -> int:
        """Where devices connect without TLS; 0 where they cannot."""
        return self._listeners.port

    @property
    def tls_port(self) -> int:
        """Where devices connect over TLS; 0 where they cannot."""
        return self._listeners.tls_port

    @property
    def connection_count(self) -> int:
        """Devices that are logged in."""
        return len(self._logged_in)

    def take_user_names(self) -> set[str]:
        """Whose connections stand, or stood at some time since the last call."""
        taken = self._users_seen | {session.publisher.label for _, session in self._sessions()}
        self._users_seen.clear()
        return taken

    # --- what connections ask ----------------------------------------------------------------------------------------

    def opened(self, connection: Connection) -> None:
        """Note a new connection, or turn it away when there are too many."""
        if len(self._connections) >= self._config.most_connections:
            self.complain(connection, "too_many_connections", "is turned away: there are too many connections")
            connection.close()
            return
        if self._hosts[connection.host] >= self._config.most_per_address:
            said = "is turned away: there are too many connections from its address"
            self.complain(connection, "too_many_connections", said)
            connection.close()
            return
        self._hosts[connection.host] += 1
        self._connections.add(connection)

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        if connection not in self._connections:
            return
        self._connections.discard(connection)
        self._hosts[connection.host] -= 1
        if not self._hosts[connection.host]:
            del self._hosts[connection.host]
        if connection in self._logged_in:
            self._logged_in.discard(connection)
            self._admission.leave(connection.identity[0])
        if self._by_identity.get(connection.identity) is connection:
            del self._by_identity[connection.identity]

    def log_in(self, connection: Connection, connect: Connect) -> Guest | ReasonCode:
        """Decide about a CONNECT; an older connection of the same user and client id gives way."""
        if not self._pipeline.is_storing:
            return ReasonCode.SERVER_UNAVAILABLE
        guest = self._admission.judge(connect)
        if not isinstance(guest, Guest):
            reason, said = guest
            self.complain(connection, "login_refused", said)
            return reason
        username = guest.publisher.label
        connection.identity = (username, guest.client_id)
        older = self._by_identity.get(connection.identity)
        if older is not None:
            older.end(ReasonCode.TAKEN_OVER, "taken_over", "gives way to a new connection with the same client id")
        self._by_identity[connection.identity] = connection
        self._logged_in.add(connection)
        self._users_seen.add(username)
        self._admission.enter(username)
        if self._reconnects.note(connection.identity, self._loop.time()):
            said = f"comes more than {MOST_PER_MINUTE} times a minute: something it sends ends its connection each time"
            self.complain(connection, "reconnects_often", said)
        return guest

    def meter_of(self, guest: Guest) -> Meter:
        """What a guest may send."""
        return self._admission.meter_of(guest)

    def complain(self, connection: Connection, kind: str, message: str) -> None:
        """Count what went wrong, and log it unless the same kind was logged a moment ago."""
        self.complaints[kind] += 1
        moment_s = self._loop.time()
        if kind == "held_back":
            self._flooded_at_s = moment_s
        if moment_s - self._logged_at_s.get(kind, -_LOG_AGAIN_S) >= _LOG_AGAIN_S:
            self._logged_at_s[kind] = moment_s
            name = connection.identity[0] or "an unknown client"
            logger.warning("The connection of %s from %s %s.", name, connection.peer, message)

    # --- upkeep ------------------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Send away who does not log in or has gone silent; call it every second."""
        if self._admission.has_overlap_ended():
            self._send_away()
        if self._pipeline.is_paused:
            return
        moment_s = self._loop.time()
        for connection in list(self._connections):
            if connection.is_over:
                connection.give_up()
            elif connection.session is None:
                if moment_s - connection.connected_at_s > self._config.connect_timeout_s:
                    self.complain(connection, "connect_timeout", "did not log in in time")
                    connection.close()
            elif not connection.is_held:
                self._judge_silence(connection, moment_s - connection.last_heard_s, connection.session.keep_alive_s)

    @staticmethod
    def _judge_silence(connection: Connection, silent_s: float, keep_alive_s: int) -> None:
        if keep_alive_s and silent_s > keep_alive_s * _KEEP_ALIVE_FACTOR:
            said = f"has been silent for {silent_s:.0f} s and is given up"
            connection.end(ReasonCode.KEEP_ALIVE_TIMEOUT, "keep_alive", said)

    async def look_after_files(self) -> None:
        """Take a renewed certificate over; call it every few seconds."""
        await self._listeners.look_at_certificate()

    def problems(self) -> dict[str, str]:
        """What is wrong at the moment, by code."""
        found: dict[str, str] = {}
        if self._listeners.problem:
            found["certificate"] = self._listeners.problem
        if self._reconnects.is_frequent(self._loop.time()):
            found["reconnecting"] = (
                "A device connects again and again: something it sends ends its connection each time, and is sent "
                "again. The log names it and says what is wrong; what it measures does not arrive."
            )
        if self._loop.time() - self._flooded_at_s < _FLOOD_IS_OVER_S:
            found["flood"] = (
                "A device or a factory sends more than it may: it is held back and keeps what it could not send. "
                "The log names it; let it send less, or raise the limits of [endpoint]."
            )
        return found

    def figures(self) -> dict[str, int]:
        """Counters and gauges."""
        return {
            "unfinished_bytes": self.unfinished_bytes,
            "held_back": sum(connection.is_held for connection in self._connections),
            "delivered_to_listeners": self.audience.counts["delivered"],
            "dropped_for_listeners": self.audience.counts["dropped"],
        }

    def pause(self) -> None:
        """Stop reading from every device."""
        for connection in self._connections:
            connection.pause()

    def resume(self) -> None:
        """Read from every device again."""
        for connection in self._connections:
            connection.resume()

    def stop_listening(self) -> None:
        """Take no new connections."""
        self._listeners.close()

    def close(self) -> None:
        """Send everybody away; they connect again when the service is back."""
        for connection in list(self._connections):
            connection.dismiss(ReasonCode.SHUTTING_DOWN)
