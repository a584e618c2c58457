"""The endpoint: listens for devices, lets them in, and sweeps out the silent."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections import Counter
from typing import Final

from factoryops.contracts.snapshot import Snapshot
from factoryops.domain.errors import SetupError
from factoryops.domain.time import now_us
from factoryops.ingest.access import Access
from factoryops.ingest.config import EndpointConfig
from factoryops.ingest.devices import Publisher
from factoryops.ingest.endpoint.connection import Connection
from factoryops.ingest.endpoint.packets import Connect, ReturnCode
from factoryops.ingest.pipeline import Pipeline

logger = logging.getLogger(__name__)

_KEEP_ALIVE_FACTOR: Final = 1.5
_LOG_AGAIN_S: Final = 10.0
_BACKLOG: Final = 1_024


class Endpoint:
    """An MQTT 3.1.1 server for publishing devices: QoS 0 and 1, credentials, no subscriptions, no sessions.

    Attributes:
        port: where it listens, once started.
        complaints: what connections did wrong since the start, by kind.
    """

    def __init__(self, config: EndpointConfig, pipeline: Pipeline) -> None:
        self._config = config
        self._pipeline = pipeline
        self._loop = asyncio.get_running_loop()
        self._access = Access(Snapshot())
        self._connections: set[Connection] = set()
        self._by_identity: dict[tuple[str, str], Connection] = {}
        self._logged_in: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._logged_at_s: dict[str, float] = {}
        self.port = config.port
        self.complaints: Counter[str] = Counter()

    async def start(self) -> None:
        """Listen.

        Raises:
            SetupError: the address cannot be taken; says why and what to do.
        """
        host, port = self._config.host, self._config.port
        try:
            self._server = await self._loop.create_server(
                lambda: Connection(self, self._pipeline, self._loop.time), host, port, backlog=_BACKLOG
            )
        except (OSError, OverflowError) as error:
            raise SetupError(_why_not(error, host, port)) from error
        self.port = self._server.sockets[0].getsockname()[1]
        self._pipeline.add_source(self)
        logger.info("Devices can connect to %s:%d (MQTT 3.1.1).", host, self.port)

    def apply(self, snapshot: Snapshot) -> None:
        """Take over who may log in; whoever may no longer is sent away."""
        self._access = Access(snapshot)
        self._send_away()

    def _send_away(self) -> None:
        """End the connections of whoever could not log in any more."""
        moment_us = now_us()
        for connection in list(self._logged_in):
            if not self._access.may_stay(connection.publisher, moment_us):
                self.complain(
                    connection, "credential_withdrawn", "is sent away: its credential was changed or withdrawn"
                )
                connection.close()

    @property
    def connection_count(self) -> int:
        """Devices that are logged in."""
        return len(self._logged_in)

    def user_names(self) -> set[str]:
        """Whose connections stand at the moment."""
        return {connection.publisher.label for connection in self._logged_in}

    # --- what connections ask ----------------------------------------------------------------------------------------

    def opened(self, connection: Connection) -> None:
        """Note a new connection, or turn it away when there are too many."""
        if len(self._connections) >= self._config.most_connections:
            self.complain(connection, "too_many_connections", "is turned away: there are too many connections")
            connection.close()
            return
        self._connections.add(connection)

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        self._connections.discard(connection)
        self._logged_in.discard(connection)
        if self._by_identity.get(connection.identity) is connection:
            del self._by_identity[connection.identity]

    def log_in(self, connection: Connection, connect: Connect) -> Publisher | ReturnCode:
        """Decide about a CONNECT; an older connection of the same user and client id gives way."""
        if not self._pipeline.is_storing:
            return ReturnCode.UNAVAILABLE
        if not connect.client_id and not connect.is_clean:
            return ReturnCode.IDENTIFIER_REJECTED
        if connect.username is None:
            self.complain(connection, "login_refused", "gave no user name")
            return ReturnCode.NOT_AUTHORISED
        publisher = self._access.admit(connect.username, connect.password, now_us())
        if publisher is None:
            self.complain(connection, "login_refused", "gave a wrong user name or password")
            return ReturnCode.BAD_USER_OR_PASSWORD
        connection.identity = (connect.username, connect.client_id or f"unnamed {id(connection)}")
        older = self._by_identity.get(connection.identity)
        if older is not None:
            self.complain(older, "taken_over", "gives way to a new connection with the same client id")
            older.close()
        self._by_identity[connection.identity] = connection
        self._logged_in.add(connection)
        return publisher

    def complain(self, connection: Connection, kind: str, message: str) -> None:
        """Count what went wrong, and log it unless the same kind was logged a moment ago."""
        self.complaints[kind] += 1
        moment_s = self._loop.time()
        if moment_s - self._logged_at_s.get(kind, -_LOG_AGAIN_S) >= _LOG_AGAIN_S:
            self._logged_at_s[kind] = moment_s
            name = connection.publisher.label or "an unknown client"
            logger.warning("The connection of %s from %s %s.", name, connection.peer, message)

    # --- upkeep ------------------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Send away who does not log in or has gone silent; call it every second."""
        if self._access.has_overlap_ended(now_us()):
            self._send_away()
        if self._pipeline.is_paused:
            return
        moment_s = self._loop.time()
        for connection in list(self._connections):
            silent_s = moment_s - connection.last_heard_s
            if connection.is_over:
                connection.give_up()
            elif not connection.is_logged_in:
                if moment_s - connection.connected_at_s > self._config.connect_timeout_s:
                    self.complain(connection, "connect_timeout", "did not log in in time")
                    connection.close()
            elif connection.keep_alive_s and silent_s > connection.keep_alive_s * _KEEP_ALIVE_FACTOR:
                self.complain(connection, "keep_alive", f"has been silent for {silent_s:.0f} s and is given up")
                connection.give_up()

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
        if self._server is not None:
            self._server.close()

    def close(self) -> None:
        """Send everybody away; they connect again when the service is back."""
        for connection in list(self._connections):
            connection.close()


def _why_not(error: OSError | OverflowError, host: str, port: int) -> str:
    place = f"Devices cannot connect: port {port} on {host} cannot be taken"
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EADDRINUSE:
        return f"{place} because another program uses it; stop that program or choose another port."
    if code == errno.EACCES:
        return f"{place} without special rights; choose a port above 1023, or give the service the right."
    return f"{place} ({error}); check the address in the settings."
