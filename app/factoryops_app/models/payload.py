"""A message's bytes as people can read them: as text, as hexadecimal, and decoded, or where decoding fails."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from factoryops.contracts import http
from factoryops_resources.words import say

_ROW: Final = 16
_PLAIN: Final = range(32, 127)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a payload holds.

    Attributes:
        sentence: what it is, or where it stops being that.
        text: the JSON with one field per line; empty where there is none.
    """

    sentence: str
    text: str = ""


def payload_bytes(message: http.QuarantinedMessage) -> bytes:
    """The part of the payload that the service showed."""
    return bytes.fromhex(message.payload) if message.is_hex else message.payload.encode()


def decoded(message: http.QuarantinedMessage) -> Decoded:
    """What the payload is, read as JSON."""
    data = payload_bytes(message)
    if len(data) < message.size_bytes:
        return Decoded(
            say("{size} bytes; only the first {shown} are shown here.", size=message.size_bytes, shown=len(data))
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Decoded(say("It is not text: byte {at} is not UTF-8.", at=error.start + 1))
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return Decoded(say("It is not JSON: it goes wrong in line {line} at character {at}.",
                           line=error.lineno, at=error.colno))  # fmt: skip
    except (RecursionError, ValueError):
        return Decoded(say("It is not JSON that can be read: it is nested too deeply, or a number is too long."))
    return Decoded(_kind_of(value), json.dumps(value, indent=2, ensure_ascii=False))


def _kind_of(value: object) -> str:
    if isinstance(value, dict):
        names = ", ".join(list(value)[:8])
        return say("A JSON object with the fields {names}.", names=names) if value else say("An empty JSON object.")
    if isinstance(value, list):
        return say("A JSON array of {count} elements.", count=len(value))
    return say("One JSON value and nothing else.")


def hex_lines(data: bytes) -> str:
    """Sixteen bytes a line: where, what, and as letters."""
    rows = (data[at : at + _ROW] for at in range(0, len(data), _ROW))
    return "\n".join(
        f"{number * _ROW:06x}  {row.hex(' '):<{_ROW * 3}} {''.join(_letter(byte) for byte in row)}"
        for number, row in enumerate(rows)
    )


def _letter(byte: int) -> str:
    return chr(byte) if byte in _PLAIN else "·"
