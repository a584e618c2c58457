"""Numbers, units, times and spans as people read them, in the chosen language."""

from __future__ import annotations

import html
import math
from datetime import datetime, tzinfo
from typing import Final

from factoryops.domain.time import US_PER_S, from_us
from factoryops_resources.words import language, say

NOTHING: Final = "\N{EN DASH}"
THIN_SPACE: Final = "\N{THIN SPACE}"
_MINUS: Final = "\N{MINUS SIGN}"
_LARGEST_PLAIN: Final = 1e9
_GERMAN: Final = str.maketrans({",": ".", ".": ","})
_DATES: Final = {"en": "%Y-%m-%d", "de": "%d.%m.%Y"}


def number(value: float | None, decimals: int = 2) -> str:
    """`value` with the language's separators; a dash for what is not there or not finite."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if abs(value) >= _LARGEST_PLAIN:
        text = f"{value:.4g}".replace("e+", "e")
    else:
        text = f"{value:,.{decimals}f}"
        if text.startswith("-") and not text.strip("-0.,"):
            text = text[1:]
    text = text.replace("-", _MINUS)
    return text.translate(_GERMAN) if language() == "de" else text


def with_unit(value: float | None, decimals: int, unit: str) -> str:
    """Value and unit with one thin space between."""
    text = number(value, decimals)
    return f"{text}{THIN_SPACE}{unit}" if unit and text != NOTHING else text


def clock_time(time_us: int, zone: tzinfo, *, with_date: bool = False, with_ms: bool = False) -> str:
    """A time of day, 24 h, in `zone`; with the date before it where the day is not plain from the context."""
    local = from_us(time_us).astimezone(zone)
    text = local.strftime("%H:%M:%S") + (f".{local.microsecond // 1000:03d}" if with_ms else "")
    return f"{local.strftime(_date_format())} {text}" if with_date else text


def moment(at: datetime | None, zone: tzinfo) -> str:
    """Date and time in `zone`; a dash for none."""
    return NOTHING if at is None else at.astimezone(zone).strftime(f"{_date_format()} %H:%M:%S")


def instant(at: datetime | None, zone: tzinfo) -> str:
    """The same to the millisecond: which of two came first can be a matter of those."""
    return NOTHING if at is None else f"{moment(at, zone)}.{at.microsecond // 1_000:03d}"


def date(at: datetime, zone: tzinfo) -> str:
    """The date in `zone`."""
    return at.astimezone(zone).strftime(_date_format())


def age(seconds: float) -> str:
    """How long ago, in the two largest units that matter."""
    whole = max(0, int(seconds))
    if whole < 60:
        return say("{seconds} s", seconds=whole)
    if whole < 3600:
        return say("{minutes} min {seconds} s", minutes=whole // 60, seconds=f"{whole % 60:02d}")
    if whole < 86_400:
        return say("{hours} h {minutes} min", hours=whole // 3600, minutes=f"{whole % 3600 // 60:02d}")
    return say("{days} d {hours} h", days=whole // 86_400, hours=whole % 86_400 // 3600)


def span(length_us: int) -> str:
    """A length of time by its largest even unit: 30 s, 5 min, 2 h, 7 d."""
    if length_us < US_PER_S:
        return f"{length_us // 1000} ms"
    seconds = length_us // US_PER_S
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return age(seconds)


def zone_name(time_us: int, zone: tzinfo) -> str:
    """The zone as printed once per view, such as "CET (UTC+01:00)"."""
    local = from_us(time_us).astimezone(zone)
    offset = local.strftime("%z")
    utc = f"UTC{offset[:3]}:{offset[3:5]}"
    name = local.tzname() or ""
    if name in {"", "UTC"} or name[0] in "+-":
        return "UTC" if name == "UTC" else utc
    return f"{name} ({utc})"


def plain(text: str) -> str:
    """Text from devices and people as a tool tip shows it: never as markup."""
    return html.escape(text).replace("\n", "<br>")


def _date_format() -> str:
    return _DATES.get(language(), _DATES["en"])
