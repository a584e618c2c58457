"""The words MQTT has for "no": reason codes of MQTT 5 (OASIS standard, section 2.4), return codes of MQTT 3.1.1."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class ReasonCode(IntEnum):
    """What an answer of MQTT 5 says; those the endpoint uses or may be told."""

    SUCCESS = 0x00
    DISCONNECT_WITH_WILL = 0x04
    NO_SUBSCRIPTION_EXISTED = 0x11
    UNSPECIFIED = 0x80
    MALFORMED_PACKET = 0x81
    PROTOCOL_ERROR = 0x82
    IMPLEMENTATION_SPECIFIC = 0x83
    UNSUPPORTED_VERSION = 0x84
    CLIENT_ID_INVALID = 0x85
    BAD_USER_OR_PASSWORD = 0x86
    NOT_AUTHORISED = 0x87
    SERVER_UNAVAILABLE = 0x88
    SHUTTING_DOWN = 0x8B
    BAD_AUTHENTICATION_METHOD = 0x8C
    KEEP_ALIVE_TIMEOUT = 0x8D
    TAKEN_OVER = 0x8E
    TOPIC_FILTER_INVALID = 0x8F
    TOPIC_NAME_INVALID = 0x90
    PACKET_ID_NOT_FOUND = 0x92
    RECEIVE_MAXIMUM_EXCEEDED = 0x93
    TOPIC_ALIAS_INVALID = 0x94
    PACKET_TOO_LARGE = 0x95
    MESSAGE_RATE_TOO_HIGH = 0x96
    QUOTA_EXCEEDED = 0x97
    ADMINISTRATIVE = 0x98
    PAYLOAD_FORMAT_INVALID = 0x99
    RETAIN_NOT_SUPPORTED = 0x9A
    SHARED_NOT_SUPPORTED = 0x9E


CLIENT_DISCONNECTS: Final = frozenset(
    (
        ReasonCode.SUCCESS, ReasonCode.DISCONNECT_WITH_WILL, ReasonCode.UNSPECIFIED, ReasonCode.MALFORMED_PACKET,
        ReasonCode.PROTOCOL_ERROR, ReasonCode.IMPLEMENTATION_SPECIFIC, ReasonCode.TOPIC_NAME_INVALID,
        ReasonCode.RECEIVE_MAXIMUM_EXCEEDED, ReasonCode.TOPIC_ALIAS_INVALID, ReasonCode.PACKET_TOO_LARGE,
        ReasonCode.MESSAGE_RATE_TOO_HIGH, ReasonCode.QUOTA_EXCEEDED, ReasonCode.ADMINISTRATIVE,
        ReasonCode.PAYLOAD_FORMAT_INVALID,
    )
)  # fmt: skip
"""What a client may give as its reason to leave."""


class ReturnCode(IntEnum):
    """What a CONNACK of MQTT 3.1.1 says."""

    ACCEPTED = 0
    UNACCEPTABLE_VERSION = 1
    IDENTIFIER_REJECTED = 2
    UNAVAILABLE = 3
    BAD_USER_OR_PASSWORD = 4
    NOT_AUTHORISED = 5


_IN_OLD_WORDS: Final = {
    ReasonCode.SUCCESS: ReturnCode.ACCEPTED,
    ReasonCode.UNSUPPORTED_VERSION: ReturnCode.UNACCEPTABLE_VERSION,
    ReasonCode.CLIENT_ID_INVALID: ReturnCode.IDENTIFIER_REJECTED,
    ReasonCode.BAD_USER_OR_PASSWORD: ReturnCode.BAD_USER_OR_PASSWORD,
    ReasonCode.NOT_AUTHORISED: ReturnCode.NOT_AUTHORISED,
}


def in_old_words(reason: ReasonCode) -> ReturnCode:
    """What MQTT 3.1.1 says for a reason to let a client in or not."""
    return _IN_OLD_WORDS.get(reason, ReturnCode.UNAVAILABLE)


class ProtocolError(Exception):
    """The other side does not keep to MQTT; the connection ends. Never leaves the endpoint.

    Attributes:
        reason: what an MQTT 5 client is told.
    """

    def __init__(self, message: str, reason: ReasonCode = ReasonCode.PROTOCOL_ERROR) -> None:
        super().__init__(message)
        self.reason = reason


def malformed(message: str) -> ProtocolError:
    """The error for bytes that are no packet of MQTT at all."""
    return ProtocolError(message, ReasonCode.MALFORMED_PACKET)
