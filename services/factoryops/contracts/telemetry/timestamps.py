"""Every form of time that devices send."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from typing import Final

from factoryops.domain.time import EPOCH, US_PER_S

_MILLISECONDS_ABOVE: Final = 2e10
"""Numeric timestamps above this are milliseconds, as the original read them."""

_LARGEST_COUNT: Final = 1 << 62
_MICROSECOND: Final = timedelta(microseconds=1)
_NUMBER: Final = re.compile(r"[+-]?\d{1,20}(?:\.\d{0,20})?", re.ASCII)


def parse_timestamp(value: object, zone: tzinfo | None = None) -> int | None:
    """Microseconds since 1970 of any accepted form; None when it is none of them.

    Accepted: ISO 8601 with `Z`, an offset or neither (then of `zone`, or UTC), with `T` or a space, or a date alone;
    Unix seconds; Unix milliseconds when above 2e10; both as text too. Leap seconds count as the second after.
    """
    if isinstance(value, str):
        if value.isdigit():
            return _from_text(value, zone)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return _from_text(value, zone)
        return _microseconds(moment, zone)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _from_number(value)


def parse_count(value: object, per_s: int) -> int | None:
    """Microseconds since 1970 of a count of seconds, or of a fraction of them, given as a number or as text.

    Args:
        value: what the message holds.
        per_s: how many of what is counted make a second: 1, 1,000, 1,000,000 or 1,000,000,000.
    """
    if isinstance(value, str):
        text = value.strip()
        if not _NUMBER.fullmatch(text):
            return None
        value = float(text) if "." in text else int(text)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST_COUNT:
        return None
    if isinstance(value, int):
        return value * US_PER_S // per_s
    return round(value * (US_PER_S / per_s))


def parse_iso(value: object, zone: tzinfo | None) -> int | None:
    """Microseconds since 1970 of an ISO 8601 text; one without an offset was read from a clock of `zone`."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return None
    return parse_timestamp(value, zone)


def _microseconds(moment: datetime, zone: tzinfo | None) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone or EPOCH.tzinfo)
    return (moment - EPOCH) // _MICROSECOND


def _from_number(value: float) -> int | None:
    if not abs(value) <= 1e18:  # NaN is not, either
        return None
    return round(value * (1_000 if abs(value) > _MILLISECONDS_ABOVE else US_PER_S))


def _from_text(text: str, zone: tzinfo | None) -> int | None:
    if _NUMBER.fullmatch(text):
        whole, _, fraction = text.lstrip("+-").partition(".")
        digits, factor = (3, 1_000) if int(whole) > _MILLISECONDS_ABOVE else (6, US_PER_S)
        exact = int(whole) * factor + int((fraction + "000000")[:digits])
        return -exact if text.startswith("-") else exact
    if text[17:19] == "60":
        try:
            return _microseconds(datetime.fromisoformat(f"{text[:17]}59{text[19:]}".upper()), zone) + US_PER_S
        except ValueError:
            return None
    try:
        return _microseconds(datetime.fromisoformat(text.upper()), zone)
    except ValueError:
        return None
