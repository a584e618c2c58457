"""A bare MQTT client for tests, 3.1.1 and 5: every byte under control, hostile ones included."""

from __future__ import annotations

import asyncio
import ssl
import struct
from typing import Any, Self

from tests.support.ingest_folder import SECRET


def length(value: int) -> bytes:
    coded = bytearray()
    while True:
        value, digit = value >> 7, value & 0x7F
        coded.append(digit | 0x80 if value else digit)
        if not value:
            return bytes(coded)


def field(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data


def connect_packet(
    client_id: str = "", username: str | None = "gateway", password: str | None = SECRET, *,
    keep_alive_s: int = 60, level: int = 4, is_clean: bool = True, will: tuple[bytes, bytes] | None = None,
    properties: bytes = b"", will_properties: bytes = b"", more_flags: int = 0,
) -> bytes:  # fmt: skip
    flags = (0x02 if is_clean else 0) | (0x04 if will else 0) | more_flags
    fields = field(client_id.encode())
    if will:
        fields += (_behind_length(will_properties) if level == 5 else b"") + field(will[0]) + field(will[1])
    if username is not None:
        flags, fields = flags | 0x80, fields + field(username.encode())
    if password is not None:
        flags, fields = flags | 0x40, fields + field(password.encode())
    own = _behind_length(properties) if level == 5 else b""
    body = field(b"MQTT") + bytes((level, flags)) + struct.pack(">H", keep_alive_s) + own + fields
    return b"\x10" + length(len(body)) + body


def _behind_length(properties: bytes) -> bytes:
    return length(len(properties)) + properties


def packet(first: int, body: bytes) -> bytes:
    """Any packet."""
    return bytes((first,)) + length(len(body)) + body


def publish5_packet(
    topic: bytes, payload: bytes, packet_id: int | None, *, properties: bytes = b"", first: int | None = None
) -> bytes:
    """A PUBLISH of MQTT 5."""
    if first is None:
        first = 0x30 if packet_id is None else 0x32
    identifier = b"" if packet_id is None else struct.pack(">H", packet_id)
    return packet(first, field(topic) + identifier + _behind_length(properties) + payload)


def publish_packet(topic: bytes, payload: bytes, packet_id: int | None, *, first: int | None = None) -> bytes:
    if first is None:
        first = 0x30 if packet_id is None else 0x32
    body = field(topic) + (b"" if packet_id is None else struct.pack(">H", packet_id)) + payload
    return bytes((first,)) + length(len(body)) + body


class RawClient:
    """One connection; reads and writes packets."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._next_id = 0

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    @classmethod
    async def logged_in5(cls, port: int, client_id: str = "meter", username: str = "gateway", **more: Any) -> Self:
        """A connection that speaks MQTT 5; `more` goes to `connect_packet`."""
        client = await cls.open(port)
        client.send(connect_packet(client_id, username, level=5, **more))
        greeting = await client.packet()
        assert greeting[:1] + greeting[2:4] == b"\x20\0\0", greeting
        return client

    @classmethod
    async def logged_in(
        cls, port: int, client_id: str = "", username: str = "gateway", keep_alive_s: int = 60, password: str = SECRET
    ) -> Self:
        client = await cls.open(port)
        client.send(connect_packet(client_id, username, password, keep_alive_s=keep_alive_s))
        assert await client.packet() == b"\x20\x02\x00\x00"
        return client

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    @property
    def is_open(self) -> bool:
        """Whether the connection can still be written to, as far as is known."""
        return not self._writer.is_closing()

    async def packet(self, timeout_s: float = 5.0) -> bytes:
        """The next packet, whole; b"" when the other side has closed."""
        async with asyncio.timeout(timeout_s):
            try:
                head = await self._reader.readexactly(2)
                while head[-1] & 0x80:
                    head += await self._reader.readexactly(1)
                size = sum((digit & 0x7F) << (7 * place) for place, digit in enumerate(head[1:]))
                return head + await self._reader.readexactly(size)
            except (asyncio.IncompleteReadError, ConnectionError):
                return b""

    async def publish(self, topic: str | bytes, payload: bytes) -> None:
        """Publish with QoS 1 and wait for the acknowledgement."""
        self._next_id = self._next_id % 65_535 + 1
        raw = topic.encode() if isinstance(topic, str) else topic
        self.send(publish_packet(raw, payload, self._next_id))
        assert await self.packet() == b"\x40\x02" + struct.pack(">H", self._next_id)

    async def is_closed(self, timeout_s: float = 5.0) -> bool:
        """Whether the other side closes within the time, saying nothing more."""
        return await self.packet(timeout_s) == b""

    async def close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except (ConnectionError, ssl.SSLError):
            return
