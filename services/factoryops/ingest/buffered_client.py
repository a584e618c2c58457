"""paho-mqtt with buffered reading and writing, and a short way for what comes in thousands.

paho reads a packet in three to five calls, makes an object of each message and writes each acknowledgement by itself.
Here bytes are read and written in bulk, and paho is handed whole packets. Of a stretch of PUBLISH packets only the
first goes paho's way, so that its keep-alive knows the broker is there; those behind it are taken from the buffer
directly, and acknowledgements are joined. Connecting, subscribing, pings and QoS 2 stay paho's (decision 0016).

`_sock_recv` and `_sock_send` are paho's own seam between protocol and socket; `tests/integration/ingest/test_broker.py`
would notice if a new version moved it.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from typing import Any, Final

from paho.mqtt.client import Client, MQTTMessage

from factoryops.ingest.endpoint.reasons import ProtocolError
from factoryops.ingest.endpoint.wire import decode_length
from factoryops.ingest.tls_client import TlsClient

_READ_BYTES: Final = 256 * 1024
_PUBACK: Final = b"\x40\x02"
_PUBLISH: Final = 0x30
_KIND_AND_QOS_2: Final = 0xF4
"""The bits of a first byte that tell a PUBLISH of QoS 0 or 1 from everything else."""

Take = Callable[[bytes, bytes, bytes | None, bool], None]
"""Takes a message: topic, payload, packet id (None with QoS 0), whether it was retained. Raises nothing."""


class BufferedClient(TlsClient):
    """A client to be driven by its owner's loop: `read_packets`, `flush`, `loop_misc`. Made with `manual_ack`.

    Attributes:
        take: what is done with messages.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.take: Take = ignore
        self._buffer, self._at, self._end = b"", 0, 0
        self._held: list[bytes] = []
        self._held_bytes, self._wanted_bytes = 0, 2
        self._fault: OSError | None = None
        self._unsent = bytearray()
        # With this callback set, paho leaves writing to the owner instead of writing from wherever it is called.
        self.on_socket_register_write = _leave_to_owner
        self.on_message = _take_one

    # --- reading -----------------------------------------------------------------------------------------------------

    def read_packets(self, *, most: int) -> bool:
        """Handle up to `most` packets that can be read without waiting; returns whether the link still stands."""
        if not self._find_packet():
            self._receive()
        while self._find_packet() and most > 0:
            if self.loop_read() != 0:
                return False
            most -= 1 + self._take_publishes(most - 1)
        # What went wrong is paho's to hear: it closes the connection.
        return self._fault is None or self.loop_read() == 0

    @property
    def has_unread(self) -> bool:
        """Whether packets were read that are not handled yet, which waiting for the socket would not show."""
        if self._at < len(self._buffer):
            return True
        connection = self.socket()
        return isinstance(connection, ssl.SSLSocket) and connection.pending() > 0

    def _receive(self) -> None:
        """Read what is there, to wait until a packet of it is whole."""
        try:
            chunk = super()._sock_recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._fault = error
            return
        if not chunk:
            self._fault = ConnectionResetError("the other side has closed the connection")
            return
        self._held.append(chunk)
        self._held_bytes += len(chunk)
        if self._held_bytes >= self._wanted_bytes:
            self._buffer, self._at = b"".join(self._held), 0
            self._held.clear()
            self._held_bytes, self._wanted_bytes = 0, 2

    def _find_packet(self) -> bool:
        """Whether a whole packet is next, which paho may then read; the beginning of one is put aside."""
        rest = len(self._buffer) - self._at
        if not rest:
            return False
        try:
            found = decode_length(self._buffer, self._at + 1)
        except ProtocolError as error:
            self._fault, self._buffer, self._at = ConnectionError(str(error)), b"", 0
            return False
        self._end = 0 if found is None else sum(found)
        if found is not None and self._end <= len(self._buffer):
            return True
        self._wanted_bytes = rest + 1 if found is None else self._end - self._at
        self._held, self._held_bytes = [self._buffer[self._at :]], rest
        self._buffer, self._at = b"", 0
        return False

    def _take_publishes(self, most: int) -> int:
        """Take up to `most` whole PUBLISH packets that are next, as far as they are plain; answers how many."""
        data, at, size, take = self._buffer, self._at, len(self._buffer), self.take
        taken = 0
        while taken < most and size - at > 4 and data[at] & _KIND_AND_QOS_2 == _PUBLISH:
            first, length, body = data[at], data[at + 1], at + 2
            if length & 0x80:
                if not 0 < data[body] < 0x80:
                    break
                length, body = length & 0x7F | data[body] << 7, body + 1
            after = body + length
            if length < 2 or after > size:
                break
            topic_end = body + 2 + (data[body] << 8 | data[body + 1])
            payload_at = topic_end + (first & 2)
            if payload_at > after:
                break
            take(
                data[body + 2 : topic_end],
                data[payload_at:after],
                data[topic_end:payload_at] or None,
                bool(first & 1),
            )
            at, taken = after, taken + 1
        self._at = at
        return taken

    def _sock_recv(self, bufsize: int) -> bytes:
        taken = self._buffer[self._at : min(self._at + bufsize, self._end)]
        if taken:
            self._at += len(taken)
            return taken
        if self._fault is not None:
            raise self._fault
        raise BlockingIOError

    # --- writing -----------------------------------------------------------------------------------------------------

    def acknowledge(self, packet_ids: Sequence[bytes]) -> None:
        """Acknowledge messages of QoS 1; they leave with the next `flush`."""
        self._unsent += _PUBACK + _PUBACK.join(packet_ids)

    def flush(self) -> bool:
        """Send what can be sent without waiting; returns whether the link still stands."""
        if self.want_write() and self.loop_write() != 0:
            return False
        connection = self.socket()
        try:
            while self._unsent and connection is not None:
                del self._unsent[: connection.send(self._unsent)]
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        return connection is not None

    @property
    def has_unsent(self) -> bool:
        """Whether `flush` should be called when the socket can take more."""
        return bool(self._unsent) or self.want_write()

    def _sock_send(self, buf: bytes | bytearray) -> int:
        self._unsent += buf
        return len(buf)


def ignore(_topic: bytes, _payload: bytes, _packet_id: bytes | None, _is_retained: bool) -> None:
    """Do nothing with a message."""


def _take_one(client: Client, _userdata: Any, message: MQTTMessage) -> None:
    """Take a message that went paho's way."""
    if isinstance(client, BufferedClient):
        topic: bytes = message._topic  # noqa: SLF001 - the property decodes, and raises for what is not UTF-8
        packet_id = message.mid.to_bytes(2, "big") if message.qos else None
        client.take(topic, bytes(message.payload), packet_id, message.retain)


def _leave_to_owner(_client: Client, _userdata: Any, _socket: Any) -> None:
    """Do nothing: the owner looks at `has_unsent`."""
