"""What practice begins with for a kind of signal.

Public tables repeat these figures without a source that could be confirmed: they are values to try, no recommendation.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class SignalKind(StrEnum):
    """What a signal measures."""

    FLOW = "flow"
    LEVEL = "level"
    PRESSURE = "pressure"
    TEMPERATURE = "temperature"


class Practice(NamedTuple):
    """Where to begin.

    Attributes:
        deadband_share: of the signal's range.
        delay_s: for on- and off-delays.
    """

    deadband_share: float
    delay_s: float


PRACTICE: Final = {
    SignalKind.FLOW: Practice(0.05, 15.0),
    SignalKind.LEVEL: Practice(0.05, 60.0),
    SignalKind.PRESSURE: Practice(0.02, 15.0),
    SignalKind.TEMPERATURE: Practice(0.01, 60.0),
}

_UNITS: Final = {
    SignalKind.TEMPERATURE: {"°c", "°f", "k", "degc", "degf"},
    SignalKind.PRESSURE: {"bar", "mbar", "pa", "hpa", "kpa", "mpa", "psi", "mmhg", "mh2o"},
    SignalKind.FLOW: {"m³/h", "m3/h", "l/min", "l/h", "l/s", "m³/s", "m3/s", "kg/h", "kg/s", "t/h", "gpm"},
}
_WORDS: Final = {
    SignalKind.TEMPERATURE: ("temperature", "temp"),
    SignalKind.PRESSURE: ("pressure",),
    SignalKind.FLOW: ("flow",),
    SignalKind.LEVEL: ("level",),
}


def signal_kind(key: str, unit: str) -> SignalKind | None:
    """What a parameter of this key and unit measures, as far as they tell."""
    of_unit = next((kind for kind, units in _UNITS.items() if unit.strip().lower() in units), None)
    if of_unit is not None:
        return of_unit
    parts = key.lower().replace("-", "_").split("_")
    return next((kind for kind, words in _WORDS.items() if any(word in parts for word in words)), None)
