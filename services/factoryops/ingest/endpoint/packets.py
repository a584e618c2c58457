"""MQTT 3.1.1 packets as far as publishing devices need them (OASIS standard, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

CONNECT: Final = 0x10
CONNACK: Final = 0x20
PUBLISH: Final = 0x30
PUBACK: Final = b"\x40\x02"
SUBSCRIBE: Final = 0x82
UNSUBSCRIBE: Final = 0xA2
PINGREQ: Final = 0xC0
PINGRESP: Final = b"\xd0\x00"
DISCONNECT: Final = 0xE0

UNSUPPORTED_MQTT5: Final = b"\x20\x03\x00\x84\x00"
"""A CONNACK of MQTT 5 that says "unsupported protocol version": the only answer such a client understands."""

_CLEAN_SESSION, _WILL, _WILL_QOS, _WILL_RETAIN, _PASSWORD, _USERNAME = 0x02, 0x04, 0x18, 0x20, 0x40, 0x80


class ReturnCode(IntEnum):
    """What a CONNACK says."""

    ACCEPTED = 0
    UNACCEPTABLE_VERSION = 1
    IDENTIFIER_REJECTED = 2
    UNAVAILABLE = 3
    BAD_USER_OR_PASSWORD = 4
    NOT_AUTHORISED = 5


class ProtocolError(Exception):
    """The other side does not keep to MQTT 3.1.1; the connection ends. Never leaves the endpoint."""


@dataclass(frozen=True, slots=True)
class Connect:
    """A CONNECT packet.

    Attributes:
        level: 4 for MQTT 3.1.1; what follows is empty for any other.
        username: None for an anonymous client.
    """

    level: int
    client_id: str = ""
    keep_alive_s: int = 0
    is_clean: bool = True
    username: str | None = None
    password: bytes = b""


def connack(code: ReturnCode) -> bytes:
    """A CONNACK; we keep no sessions, so none is ever present."""
    return bytes((CONNACK, 2, 0, code))


class _Fields:
    """Reads length-prefixed fields one after the other."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._body):
            raise ProtocolError("a packet ends in the middle of a field")
        taken = self._body[self._at : end]
        self._at = end
        return taken

    def number(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def data(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        try:
            text = self.data().decode("utf-8")
        except UnicodeDecodeError as error:
            raise ProtocolError("a text is not valid UTF-8") from error
        if "\0" in text:
            raise ProtocolError("a text holds a NUL character")
        return text

    @property
    def is_at_end(self) -> bool:
        return self._at == len(self._body)


def parse_connect(body: bytes) -> Connect:
    """Read a CONNECT's variable header and payload; raises ProtocolError."""
    fields = _Fields(body)
    protocol, level = fields.text(), fields.take(1)[0]
    if (protocol, level) != ("MQTT", 4):
        if protocol not in {"MQTT", "MQIsdp"}:
            raise ProtocolError("the first packet is no MQTT CONNECT")
        return Connect(level)
    flags, keep_alive_s = fields.take(1)[0], fields.number()
    _check_flags(flags)
    client_id = fields.text()
    if flags & _WILL:
        fields.text()
        fields.data()
    username = fields.text() if flags & _USERNAME else None
    password = fields.data() if flags & _PASSWORD else b""
    if not fields.is_at_end:
        raise ProtocolError("a CONNECT is longer than its fields")
    return Connect(level, client_id, keep_alive_s, bool(flags & _CLEAN_SESSION), username, password)


def _check_flags(flags: int) -> None:
    has_will = bool(flags & _WILL)
    if flags & 0x01 or flags & _WILL_QOS == _WILL_QOS:
        raise ProtocolError("a CONNECT has impossible flags")
    if not has_will and flags & (_WILL_QOS | _WILL_RETAIN):
        raise ProtocolError("a CONNECT describes a will without having one")
    if flags & _PASSWORD and not flags & _USERNAME:
        raise ProtocolError("a CONNECT has a password without a user name")


def refuse_subscriptions(body: bytes) -> bytes:
    """The SUBACK that refuses every filter of a SUBSCRIBE; raises ProtocolError."""
    fields = _Fields(body)
    packet_id = fields.take(2)
    filters = 0
    while not fields.is_at_end:
        fields.text()
        if fields.take(1)[0] > 2:
            raise ProtocolError("a SUBSCRIBE asks for an impossible quality of service")
        filters += 1
    if not filters:
        raise ProtocolError("a SUBSCRIBE names no topic")
    return b"\x90" + encode_length(2 + filters) + packet_id + b"\x80" * filters


def answer_unsubscribe(body: bytes) -> bytes:
    """The UNSUBACK of an UNSUBSCRIBE; raises ProtocolError."""
    fields = _Fields(body)
    packet_id = fields.take(2)
    fields.text()
    while not fields.is_at_end:
        fields.text()
    return b"\xb0\x02" + packet_id


def encode_length(length: int) -> bytes:
    """A remaining length in its variable coding."""
    coded = bytearray()
    while True:
        length, digit = length >> 7, length & 0x7F
        coded.append(digit | 0x80 if length else digit)
        if not length:
            return bytes(coded)


def decode_length(data: bytes, at: int) -> tuple[int, int] | None:
    """(length, where the packet's body begins) of the coding at `at`; None when more bytes are needed.

    Raises:
        ProtocolError: the coding is longer than four bytes.
    """
    length = 0
    for place in range(4):
        if at + place >= len(data):
            return None
        digit = data[at + place]
        length |= (digit & 0x7F) << (7 * place)
        if not digit & 0x80:
            return length, at + place + 1
    raise ProtocolError("a packet's length is malformed")
