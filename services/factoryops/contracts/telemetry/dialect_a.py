"""Dialect A: what devices publish over MQTT, and how it is read.

A device publishes to `factories/<slug>/devices/<key>/telemetry` one JSON object::

    {"timestamp": "2026-03-01T06:00:00.250Z", "metrics": {"temperature": 71.25, "pressure": 5.1}}

What is decided here, beyond the plain case:

* Whole numbers beyond 2**53 are stored as the nearest float; numbers too large for a float are refused singly.
* A name given twice makes the message ambiguous: it is refused whole.
* Text that is not valid UTF-8 JSON (a byte order mark, NUL bytes, lone surrogates in the raw bytes, nesting deeper than
  the decoder goes) is refused whole. A metric that is null, text, an array or an object is refused singly.
* Messages above 256 KiB are refused before they are decoded.

Nothing in this module raises for any input: what cannot be used comes back as a `Rejection`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, cast

import msgspec

from factoryops.contracts.telemetry.documents import TOO_LARGE, read_document, read_number
from factoryops.contracts.telemetry.messages import MOST_BYTES, Reading, Reason, Rejection
from factoryops.contracts.telemetry.timestamps import parse_timestamp
from factoryops.domain.samples import SampleFlag
from factoryops.domain.time import EPOCH

_RECEIVE_TIME: Final = int(SampleFlag.RECEIVE_TIME)
_NOT_AN_OBJECT: Final = Rejection(Reason.NOT_AN_OBJECT, "The message is not a JSON object.")
_NO_USABLE_VALUE: Final = Rejection(Reason.NO_USABLE_VALUE, "None of the message's values is a finite number.")
INVALID_TIMESTAMP: Final = Rejection(
    Reason.INVALID_TIMESTAMP, "The timestamp is neither ISO 8601 nor Unix seconds or milliseconds."
)


class _Plain(msgspec.Struct, gc=False):
    metrics: dict[str, float]
    timestamp: str | float | int | msgspec.UnsetType | None = msgspec.UNSET


_decode_plain: Final = msgspec.json.Decoder(_Plain).decode


def decode(payload: bytes, received_us: int) -> Reading | Rejection:
    """Read one message; never raises.

    Args:
        payload: the message as it came.
        received_us: when it came, for messages without a time.
    """
    if len(payload) > MOST_BYTES:
        return TOO_LARGE
    try:
        plain = _decode_plain(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decode_lenient(payload, received_us)
    metrics, timestamp = plain.metrics, plain.timestamp
    has_time = timestamp is not msgspec.UNSET
    # Two quotes per name: any more, and there is a name twice, an escape or another field. Then look closely.
    expected = 2 * len(metrics) + 2
    if has_time:
        expected += 4 if timestamp.__class__ is str else 2
    if payload.count(b'"') != expected or not metrics:
        return _decode_lenient(payload, received_us)
    if not has_time or timestamp is None:
        return Reading(metrics, received_us, _RECEIVE_TIME)
    time_us = parse_timestamp(timestamp)
    return INVALID_TIMESTAMP if time_us is None or time_us < 0 else Reading(metrics, time_us)


# --- the lenient way: slower, and the one that decides in every doubtful case ----------------------------------------


def _decode_lenient(payload: bytes, received_us: int) -> Reading | Rejection:
    message = read_document(payload)
    if isinstance(message, Rejection):
        return message
    if not isinstance(message, dict):
        return _NOT_AN_OBJECT
    metrics = message.get("metrics")
    if not isinstance(metrics, dict) or not metrics:
        return Rejection(Reason.INVALID_METRICS, "The message has no object `metrics` with at least one value.")
    return read_fields(cast("dict[str, object]", metrics), message.get("timestamp"), received_us)


def read_fields(fields: dict[str, object], timestamp: object, received_us: int) -> Reading | Rejection:
    """What named values come to, whatever they are: only those that cannot be used are left out."""
    numbers: dict[str, float] = {}
    booleans: dict[str, float] = {}
    refused: dict[str, int] = {}
    for name, value in fields.items():
        if isinstance(value, bool):
            booleans[name] = float(value)
            continue
        number = read_number(value)
        if isinstance(number, Reason):
            refused[number.value] = refused.get(number.value, 0) + 1
        else:
            numbers[name] = number
    if not numbers and not booleans:
        return _NO_USABLE_VALUE
    if timestamp is None:
        return Reading(numbers, received_us, _RECEIVE_TIME, refused, booleans)
    time_us = parse_timestamp(timestamp)
    if time_us is None or time_us < 0:
        return INVALID_TIMESTAMP
    return Reading(numbers, time_us, 0, refused, booleans)


# --- encoding, for whatever of ours publishes as a device would ------------------------------------------------------


class _Outgoing(msgspec.Struct):
    timestamp: str
    metrics: dict[str, float]


_encode: Final = msgspec.json.Encoder().encode


def encode(time_us: int, metrics: dict[str, float]) -> bytes:
    """The payload of a message."""
    moment = EPOCH + timedelta(microseconds=time_us)
    return _encode(_Outgoing(moment.isoformat().replace("+00:00", "Z"), metrics))
