"""Readable names and units for devices and parameters that nobody has described yet."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[A-Z]{2,}(?=[A-Z][a-z]|[^A-Za-z]|$)|[A-Z]?[a-z]+|[A-Z]+|\d+(?:\.\d+)?|[^\W\d_]+")
_PHASE: Final = re.compile(r"l[123]|l[123]{2}")

_UNIT_WORDS: Final[dict[str, str]] = {
    "kwh": "kWh", "mwh": "MWh", "wh": "Wh", "kvarh": "kvarh", "kvah": "kVAh",
    "kw": "kW", "kvar": "kvar", "kva": "kVA",
    "degc": "°C", "celsius": "°C", "degf": "°F", "fahrenheit": "°F",
    "bar": "bar", "mbar": "mbar", "psi": "psi", "kpa": "kPa", "mpa": "MPa", "hpa": "hPa",
    "rpm": "rpm", "hz": "Hz", "khz": "kHz", "mv": "mV", "kv": "kV", "ma": "mA",
    "lpm": "l/min", "percent": "%", "pct": "%", "ppm": "ppm", "db": "dB",
}  # fmt: skip
"""Words that name a unit wherever they end a key."""

_SHORT_UNITS: Final[dict[str, str]] = {"w": "W", "v": "V", "a": "A", "c": "°C", "s": "s"}
"""Letters that name a unit at the end of a longer key."""

_CANONICAL: Final[dict[str, str]] = {
    "voltage": "V", "v": "V", "current": "A", "i": "A", "phase current": "A",
    "power": "W", "active power": "W", "reactive power": "kvar", "power factor": "", "pf": "", "frequency": "Hz",
    "run hours": "h", "wifi rssi": "dBm", "rssi": "dBm",
}  # fmt: skip
"""Keys whose unit the telemetry dialects fix (a phase or which of several values may follow)."""

_WHICH: Final = frozenset({"avg", "average", "line", "total", "min", "max"})
"""Words that say which of several values of a quantity it is."""

_LAST_WORDS: Final[dict[str, str]] = {
    "temperature": "°C", "temp": "°C", "thermocouple": "°C", "voltage": "V", "current": "A", "frequency": "Hz",
    "humidity": "%",
}  # fmt: skip
"""Quantities that are measured in one unit nearly everywhere; pressure, flow, speed and vibration are not."""


def _words(key: str) -> list[str]:
    """The words of a key: cut at separators, digits and capitals."""
    parts = re.split(r"[\s_\-./:]+", key)
    return [word for part in parts for word in ([part] if _PHASE.fullmatch(part.lower()) else _WORD.findall(part))]


def _told(word: str) -> str:
    if not word[0].islower():
        return word
    return word.upper() if _PHASE.fullmatch(word) or word in ("pf", "rms", "thd") else word.capitalize()


def readable_name(key: str) -> str:
    """A name a person reads: `motor_current` is Motor Current, `Accelerometer1RMS` is Accelerometer 1 RMS.

    A unit at the end goes, where something is left without it; a unit alone is written as units are;
    a key without a word stays as it is.
    """
    words = _words(key)
    last = words[-1].lower() if words else ""
    if len(words) == 1 and last in _UNIT_WORDS:
        return _UNIT_WORDS[last]
    if len(words) > 1 and (last in _UNIT_WORDS or (last in _SHORT_UNITS and "_" in key)):
        words.pop()
    return " ".join(_told(word) for word in words) or key


def guessed_unit(key: str) -> str:
    """The unit a parameter's key names or implies; "" when that is not certain."""
    words = [word.lower() for word in _words(key)]
    if not words:
        return ""
    if words[-1] in _UNIT_WORDS:
        return _UNIT_WORDS[words[-1]]
    if len(words) > 1 and words[-1] in _SHORT_UNITS:
        return _SHORT_UNITS[words[-1]]
    if len(words) > 1 and (_PHASE.fullmatch(words[-1]) or words[-1] in _WHICH):
        words.pop()
    text = " ".join(words)
    return _CANONICAL[text] if text in _CANONICAL else _LAST_WORDS.get(words[-1], "")
