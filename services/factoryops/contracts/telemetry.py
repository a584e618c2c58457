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

import json
import math
import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, cast

import msgspec

from factoryops.domain.plant import is_key, is_slug
from factoryops.domain.samples import SampleFlag
from factoryops.domain.time import EPOCH, US_PER_S

MOST_BYTES: Final = 256 * 1024
FUTURE_LIMIT_US: Final = 600 * US_PER_S
"""How far ahead of the receive time a device's clock may be."""

SUBSCRIPTION: Final = "factories/+/devices/+/telemetry"

_MILLISECONDS_ABOVE: Final = 2e10
"""Numeric timestamps above this are milliseconds, as the original read them."""

_RECEIVE_TIME: Final = int(SampleFlag.RECEIVE_TIME)
_MICROSECOND: Final = timedelta(microseconds=1)
_NUMBER: Final = re.compile(r"[+-]?\d{1,20}(?:\.\d{0,20})?", re.ASCII)
_NUMERIC_TEXT: Final = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_LONGEST_NUMBER: Final = 400
"""Digits; a longer whole number cannot be a float anyway."""


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
        metrics: finite values by name, in the order they were sent; names are not checked yet.
        time_us: the device's time, or the receive time when it gave none.
        flags: `SampleFlag` bits that hold for all values.
        refused: how many values were refused singly, by reason.
    """

    metrics: dict[str, float]
    time_us: int
    flags: int = 0
    refused: dict[str, int] = {}


def parse_topic(topic: bytes) -> tuple[str, str] | Rejection:
    """The factory slug and the device key that a topic names."""
    try:
        parts = topic.decode("utf-8").split("/")
    except UnicodeDecodeError:
        return Rejection(Reason.INVALID_TOPIC, "The topic is not valid UTF-8.")
    if len(parts) != 5 or parts[0] != "factories" or parts[2] != "devices" or parts[4] != "telemetry":
        return Rejection(Reason.INVALID_TOPIC, "The topic is not factories/<factory>/devices/<device>/telemetry.")
    slug, key = parts[1], parts[3]
    if not is_slug(slug):
        return Rejection(Reason.INVALID_TOPIC, "The topic's second part cannot be the short name of a factory.")
    if not is_key(key) or "+" in key or "#" in key:
        return Rejection(Reason.INVALID_TOPIC, "The topic's fourth part cannot be a device key.")
    return slug, key


def telemetry_topic(slug: str, device_key: str) -> str:
    """The topic a device publishes to."""
    return f"factories/{slug}/devices/{device_key}/telemetry"


class _Plain(msgspec.Struct, gc=False):
    metrics: dict[str, float]
    timestamp: str | float | int | msgspec.UnsetType | None = msgspec.UNSET


_decode_plain: Final = msgspec.json.Decoder(_Plain).decode


def decode(payload: bytes, received_us: int) -> Reading | Rejection:
    """Read one message; never raises.

    Args:
        payload: the message as it came.
        received_us: when it came, for messages without a time and to refuse times in the future.
    """
    if len(payload) > MOST_BYTES:
        return Rejection(Reason.TOO_LARGE, f"The message is larger than {MOST_BYTES // 1024} KiB.")
    try:
        plain = _decode_plain(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decode_lenient(payload, received_us)
    metrics, timestamp = plain.metrics, plain.timestamp
    # Two quotes per name: any more, and there is a name twice, an escape or another field. Then look closely.
    expected = 2 * len(metrics) + 2
    if timestamp is not msgspec.UNSET:
        expected += 4 if timestamp.__class__ is str else 2
    if payload.count(b'"') != expected or not metrics:
        return _decode_lenient(payload, received_us)
    return _timed(metrics, None if timestamp is msgspec.UNSET else timestamp, received_us, {})


def _timed(
    metrics: dict[str, float], timestamp: object, received_us: int, refused: dict[str, int]
) -> Reading | Rejection:
    if timestamp is None:
        return Reading(metrics, received_us, _RECEIVE_TIME, refused)
    time_us = parse_timestamp(timestamp)
    if time_us is None or time_us < 0:
        return Rejection(
            Reason.INVALID_TIMESTAMP, "The timestamp is neither ISO 8601 nor Unix seconds or milliseconds."
        )
    if time_us > received_us + FUTURE_LIMIT_US:
        return Rejection(Reason.FUTURE_TIME, "The timestamp is more than 10 minutes ahead; check the device's clock.")
    return Reading(metrics, time_us, 0, refused)


# --- time ------------------------------------------------------------------------------------------------------------


def parse_timestamp(value: object) -> int | None:
    """Microseconds since 1970 of any accepted form; None when it is none of them.

    Accepted: ISO 8601 with `Z`, an offset or neither (then UTC), with `T` or a space, or a date alone; Unix seconds;
    Unix milliseconds when above 2e10; both as text too. Leap seconds count as the second after.
    """
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value) if not value.isdigit() else None
        except ValueError:
            moment = None
        return _from_text(value) if moment is None else _microseconds(moment)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _from_number(value)


def _microseconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=EPOCH.tzinfo)
    return (moment - EPOCH) // _MICROSECOND


def _from_number(value: float) -> int | None:
    if not abs(value) <= 1e18:  # NaN is not, either
        return None
    return round(value * (1_000 if abs(value) > _MILLISECONDS_ABOVE else US_PER_S))


def _from_text(text: str) -> int | None:
    if _NUMBER.fullmatch(text):
        whole, _, fraction = text.lstrip("+-").partition(".")
        digits, factor = (3, 1_000) if int(whole) > _MILLISECONDS_ABOVE else (6, US_PER_S)
        exact = int(whole) * factor + int((fraction + "000000")[:digits])
        return -exact if text.startswith("-") else exact
    if text[17:19] == "60":
        try:
            return _microseconds(datetime.fromisoformat(f"{text[:17]}59{text[19:]}".upper())) + US_PER_S
        except ValueError:
            return None
    try:
        return _microseconds(datetime.fromisoformat(text.upper()))
    except ValueError:
        return None


# --- the lenient way: slower, and the one that decides in every doubtful case ----------------------------------------


class _NameTwiceError(ValueError):
    """A JSON object names a field twice."""


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NameTwiceError
    return found


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else math.inf


_decode_any: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_whole).decode


def _decode_lenient(payload: bytes, received_us: int) -> Reading | Rejection:
    try:
        message = _decode_any(payload.decode("utf-8"))
    except _NameTwiceError:
        return Rejection(Reason.DUPLICATE_NAME, "The message names a field twice, so its value cannot be told.")
    except RecursionError:
        return Rejection(Reason.TOO_DEEP, "The message is nested too deeply.")
    except ValueError:
        return Rejection(Reason.INVALID_JSON, "The message is not valid JSON in UTF-8.")
    if not isinstance(message, dict):
        return Rejection(Reason.NOT_AN_OBJECT, "The message is not a JSON object.")
    metrics = message.get("metrics")
    if not isinstance(metrics, dict) or not metrics:
        return Rejection(Reason.INVALID_METRICS, "The message has no object `metrics` with at least one value.")
    kept, refused = _usable(cast("dict[str, object]", metrics))
    if not kept:
        return Rejection(Reason.NO_USABLE_VALUE, "None of the message's values is a finite number.")
    return _timed(kept, message.get("timestamp"), received_us, refused)


def _usable(metrics: dict[str, object]) -> tuple[dict[str, float], dict[str, int]]:
    kept: dict[str, float] = {}
    refused: dict[str, int] = {}
    for name, value in metrics.items():
        number = _number(value)
        if isinstance(number, Reason):
            refused[number.value] = refused.get(number.value, 0) + 1
        else:
            kept[name] = number
    return kept, refused


def _number(value: object) -> float | Reason:
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER:
        if not _NUMERIC_TEXT.fullmatch(value):
            is_word = value.strip().lstrip("+-").lower() in {"nan", "inf", "infinity"}
            return Reason.NOT_FINITE if is_word else Reason.NOT_A_NUMBER
    elif not isinstance(value, int | float):
        return Reason.NOT_A_NUMBER
    try:
        number = float(value)
    except OverflowError:
        return Reason.NOT_FINITE
    return number if math.isfinite(number) else Reason.NOT_FINITE


# --- encoding, for whatever of ours publishes as a device would ------------------------------------------------------


class _Outgoing(msgspec.Struct):
    timestamp: str
    metrics: dict[str, float]


_encode: Final = msgspec.json.Encoder().encode


def encode(time_us: int, metrics: dict[str, float]) -> bytes:
    """The payload of a message."""
    moment = EPOCH + timedelta(microseconds=time_us)
    return _encode(_Outgoing(moment.isoformat().replace("+00:00", "Z"), metrics))
