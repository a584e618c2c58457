"""One device's connection: bytes in, messages to the pipeline, acknowledgements out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol, cast

from factoryops.contracts.telemetry import Reason
from factoryops.domain.time import now_us
from factoryops.ingest.devices import Publisher
from factoryops.ingest.endpoint import packets
from factoryops.ingest.endpoint.packets import Connect, ProtocolError, ReturnCode
from factoryops.ingest.pipeline import Pipeline
from factoryops.journal.failpoint import failpoint

logger = logging.getLogger(__name__)

LARGEST_PACKET: Final = 256 * 1024
LARGEST_CONNECT: Final = 4 * 1024
MOST_UNSENT_BYTES: Final = 1 << 20
"""Acknowledgements a device may leave unread before it is sent away."""

_NOBODY: Final = Publisher("", "", "")


class Door(Protocol):
    """What a connection asks of the endpoint it belongs to."""

    def opened(self, connection: Connection) -> None:
        """A connection was made."""
        ...

    def closed(self, connection: Connection) -> None:
        """A connection is over."""
        ...

    def log_in(self, connection: Connection, connect: Connect) -> Publisher | ReturnCode:
        """Decide about a CONNECT; a connection with the same identity is taken over."""
        ...

    def complain(self, connection: Connection, kind: str, message: str) -> None:
        """Note what a connection did wrong."""
        ...


class Connection(asyncio.Protocol):
    """An MQTT 3.1.1 connection of a publishing device.

    Whatever bytes come, nothing is raised: what is not MQTT 3.1.1 ends the connection.

    Attributes:
        is_over: nothing more is read from it or written to it.
        peer: the other side's address, for logs.
        publisher: who it is, once it has logged in.
        last_heard_s: loop time of the last bytes.
        keep_alive_s: what the device promised, 0 for nothing.
    """

    def __init__(self, door: Door, pipeline: Pipeline, clock: Callable[[], float]) -> None:
        self._door = door
        self._pipeline = pipeline
        self._clock = clock
        self._transport: asyncio.Transport | None = None
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._wanted_bytes = 2
        self.peer = ""
        self.publisher = _NOBODY
        self.is_logged_in = False
        self.is_over = False
        self.connected_at_s = self.last_heard_s = clock()
        self.keep_alive_s = 0
        self.identity: tuple[str, str] = ("", "")

    # --- the transport's side ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        name = transport.get_extra_info("peername")
        self.peer = f"{name[0]}:{name[1]}" if name else "?"
        if self._pipeline.is_paused:
            self._transport.pause_reading()
        self._door.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The link is gone; acknowledgements that come later are dropped with this object."""
        self.is_over = True
        self._transport = None
        self._held.clear()
        self._door.closed(self)

    def data_received(self, data: bytes) -> None:
        """Read whole packets out of what has come; keep the rest."""
        if self.is_over:
            return
        self.last_heard_s = self._clock()
        if self._held:
            self._held.append(data)
            self._held_bytes += len(data)
            if self._held_bytes < self._wanted_bytes:
                return
            data = b"".join(self._held)
            self._held.clear()
        try:
            used = self._read_packets(data)
        except ProtocolError as error:
            self._end("protocol_error", f"is sent away: {error}")
            return
        self._held_bytes = len(data) - used
        if self._held_bytes:
            self._held.append(data[used:])
        failpoint("recv")

    # --- packets -----------------------------------------------------------------------------------------------------

    def _read_packets(self, data: bytes) -> int:
        """Handle the whole packets in `data`; returns how many bytes they took."""
        at, end, received_us = 0, len(data), now_us()
        self._wanted_bytes = 2
        while end - at >= 2 and not self.is_over:
            length, body = data[at + 1], at + 2
            if length & 0x80:
                found = packets.decode_length(data, at + 1)
                if found is None:
                    self._wanted_bytes = end - at + 1
                    return at
                length, body = found
            after = body + length
            if after > end:
                self._check_size(data[at], length)
                self._wanted_bytes = after - at
                return at
            if data[at] & 0xF0 == packets.PUBLISH:
                self._publish(data, data[at], body, after, received_us)
            else:
                self._check_size(data[at], length)
                self._control(data[at], data[body:after])
            at = after
        return end if self.is_over else at

    def _check_size(self, first: int, length: int) -> None:
        most = LARGEST_PACKET if self.is_logged_in else LARGEST_CONNECT
        if length > most:
            raise ProtocolError(f"a packet of {length} bytes is larger than the {most} that are taken")
        if not self.is_logged_in and first != packets.CONNECT:
            raise ProtocolError("the first packet is no MQTT CONNECT")

    def _publish(self, data: bytes, first: int, body: int, after: int, received_us: int) -> None:
        if after - body < 2 or after - body > LARGEST_PACKET:
            raise ProtocolError("a PUBLISH is shorter than its fields, or larger than 256 KiB")
        topic_end = body + 2 + (data[body] << 8 | data[body + 1])
        quality = first & 0x06
        payload_at = topic_end + 2 if quality else topic_end
        if payload_at > after:
            raise ProtocolError("a PUBLISH is shorter than its fields")
        if not self.is_logged_in:
            raise ProtocolError("a PUBLISH comes before the CONNECT")
        packet_id = data[topic_end:payload_at] or None
        if quality != 0x02:
            self._check_quality(quality, is_repeated=bool(first & 0x08))
        elif packet_id == b"\0\0":
            raise ProtocolError("a PUBLISH has the packet id 0")
        self._pipeline.receive(
            self, self.publisher, data[body + 2 : topic_end], data[payload_at:after], packet_id, received_us
        )

    @staticmethod
    def _check_quality(quality: int, *, is_repeated: bool) -> None:
        if quality == 0x04:
            raise ProtocolError("it publishes with QoS 2; this endpoint takes QoS 0 and 1")
        if quality == 0x06:
            raise ProtocolError("a PUBLISH has the impossible QoS 3")
        if is_repeated:
            raise ProtocolError("a PUBLISH with QoS 0 calls itself a repetition")

    def _control(self, first: int, body: bytes) -> None:
        if first == packets.CONNECT:
            self._connect(body)
        elif first == packets.PINGREQ and not body:
            self._write(packets.PINGRESP)
        elif first == packets.DISCONNECT and not body:
            self.close()
        elif first == packets.SUBSCRIBE:
            self._write(packets.refuse_subscriptions(body))
            self._door.complain(self, "subscription_refused", "asked for messages; this endpoint only takes them")
        elif first == packets.UNSUBSCRIBE:
            self._write(packets.answer_unsubscribe(body))
        else:
            raise ProtocolError(f"a packet begins with 0x{first:02x}, which a publishing client never sends")

    def _connect(self, body: bytes) -> None:
        if self.is_logged_in:
            raise ProtocolError("it connects a second time")
        connect = packets.parse_connect(body)
        if connect.level != 4:
            self._write(packets.UNSUPPORTED_MQTT5 if connect.level == 5 else packets.connack(ReturnCode(1)))
            self._end("unsupported_version", f"speaks MQTT level {connect.level}; set it to MQTT 3.1.1 (level 4)")
            return
        answer = self._door.log_in(self, connect)
        if isinstance(answer, ReturnCode):
            self._write(packets.connack(answer))
            self.close()
            return
        self.publisher = answer
        self.keep_alive_s = connect.keep_alive_s
        self.is_logged_in = True
        self._write(packets.connack(ReturnCode.ACCEPTED))

    # --- the pipeline's and the endpoint's side ----------------------------------------------------------------------

    def acknowledge(self, packet_ids: list[bytes]) -> None:
        """Send PUBACKs, joined; nothing when the link is gone."""
        transport = self._transport
        if transport is None or self.is_over:
            return
        transport.write(packets.PUBACK + packets.PUBACK.join(packet_ids))
        if transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            self._door.complain(self, "unread_acknowledgements", "does not read its acknowledgements and is given up")
            self.give_up()

    def when_quarantined(self, reason: Reason) -> Connection:
        """Itself: MQTT 3.1.1 has no word for it."""
        return self

    def give_up(self) -> None:
        """End the connection at once, so that the device sends again what was not acknowledged."""
        self.is_over = True
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        """Leave what comes in the network."""
        if self._transport is not None and not self.is_over:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again; the time meanwhile does not count against the device."""
        self.last_heard_s = self._clock()
        if self._transport is not None and not self.is_over:
            self._transport.resume_reading()

    def close(self) -> None:
        """Send what is waiting to be sent, then close."""
        self.is_over = True
        if self._transport is not None:
            self._transport.close()

    def _end(self, kind: str, message: str) -> None:
        self._door.complain(self, kind, message)
        self.close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)
