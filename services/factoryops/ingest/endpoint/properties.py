"""The properties of MQTT 5: which may stand where, how often, and in which range (OASIS standard, section 2.2.2)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, IntEnum, auto
from typing import Final, NamedTuple

from factoryops.ingest.endpoint.reasons import ProtocolError, malformed
from factoryops.ingest.endpoint.wire import Fields, encode_length, field


class Property(IntEnum):
    """Identifiers of properties."""

    PAYLOAD_FORMAT = 0x01
    MESSAGE_EXPIRY = 0x02
    CONTENT_TYPE = 0x03
    RESPONSE_TOPIC = 0x08
    CORRELATION_DATA = 0x09
    SUBSCRIPTION_ID = 0x0B
    SESSION_EXPIRY = 0x11
    ASSIGNED_CLIENT_ID = 0x12
    SERVER_KEEP_ALIVE = 0x13
    AUTHENTICATION_METHOD = 0x15
    AUTHENTICATION_DATA = 0x16
    REQUEST_PROBLEMS = 0x17
    WILL_DELAY = 0x18
    REQUEST_RESPONSES = 0x19
    REASON_STRING = 0x1F
    RECEIVE_MAXIMUM = 0x21
    TOPIC_ALIAS_MAXIMUM = 0x22
    TOPIC_ALIAS = 0x23
    RETAIN_AVAILABLE = 0x25
    USER = 0x26
    MAXIMUM_PACKET_SIZE = 0x27
    SHARED_AVAILABLE = 0x2A


class Place(Enum):
    """Where a client may put properties."""

    CONNECT = auto()
    WILL = auto()
    PUBLISH = auto()
    RELEASE = auto()
    SUBSCRIBE = auto()
    UNSUBSCRIBE = auto()
    DISCONNECT = auto()


class _Kind(Enum):
    BYTE = 1
    TWO = 2
    FOUR = 4
    VARIABLE = auto()
    DATA = auto()
    TEXT = auto()


class _Form(NamedTuple):
    kind: _Kind
    places: frozenset[Place]
    least: int = 0
    most: int = 0xFFFF_FFFF


def _form(kind: _Kind, *places: Place, least: int = 0, most: int = 0xFFFF_FFFF) -> _Form:
    return _Form(kind, frozenset(places), least, most)


_FORMS: Final = {
    Property.PAYLOAD_FORMAT: _form(_Kind.BYTE, Place.PUBLISH, Place.WILL, most=1),
    Property.MESSAGE_EXPIRY: _form(_Kind.FOUR, Place.PUBLISH, Place.WILL),
    Property.CONTENT_TYPE: _form(_Kind.TEXT, Place.PUBLISH, Place.WILL),
    Property.RESPONSE_TOPIC: _form(_Kind.TEXT, Place.PUBLISH, Place.WILL),
    Property.CORRELATION_DATA: _form(_Kind.DATA, Place.PUBLISH, Place.WILL),
    Property.SUBSCRIPTION_ID: _form(_Kind.VARIABLE, Place.SUBSCRIBE, least=1),
    Property.SESSION_EXPIRY: _form(_Kind.FOUR, Place.CONNECT, Place.DISCONNECT),
    Property.AUTHENTICATION_METHOD: _form(_Kind.TEXT, Place.CONNECT),
    Property.AUTHENTICATION_DATA: _form(_Kind.DATA, Place.CONNECT),
    Property.REQUEST_PROBLEMS: _form(_Kind.BYTE, Place.CONNECT, most=1),
    Property.WILL_DELAY: _form(_Kind.FOUR, Place.WILL),
    Property.REQUEST_RESPONSES: _form(_Kind.BYTE, Place.CONNECT, most=1),
    Property.REASON_STRING: _form(_Kind.TEXT, Place.RELEASE, Place.DISCONNECT),
    Property.RECEIVE_MAXIMUM: _form(_Kind.TWO, Place.CONNECT, least=1),
    Property.TOPIC_ALIAS_MAXIMUM: _form(_Kind.TWO, Place.CONNECT),
    Property.TOPIC_ALIAS: _form(_Kind.TWO, Place.PUBLISH),
    Property.MAXIMUM_PACKET_SIZE: _form(_Kind.FOUR, Place.CONNECT, least=1),
}
_KNOWN: Final = {int(one): one for one in _FORMS}
_PASSED_ON: Final = frozenset(
    (
        Property.PAYLOAD_FORMAT, Property.CONTENT_TYPE, Property.RESPONSE_TOPIC, Property.CORRELATION_DATA,
        Property.USER,
    )
)  # fmt: skip

Value = int | bytes | str


class Properties(dict[Property, Value]):
    """What a packet says of itself.

    Attributes:
        passed_on: those that belong to whoever receives the message, coded, user properties among them.
    """

    passed_on: bytes = b""

    def number(self, one: Property, default: int) -> int:
        """The value of a property that is a number."""
        value = self.get(one, default)
        return value if isinstance(value, int) else default


def read_properties(fields: Fields, place: Place) -> Properties:
    """The properties that come next in a packet; raises ProtocolError."""
    part = fields.part()
    found = Properties()
    while not part.is_at_end:
        begin = part.at
        identifier = part.variable()
        if identifier == Property.USER:
            part.text()
            part.text()
        else:
            _read_into(found, part, identifier, place)
        if identifier in _PASSED_ON:
            found.passed_on += part.since(begin)
    _check_together(found)
    return found


def _read_into(found: Properties, part: Fields, identifier: int, place: Place) -> None:
    one = _KNOWN.get(identifier)
    if one is None or place not in _FORMS[one].places:
        raise malformed(f"property 0x{identifier:02x} may not stand in a {place.name}")
    if one in found:
        raise ProtocolError(f"the property {one.name} comes twice")
    found[one] = _read(part, one)


def _read(part: Fields, one: Property) -> Value:
    kind, _, least, most = _FORMS[one]
    if kind is _Kind.TEXT:
        return part.text()
    if kind is _Kind.DATA:
        return part.data()
    value = part.variable() if kind is _Kind.VARIABLE else part.number(kind.value)
    if not least <= value <= most:
        raise ProtocolError(f"the property {one.name} has the impossible value {value}")
    return value


def _check_together(found: Properties) -> None:
    if Property.AUTHENTICATION_DATA in found and Property.AUTHENTICATION_METHOD not in found:
        raise ProtocolError("authentication data comes without a method")
    answer_to = found.get(Property.RESPONSE_TOPIC)
    if answer_to is not None and (answer_to == "" or set("+#") & set(str(answer_to))):
        raise ProtocolError("a response topic is empty or has wildcards")


_WIDTH_SENT: Final = {
    Property.MESSAGE_EXPIRY: 4,
    Property.SESSION_EXPIRY: 4,
    Property.SERVER_KEEP_ALIVE: 2,
    Property.RECEIVE_MAXIMUM: 2,
    Property.TOPIC_ALIAS_MAXIMUM: 2,
    Property.RETAIN_AVAILABLE: 1,
    Property.MAXIMUM_PACKET_SIZE: 4,
    Property.SHARED_AVAILABLE: 1,
}


def encode_properties(pairs: Iterable[tuple[Property, int | str]], *, more: bytes = b"") -> bytes:
    """Properties of a packet of ours behind their length; `more` are coded ones that are passed on."""
    coded = b"".join(bytes((one,)) + _encode(one, value) for one, value in pairs) + more
    return encode_length(len(coded)) + coded


def _encode(one: Property, value: int | str) -> bytes:
    if isinstance(value, str):
        return field(value.encode())
    width = _WIDTH_SENT.get(one)
    return encode_length(value) if width is None else value.to_bytes(width, "big")
