"""CONNECT, PUBREL and DISCONNECT as clients send them, and the answers to them (MQTT 3.1.1 and 5, section 3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from factoryops.ingest.endpoint.properties import Place, Properties, Property, encode_properties, read_properties
from factoryops.ingest.endpoint.reasons import (
    CLIENT_DISCONNECTS,
    ProtocolError,
    ReasonCode,
    in_old_words,
    malformed,
)
from factoryops.ingest.endpoint.wire import Fields, packet
from factoryops.ingest.endpoint.wire import field as wire_field

CONNECT: Final = 0x10
CONNACK: Final = 0x20
PUBLISH: Final = 0x30
PUBACK: Final = b"\x40\x02"
PUBREC: Final = b"\x50\x02"
PUBREL: Final = 0x62
PUBCOMP: Final = b"\x70\x02"
SUBSCRIBE: Final = 0x82
SUBACK: Final = 0x90
UNSUBSCRIBE: Final = 0xA2
UNSUBACK: Final = 0xB0
PINGREQ: Final = 0xC0
PINGRESP: Final = b"\xd0\x00"
DISCONNECT: Final = 0xE0
_WELL_FORMED: Final = frozenset((0x10, 0x20, 0x40, 0x50, 0x62, 0x70, 0x82, 0x90, 0xA2, 0xB0, 0xC0, 0xD0, 0xE0, 0xF0))

LARGEST_PACKET: Final = 256 * 1024
LARGEST_CONNECT: Final = 4 * 1024

MQTT_311: Final = 4
MQTT_5: Final = 5

_CLEAN_SESSION, _WILL, _WILL_QOS, _WILL_RETAIN, _PASSWORD, _USERNAME = 0x02, 0x04, 0x18, 0x20, 0x40, 0x80


@dataclass(frozen=True, slots=True)
class Will:
    """What is published for a client that goes without a word.

    Attributes:
        properties: those that belong to whoever receives it, coded.
        expiry_s: how long it is news, None for ever.
    """

    topic: bytes
    payload: bytes
    is_retained: bool = False
    properties: bytes = b""
    expiry_s: int | None = None


@dataclass(frozen=True, slots=True)
class Connect:
    """A CONNECT packet.

    Attributes:
        level: 4 for MQTT 3.1.1, 5 for MQTT 5; what follows is empty for any other.
        username: None for an anonymous client.
        properties: of MQTT 5.
    """

    level: int
    client_id: str = ""
    keep_alive_s: int = 0
    is_clean: bool = True
    username: str | None = None
    password: bytes = b""
    will: Will | None = None
    properties: Properties = field(default_factory=Properties)


def level_of(body: bytes) -> int:
    """The protocol level of a CONNECT that may be broken behind it; 0 when there is none."""
    return body[6] if body[:6] == b"\0\4MQTT" and len(body) > 6 else 0


def parse_connect(body: bytes) -> Connect:
    """Read a CONNECT's variable header and payload; raises ProtocolError."""
    fields = Fields(body)
    protocol, level = fields.text(), fields.number(1)
    if protocol not in {"MQTT", "MQIsdp"}:
        raise malformed("the first packet is no MQTT CONNECT")
    if protocol != "MQTT" or level not in {MQTT_311, MQTT_5}:
        return Connect(level if protocol == "MQTT" else 3)
    flags, keep_alive_s = fields.number(1), fields.number(2)
    _check_flags(flags, level)
    properties = read_properties(fields, Place.CONNECT) if level == MQTT_5 else Properties()
    client_id = fields.text()
    will = _read_will(fields, flags, level) if flags & _WILL else None
    username = fields.text() if flags & _USERNAME else None
    password = fields.data() if flags & _PASSWORD else b""
    fields.expect_end("CONNECT")
    is_clean = bool(flags & _CLEAN_SESSION)
    return Connect(level, client_id, keep_alive_s, is_clean, username, password, will, properties)


def _check_flags(flags: int, level: int) -> None:
    has_will = bool(flags & _WILL)
    if flags & 0x01 or flags & _WILL_QOS == _WILL_QOS:
        raise malformed("a CONNECT has impossible flags")
    if not has_will and flags & (_WILL_QOS | _WILL_RETAIN):
        raise malformed("a CONNECT describes a will without having one")
    if level == MQTT_311 and flags & _PASSWORD and not flags & _USERNAME:
        raise malformed("a CONNECT has a password without a user name")


def _read_will(fields: Fields, flags: int, level: int) -> Will:
    properties = read_properties(fields, Place.WILL) if level == MQTT_5 else Properties()
    topic = fields.text()
    if not topic or set("+#") & set(topic):
        raise ProtocolError("a will's topic is empty or has wildcards", ReasonCode.TOPIC_NAME_INVALID)
    expiry_s = properties.number(Property.MESSAGE_EXPIRY, -1)
    return Will(
        topic=topic.encode(),
        payload=fields.data(),
        is_retained=bool(flags & _WILL_RETAIN),
        properties=properties.passed_on,
        expiry_s=None if expiry_s < 0 else expiry_s,
    )


def connack(reason: ReasonCode, level: int, properties: bytes = b"\0") -> bytes:
    """A CONNACK in the words of `level`; we keep no sessions, so none is ever present."""
    if level == MQTT_5:
        return packet(CONNACK, bytes((0, reason)) + properties)
    return bytes((CONNACK, 2, 0, in_old_words(reason)))


def read_publish_head(data: bytes, first: int, body: int, after: int) -> tuple[bytes, bytes, int]:
    """Topic, packet id (empty with QoS 0) and where what follows begins of a PUBLISH; raises ProtocolError.

    The topic is not looked into: a message with an impossible one is kept in quarantine like any other.
    """
    if after - body < 2:
        raise malformed("a PUBLISH is shorter than its fields")
    topic_end = body + 2 + (data[body] << 8 | data[body + 1])
    quality = first & 0x06
    at = topic_end + 2 if quality else topic_end
    if at > after:
        raise malformed("a PUBLISH is shorter than its fields")
    if quality == 0x06:
        raise malformed("a PUBLISH has the impossible QoS 3")
    if not quality and first & 0x08:
        raise malformed("a PUBLISH with QoS 0 calls itself a repetition")
    packet_id = check_packet_id(data[topic_end:at]) if quality else b""
    return data[body + 2 : topic_end], packet_id, at


def unexpected(first: int) -> ProtocolError:
    """The error for a packet that a logged-in client never sends."""
    if first == CONNECT:
        return ProtocolError("it connects a second time")
    reason = ReasonCode.PROTOCOL_ERROR if first in _WELL_FORMED else ReasonCode.MALFORMED_PACKET
    return ProtocolError(f"a packet begins with 0x{first:02x} and has no place here", reason)


def parse_release(body: bytes, level: int) -> bytes:
    """The packet id of a PUBREL; raises ProtocolError."""
    fields = Fields(body)
    packet_id = fields.take(2)
    if level == MQTT_5 and not fields.is_at_end:
        reason = fields.number(1)
        if reason not in {ReasonCode.SUCCESS, ReasonCode.PACKET_ID_NOT_FOUND}:
            raise ProtocolError(f"a PUBREL has the impossible reason 0x{reason:02x}")
        if not fields.is_at_end:
            read_properties(fields, Place.RELEASE)
    fields.expect_end("PUBREL")
    return check_packet_id(packet_id)


def check_packet_id(packet_id: bytes) -> bytes:
    """The id itself; raises ProtocolError when it is none."""
    if packet_id == b"\0\0":
        raise ProtocolError("a packet has the packet id 0")
    return packet_id


def parse_disconnect(body: bytes) -> tuple[ReasonCode, Properties]:
    """Why a client of MQTT 5 leaves, and what it adds; raises ProtocolError."""
    if not body:
        return ReasonCode.SUCCESS, Properties()
    fields = Fields(body)
    reason = fields.number(1)
    if reason not in CLIENT_DISCONNECTS:
        raise ProtocolError(f"a DISCONNECT has the impossible reason 0x{reason:02x}")
    properties = Properties() if fields.is_at_end else read_properties(fields, Place.DISCONNECT)
    fields.expect_end("DISCONNECT")
    return ReasonCode(reason), properties


def disconnect(reason: ReasonCode, explanation: str) -> bytes:
    """A DISCONNECT of MQTT 5."""
    pairs = [(Property.REASON_STRING, explanation)] if explanation else []
    return packet(DISCONNECT, bytes((reason,)) + encode_properties(pairs))


def delivery(topic: bytes, payload: bytes, properties: bytes = b"", *, is_retained: bool = False) -> bytes:
    """A PUBLISH with QoS 0 of ours; `properties` with their length for MQTT 5, empty for MQTT 3.1.1."""
    first = PUBLISH | 0x01 if is_retained else PUBLISH
    return packet(first, wire_field(topic) + properties + payload)
