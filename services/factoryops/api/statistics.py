"""Figures and cursors as they leave the API."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from typing import Final

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.summaries import Held

_CURSOR: Final = struct.Struct(">qq")


def figures_of(parameter_id: str, series: int, held: Held, span: tuple[int, int]) -> dict[str, object]:
    """One parameter's statistics over a span."""
    return {
        "parameter_id": parameter_id,
        "series_id": series,
        "mean": _number(held.mean),
        "deviation": _number(held.deviation),
        "minimum": _number(held.minimum),
        "maximum": _number(held.maximum),
        "good_share": held.good_us / (span[1] - span[0]),
        "quality": {
            "samples": held.count,
            "late": held.late,
            "imported": held.imported,
            "uncertain": held.uncertain,
            "texts": held.texts,
        },
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def cursor_of(series: int, time_us: int) -> str:
    """Where to go on, as an opaque word."""
    return base64.urlsafe_b64encode(_CURSOR.pack(series, time_us)).decode().rstrip("=")


def cursor_time_us(cursor: str, series: int, span: tuple[int, int]) -> int:
    """Where a cursor says to go on; raises InvalidInputError when it belongs to another question."""
    try:
        found, time_us = _CURSOR.unpack(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, struct.error, ValueError) as error:
        raise InvalidInputError("The cursor is not one of ours; ask again without it.") from error
    if found != series or not span[0] <= time_us < span[1]:
        raise InvalidInputError("The cursor belongs to another question; ask again without it.")
    return int(time_us)
