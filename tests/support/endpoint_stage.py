"""One connection of the endpoint without sockets and without a journal: bytes in, bytes out, commits on demand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from factoryops.contracts.telemetry import Reason
from factoryops.ingest.batch import Origin
from factoryops.ingest.devices import Publisher
from factoryops.ingest.endpoint.audience import Audience
from factoryops.ingest.endpoint.connection import Connection
from factoryops.ingest.endpoint.meter import Meter
from factoryops.ingest.endpoint.packets import Connect
from factoryops.ingest.endpoint.permits import Permits
from factoryops.ingest.endpoint.reasons import ReasonCode
from factoryops.ingest.endpoint.session import Guest
from factoryops.ingest.pipeline import Pipeline
from tests.support.mqtt_client import connect_packet

FACTORY = "f" * 32


@dataclass(slots=True)
class ImaginedPipeline:
    """Keeps what it is given; `commit` makes all of it durable."""

    is_paused: bool = False
    is_storing: bool = True
    received: list[tuple[bytes, bytes]] = field(default_factory=list)
    pending: list[tuple[Origin, bytes]] = field(default_factory=list)

    def is_paused_for(self, _why: str) -> bool:
        return self.is_paused

    def receive(
        self, origin: Origin, _publisher: Publisher, topic: bytes, payload: bytes, packet_id: bytes | None, _us: int
    ) -> None:
        assert (type(topic), type(payload)) == (bytes, bytes)
        self.received.append((topic, payload))
        if packet_id is not None:
            wrong = Reason.NOT_AUTHORISED if topic == b"forbidden" else None
            self.pending.append((origin.when_quarantined(wrong) if wrong else origin, packet_id))

    def commit(self) -> None:
        by_origin: dict[Origin, list[bytes]] = {}
        for origin, packet_id in self.pending:
            by_origin.setdefault(origin, []).append(packet_id)
        self.pending.clear()
        for origin, packet_ids in by_origin.items():
            origin.acknowledge(packet_ids)


class ImaginedTransport:
    """Keeps what is written to it."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.is_closing = False
        self.unsent_bytes = 0
        self.is_reading = True

    def write(self, data: bytes) -> None:
        self.sent += data

    def get_extra_info(self, _name: str) -> tuple[str, int]:
        return "127.0.0.1", 1

    def get_write_buffer_size(self) -> int:
        return self.unsent_bytes

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True

    def close(self) -> None:
        self.is_closing = True

    abort = close


class Stage:
    """A connection and everything around it.

    Attributes:
        said: what the connection complained of.
    """

    def __init__(self, level: int = 0, *, may_subscribe: bool = True, **connect: Any) -> None:
        self.pipeline = ImaginedPipeline()
        self.transport = ImaginedTransport()
        self.audience = Audience()
        self.unfinished_bytes = 0
        self.said: list[str] = []
        self._may_subscribe = may_subscribe
        self.moment_s = 0.0
        self.connection = Connection(self, cast("Pipeline", self.pipeline), lambda: self.moment_s)
        self.connection.connection_made(cast("Any", self.transport))
        if level:
            self.feed(connect_packet("meter", level=level, **connect))
            assert self.connection.session is not None
            self.transport.sent.clear()

    def feed(self, data: bytes) -> None:
        """Let bytes arrive, as the transport would: nothing more once it is closing."""
        if not self.transport.is_closing:
            self.connection.data_received(data)

    def taken(self) -> bytes:
        """What was sent since the last call."""
        sent = bytes(self.transport.sent)
        self.transport.sent.clear()
        return sent

    def opened(self, connection: Connection) -> None:
        """Ask nothing."""

    def closed(self, connection: Connection) -> None:
        """Remember nothing."""

    def log_in(self, _connection: Connection, connect: Connect) -> Guest | ReasonCode:
        if connect.username is None:
            return ReasonCode.NOT_AUTHORISED
        return Guest(
            Publisher("meter", FACTORY), connect.client_id or "given", Permits(self._may_subscribe, "riverside")
        )

    def meter_of(self, _guest: Guest) -> Meter:
        return Meter(0.0, 0.0, None, lambda: self.moment_s)

    def complain(self, _connection: Connection, kind: str, message: str) -> None:
        self.said.append(f"{kind}: {message}")
