"""One device's connection: bytes in, packets to its session, acknowledgements out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, cast

from factoryops.domain.time import now_us
from factoryops.ingest.endpoint import packets
from factoryops.ingest.endpoint.audience import Audience
from factoryops.ingest.endpoint.meter import Meter
from factoryops.ingest.endpoint.outbox import Outbox
from factoryops.ingest.endpoint.packets import LARGEST_CONNECT, LARGEST_PACKET, Connect
from factoryops.ingest.endpoint.reasons import ProtocolError, ReasonCode, malformed
from factoryops.ingest.endpoint.session import Guest, Session
from factoryops.ingest.endpoint.session5 import Session5
from factoryops.ingest.endpoint.session311 import Session311
from factoryops.ingest.endpoint.wire import decode_length
from factoryops.ingest.pipeline import Pipeline
from factoryops.journal.failpoint import failpoint

MOST_UNSENT_BYTES: Final = 1 << 20
"""Acknowledgements a device may leave unread before it is sent away; what it listens to is dropped long before."""

MOST_UNFINISHED_BYTES: Final = 64 << 20
"""What connections may hold together of packets that have not come whole; then those with a large one are sent away."""

MOST_ASKED_AT_ONCE: Final = 10_000
"""Packets other than PUBLISH in what is read at once: nobody else is served meanwhile."""

_LONGEST_HOLD_S: Final = 5.0


class Door(Protocol):
    """What a connection asks of the endpoint it belongs to.

    Attributes:
        audience: who listens.
        unfinished_bytes: what all connections hold of packets that have not come whole.
    """

    audience: Audience
    unfinished_bytes: int

    def opened(self, connection: Connection) -> None:
        """A connection was made."""
        ...

    def closed(self, connection: Connection) -> None:
        """A connection is over."""
        ...

    def log_in(self, connection: Connection, connect: Connect) -> Guest | ReasonCode:
        """Decide about a CONNECT; a connection with the same identity is taken over."""
        ...

    def meter_of(self, guest: Guest) -> Meter:
        """What a guest may send."""
        ...

    def complain(self, connection: Connection, kind: str, message: str) -> None:
        """Note what a connection did wrong."""
        ...


class Connection(asyncio.Protocol):
    """An MQTT connection of a publishing device, or of a tool that listens.

    Whatever bytes come, nothing is raised: what is not MQTT ends the connection.

    Attributes:
        is_over: nothing more is read from it or written to it.
        is_held: it sent more than it may; nothing is read from it for a moment.
        host, peer: the other side's address, without and with its port.
        session: what it says and hears, once it has logged in.
        last_heard_s: loop time of the last bytes.
    """

    def __init__(self, door: Door, pipeline: Pipeline, clock: Callable[[], float]) -> None:
        self._door = door
        self._pipeline = pipeline
        self._clock = clock
        self._transport: asyncio.Transport | None = None
        self._outbox = Outbox(self.write)
        self._meter: Meter | None = None
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._wanted_bytes = 2
        self._messages = self._asked = 0
        self._is_reading = True
        self._release: asyncio.TimerHandle | None = None
        self.host = self.peer = ""
        self.session: Session | None = None
        self.is_held = False
        self.is_over = False
        self.connected_at_s = self.last_heard_s = clock()
        self.identity: tuple[str, str] = ("", "")

    # --- the transport's side ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        name = transport.get_extra_info("peername")
        self.host, self.peer = (str(name[0]), f"{name[0]}:{name[1]}") if name else ("", "?")
        self._steer()
        self._door.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The link is gone; acknowledgements that come later are dropped with this object."""
        self.is_over = True
        self._transport = None
        self._held.clear()
        self._door.unfinished_bytes -= self._held_bytes
        self._held_bytes = 0
        if self._release is not None:
            self._release.cancel()
        if self.session is not None:
            self.session.ended()
        self._door.closed(self)

    def data_received(self, data: bytes) -> None:
        """Read whole packets out of what has come; keep the rest."""
        if self.is_over:
            return
        self.last_heard_s = moment_s = self._clock()
        self._messages = self._asked = 0
        try:
            self._take(data)
        except ProtocolError as error:
            self.end(error.reason, "protocol_error", f"is sent away: {error}", str(error))
            return
        if self._meter is not None:
            wait_s = self._meter.spend(self._messages, len(data), moment_s)
            if wait_s > 0:
                self._hold(wait_s)
        failpoint("recv")

    def _take(self, data: bytes) -> None:
        if self._held:
            self._held.append(data)
            self._keep(self._held_bytes + len(data))
            if self._held_bytes < self._wanted_bytes:
                return
            data = b"".join(self._held)
            self._held.clear()
        used = self._read_packets(data)
        rest = len(data) - used
        if rest != self._held_bytes:
            self._keep(rest)
        if rest:
            self._held.append(data[used:])

    def _keep(self, size_bytes: int) -> None:
        """Note how much of an unfinished packet is held."""
        self._door.unfinished_bytes += size_bytes - self._held_bytes
        self._held_bytes = size_bytes
        if size_bytes > LARGEST_CONNECT and self._door.unfinished_bytes > MOST_UNFINISHED_BYTES:
            raise ProtocolError("too many large packets are unfinished at once", ReasonCode.QUOTA_EXCEEDED)

    def pause_writing(self) -> None:
        """The network takes no more for now."""
        self._outbox.pause()

    def resume_writing(self) -> None:
        """The network takes some again."""
        self._outbox.resume()

    # --- packets -----------------------------------------------------------------------------------------------------

    def _read_packets(self, data: bytes) -> int:
        """Handle the whole packets in `data`; returns how many bytes they took."""
        at, end, received_us = 0, len(data), now_us()
        messages = 0
        self._wanted_bytes = 2
        publish = self._publisher()
        while end - at >= 2:
            first, length, body = data[at], data[at + 1], at + 2
            if length & 0x80:
                if end - at > 2 and 0 < data[at + 2] < 0x80:
                    length, body = length & 0x7F | data[at + 2] << 7, at + 3
                else:
                    found = decode_length(data, at + 1)
                    if found is None:
                        self._wanted_bytes = end - at + 1
                        break
                    length, body = found
                if length > LARGEST_CONNECT:
                    self._check_size(length)
            after = body + length
            if after > end:
                self._check_first(first)
                self._wanted_bytes = after - at
                break
            if first & 0xF0 == 0x30:
                publish(data, first, body, after, received_us)
                messages += 1
            else:
                self._control(first, data[body:after])
                if self.is_over:
                    return end
                publish = self._publisher()
            at = after
        self._messages += messages
        return at

    def _publisher(self) -> Callable[[bytes, int, int, int, int], None]:
        """Who takes PUBLISH packets: looked up once per read, so that listening costs nothing while nobody does."""
        session = self.session
        if session is None:
            return _refuse_to_publish
        if self._door.audience.is_listening(session.factory_id):
            return session.publish_overheard
        return session.publish

    def _check_size(self, length: int) -> None:
        most = LARGEST_CONNECT if self.session is None else LARGEST_PACKET
        if length > most:
            raise ProtocolError(
                f"a packet of {length} bytes is larger than the {most} that are taken", ReasonCode.PACKET_TOO_LARGE
            )

    def _check_first(self, first: int) -> None:
        if self.session is None and first != packets.CONNECT:
            raise malformed("the first packet is no MQTT CONNECT")

    def _control(self, first: int, body: bytes) -> None:
        if self.session is not None:
            self._count(first)
            self.session.control(first, body)
            return
        self._check_first(first)
        try:
            connect = packets.parse_connect(body)
        except ProtocolError as error:
            if packets.level_of(body) == packets.MQTT_5:
                self.write(packets.connack(error.reason, packets.MQTT_5))
            raise
        self._log_in(connect)

    def _count(self, first: int) -> None:
        """Count a packet other than PUBLISH towards what the client may send."""
        self._asked += 1
        if self._asked > MOST_ASKED_AT_ONCE:
            raise ProtocolError("it asks for too much at once", ReasonCode.QUOTA_EXCEEDED)
        if first != packets.PUBREL:  # that belongs to a message which was counted
            self._messages += 1

    def _log_in(self, connect: Connect) -> None:
        if connect.level not in {packets.MQTT_311, packets.MQTT_5}:
            self.write(packets.connack(ReasonCode.UNSUPPORTED_VERSION, 5 if connect.level > 5 else 4))
            said = f"speaks MQTT level {connect.level}; set it to MQTT 3.1.1 (level 4) or MQTT 5"
            self.end(ReasonCode.UNSUPPORTED_VERSION, "unsupported_version", said)
            return
        guest = self._door.log_in(self, connect)
        if isinstance(guest, ReasonCode):
            self.write(packets.connack(guest, connect.level))
            self.close()
            return
        speaks = Session5 if connect.level == packets.MQTT_5 else Session311
        self.session = speaks(self, self._pipeline, self._door.audience, guest, connect)
        self._meter = self._door.meter_of(guest)
        self.session.greet()

    # --- what its session asks ---------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if self._transport is not None:
            self._transport.write(data)

    def send_acknowledgements(self, data: bytes) -> None:
        """Send acknowledgements; nothing when the link is gone."""
        transport = self._transport
        if transport is None or self.is_over:
            return
        transport.write(data)
        if transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            self.complain("unread_acknowledgements", "does not read its acknowledgements and is given up")
            self.give_up()

    def offer(self, data: bytes) -> bool:
        """Send a message it listens to, if it keeps up."""
        return not self.is_over and self._outbox.offer(data)

    def complain(self, kind: str, message: str) -> None:
        """Note what it did wrong."""
        self._door.complain(self, kind, message)

    # --- reading and not reading -------------------------------------------------------------------------------------

    def _steer(self) -> None:
        """Read, or leave what comes in the network."""
        should_read = not (self.is_held or self._pipeline.is_paused)
        if self._transport is None or self.is_over or should_read == self._is_reading:
            return
        self._is_reading = should_read
        if should_read:
            # The time meanwhile does not count against the device.
            self.last_heard_s = self._clock()
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def pause(self) -> None:
        """Read nothing more: the pipeline is paused."""
        self._steer()

    def resume(self) -> None:
        """Read again, unless it is held."""
        self._steer()

    def _hold(self, wait_s: float) -> None:
        """Read nothing for a moment, because it sends too much."""
        if self.is_held or self.is_over:
            return
        self.complain("held_back", "sends more than it may and is held back for a moment")
        self.is_held = True
        self._release = asyncio.get_running_loop().call_later(min(wait_s, _LONGEST_HOLD_S), self._let_go)
        self._steer()

    def _let_go(self) -> None:
        self._release = None
        self.is_held = False
        self._steer()

    # --- the end -----------------------------------------------------------------------------------------------------

    def end(self, reason: ReasonCode, kind: str, message: str, explanation: str = "") -> None:
        """Note what went wrong, tell the client in as many words as its MQTT has, and close."""
        self.complain(kind, message)
        self.dismiss(reason, explanation)

    def dismiss(self, reason: ReasonCode, explanation: str = "") -> None:
        """Tell the client why, and close."""
        if self.session is not None and not self.is_over:
            self.write(self.session.farewell(reason, explanation))
        self.close()

    def close(self) -> None:
        """Send what is waiting to be sent, then close."""
        self.is_over = True
        if self._transport is not None:
            self._transport.close()

    def give_up(self) -> None:
        """End the connection at once, so that the device sends again what was not acknowledged."""
        self.is_over = True
        if self._transport is not None:
            self._transport.abort()


def _refuse_to_publish(data: bytes, first: int, body: int, after: int, received_us: int) -> None:
    raise ProtocolError("a PUBLISH comes before the CONNECT")
