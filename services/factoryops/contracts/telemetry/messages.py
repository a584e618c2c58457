"""What reading a message comes to: values with a time, or the reason why it cannot be used."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from factoryops.domain.time import US_PER_S

MOST_BYTES: Final = 256 * 1024
FUTURE_LIMIT_US: Final = 600 * US_PER_S
"""How far ahead of the receive time a sample may be, the device's recorded clock offset taken off."""


class Reason(StrEnum):
    """Why a message was quarantined or a value refused."""

    INVALID_TOPIC = "invalid_topic"
    TOO_LARGE = "too_large"
    INVALID_JSON = "invalid_json"
    TOO_DEEP = "too_deep"
    DUPLICATE_NAME = "duplicate_name"
    NOT_AN_OBJECT = "not_an_object"
    INVALID_METRICS = "invalid_metrics"
    INVALID_TIMESTAMP = "invalid_timestamp"
    FUTURE_TIME = "future_time"
    NO_USABLE_VALUE = "no_usable_value"
    RETAINED = "retained"
    NOT_AUTHORISED = "not_authorised"
    UNKNOWN_FACTORY = "unknown_factory"
    UNKNOWN_DEVICE = "unknown_device"
    TOO_MANY_PARAMETERS = "too_many_parameters"
    NOT_FINITE = "not_finite"
    NOT_A_NUMBER = "not_a_number"
    INVALID_NAME = "invalid_name"
    NAME_COLLISION = "name_collision"
    WRONG_IDENTITY = "wrong_identity"
    AMBIGUOUS_TOPIC = "ambiguous_topic"
    NO_DEVICE = "no_device"
    NOT_A_BOOLEAN = "not_a_boolean"
    NOT_A_TEXT = "not_a_text"
    TEXT_TOO_LONG = "text_too_long"
    TOO_MANY_TEXTS = "too_many_texts"
    TOO_MANY_DEVICES = "too_many_devices"


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """A message that cannot be used.

    Attributes:
        detail: one sentence a person reads.
    """

    reason: Reason
    detail: str


class Reading(msgspec.Struct, frozen=True):
    """A decoded message.

    Attributes:
        metrics: finite numbers by name, in the order they were sent; names are not checked yet.
        time_us: the device's time, or the receive time when it gave none.
        flags: `SampleFlag` bits that hold for all values.
        refused: how many values were refused singly, by reason.
        booleans: true as 1 and false as 0, by name.
        texts: names of fields that hold text, which tells about the device and is not a measurement.
    """

    metrics: dict[str, float]
    time_us: int
    flags: int = 0
    refused: dict[str, int] = {}
    booleans: dict[str, float] = {}
    texts: tuple[str, ...] = ()


FUTURE_TIME: Final = Rejection(
    Reason.FUTURE_TIME, "The timestamp is more than 10 minutes ahead; check the device's clock."
)
