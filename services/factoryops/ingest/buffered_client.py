"""paho-mqtt with buffered reading and writing.

paho reads a packet in three to five system calls and writes each acknowledgement with one; with a buffer on both sides
a message costs a third of the processor time. The two methods overridden here are paho's own seam between protocol and
socket; `tests/integration/ingest/test_broker.py` would notice if a new version moved it.
"""

from __future__ import annotations

import ssl
from typing import Any, Final

from paho.mqtt.client import Client

from factoryops.ingest.tls_client import TlsClient

_READ_BYTES: Final = 256 * 1024


class BufferedClient(TlsClient):
    """A client to be driven by its owner's loop: `read_packets`, `flush`, `loop_misc`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._read_buffer = b""
        self._read_at = 0
        self._unsent = bytearray()
        # With this callback set, paho leaves writing to the owner instead of writing from wherever ack() is called.
        self.on_socket_register_write = _leave_to_owner

    def read_packets(self, *, most: int) -> bool:
        """Handle up to `most` packets that can be read without waiting; returns whether the link still stands."""
        for _ in range(most):
            if self.loop_read() != 0:
                return False
            if not self.has_unread:
                return True
        return True

    @property
    def has_unread(self) -> bool:
        """Whether bytes were read that are not handled yet, which waiting for the socket would not show."""
        if self._read_at < len(self._read_buffer):
            return True
        connection = self.socket()
        return isinstance(connection, ssl.SSLSocket) and connection.pending() > 0

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

    def _sock_recv(self, bufsize: int) -> bytes:
        if self._read_at >= len(self._read_buffer):
            self._read_buffer = super()._sock_recv(_READ_BYTES)
            self._read_at = 0
        taken = self._read_buffer[self._read_at : self._read_at + bufsize]
        self._read_at += len(taken)
        return taken

    def _sock_send(self, buf: bytes | bytearray) -> int:
        self._unsent += buf
        return len(buf)


def _leave_to_owner(_client: Client, _userdata: Any, _socket: Any) -> None:
    """Do nothing: the owner looks at `has_unsent`."""
