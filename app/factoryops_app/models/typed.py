"""Numbers, times and dates as people type them."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, tzinfo
from typing import Final

from factoryops_resources.words import language, say

_DECIMAL_SIGNS: Final = {"en": ".", "de": ","}
_IN_THOUSANDS: Final = {
    "en": re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?(?![\d.,])"),
    "de": re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?(?![\d.,])"),
}
"""Numbers as the client shows them: read as decimals they would be a thousand times too small."""
_PART: Final = re.compile(r"([\d.,]+)\s*([^\W\d]*)\s*")
_UNITS_S: Final = {
    "": 1.0, "s": 1.0, "sec": 1.0, "sek": 1.0, "m": 60.0, "min": 60.0, "h": 3_600.0, "std": 3_600.0, "d": 86_400.0,
}  # fmt: skip
_SHOWN: Final = ((3_600.0, "h"), (60.0, "min"))


def parsed(text: str) -> float | None:
    """A number as typed, with a point or a comma as its decimal sign; None when it is none.

    A number with separated thousands, as the client shows them ("12,000"; in German "12.000"), is none: nobody can tell
    it from a decimal of three digits. `number_fault` says so.
    """
    tidy = text.strip().replace("\N{MINUS SIGN}", "-").replace(" ", "")
    if _IN_THOUSANDS[language()].fullmatch(tidy.lstrip("+-")):
        return None
    if "," in tidy and "." not in tidy:
        tidy = tidy.replace(",", ".")
    try:
        value = float(tidy)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def number_fault(text: str, otherwise: str) -> str:
    """Why a number in `text` cannot be read: its thousands are separated, or what `otherwise` says."""
    found = _IN_THOUSANDS[language()].search(text)
    if found is None:
        return otherwise
    sign = _DECIMAL_SIGNS[language()]
    number = "".join(one for one in found[0] if one.isdigit() or one == sign)
    return say(
        'Write {number} without a separator of thousands; decimals come after a "{sign}".', number=number, sign=sign
    )


def plain(value: float) -> str:
    """A number as one would type it, with the decimal sign of the language and no separator of thousands."""
    return f"{value:.10g}".replace(".", _DECIMAL_SIGNS[language()])


def parsed_s(text: str) -> float | None:
    """Seconds of a length of time such as "90", "90 s", "10 min" or "1 h 30 min"; None when it is none."""
    tidy = text.strip().casefold()
    total_s, at = 0.0, 0
    for found in _PART.finditer(tidy):
        number, unit_s = parsed(found[1]), _UNITS_S.get(found[2])
        if found.start() != at or number is None or unit_s is None:
            return None
        total_s, at = total_s + number * unit_s, found.end()
    return total_s if tidy and at == len(tidy) else None


def span_text(seconds: float) -> str:
    """A length of time as one would type it, in its largest even unit: 30 s, 10 min, 2 h."""
    for size, unit in _SHOWN:
        if seconds >= size and (seconds / size).is_integer():
            return f"{plain(seconds / size)} {unit}"
    return f"{plain(seconds)} s"


def parsed_date(text: str) -> date | None:
    """A date as typed, 2026-03-31 or 31.03.2026; None when it is none."""
    tidy = text.strip()
    found = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", tidy)
    try:
        return date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat(tidy)
    except ValueError:
        return None


def typed_moment(text: str, zone: tzinfo) -> datetime | None:
    """A moment as typed, "2026-03-31 14:30", on the factory's clock; None when it is none."""
    for form in ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S"):
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=zone)
        except ValueError:
            continue
    return None


def moment_text(at: datetime, zone: tzinfo) -> str:
    """A moment as one would type it, on the factory's clock; its seconds only where it has some."""
    local = at.astimezone(zone)
    return local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")
