"""Reading JSON and numbers the careful way: slower than the plain case needs, and it decides in every doubtful one."""

from __future__ import annotations

import json
import math
import re
from typing import Final

import msgspec

from factoryops.contracts.telemetry.messages import MOST_BYTES, Reason, Rejection

_NUMERIC_TEXT: Final = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_LONGEST_NUMBER: Final = 400
"""Digits; a longer whole number cannot be a float anyway."""

TOO_LARGE: Final = Rejection(Reason.TOO_LARGE, f"The message is larger than {MOST_BYTES // 1024} KiB.")
_DUPLICATE_NAME: Final = Rejection(
    Reason.DUPLICATE_NAME, "The message names a field twice, so its value cannot be told."
)
_TOO_DEEP: Final = Rejection(Reason.TOO_DEEP, "The message is nested too deeply.")
_INVALID_JSON: Final = Rejection(Reason.INVALID_JSON, "The message is not valid JSON in UTF-8.")


class _NameTwiceError(ValueError):
    """A JSON object names a field twice."""


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NameTwiceError
    return found


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else math.inf


_DOUBTFUL: Final = object()
_decode_plain: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode
_decode_any: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_whole).decode


def read_document(payload: bytes) -> object | Rejection:
    """The JSON document of a payload; numbers too large for a float come back as infinite ones."""
    if len(payload) > MOST_BYTES:
        return TOO_LARGE
    found = _read_plain(payload)
    return _read_carefully(payload) if found is _DOUBTFUL else found


def _read_plain(payload: bytes) -> object:
    """The document, when it is certain that no name in it comes twice; else `_DOUBTFUL`.

    A name that comes twice is lost by decoding: then what is encoded again has fewer quotes. Without escapes nothing
    can make up for that.
    """
    if b"\\" in payload:
        return _DOUBTFUL
    try:
        document = _decode_plain(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _DOUBTFUL
    return document if payload.count(b'"') == _encode(document).count(b'"') else _DOUBTFUL


def _read_carefully(payload: bytes) -> object | Rejection:
    try:
        document: object = _decode_any(payload.decode("utf-8"))
    except _NameTwiceError:
        return _DUPLICATE_NAME
    except RecursionError:
        return _TOO_DEEP
    except ValueError:
        return _INVALID_JSON
    return document


def read_number(value: object) -> float | Reason:
    """The finite number that `value` is or writes down, or why it is none."""
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
