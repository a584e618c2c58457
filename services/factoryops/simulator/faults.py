"""Faults on command: what a broken machine looks like from its sensors.

A fault is an overlay on healthy signals that begins at a moment and grows; the healthy plant goes on underneath.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.time import US_PER_S
from factoryops.simulator.drive import hashed

Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Signals = dict[str, Values]

INCIDENT_SLOT_S: Final = 2_700
"""One ordinary incident somewhere in the plant per 45 minutes."""


_CHATTER_S: Final = 12.0
"""Longer than the delays of most limits, so that their alarms chatter."""


class FaultKind(StrEnum):
    """What can be broken on command."""

    BEARING_WEAR = "bearing-wear"
    CAVITATION = "cavitation"
    BLOCKED_FILTER = "blocked-filter"
    SENSOR_STUCK = "sensor-stuck"
    OVERHEATING = "overheating"
    PRESSURE_LOSS = "pressure-loss"
    OFFLINE = "offline"
    CHATTERING = "chattering"


@dataclass(frozen=True, slots=True)
class Fault:
    """One machine, broken in one way, for a while.

    Attributes:
        started_us / ended_us: microseconds since 1970; `ended_us` None while it lasts.
        strength: 1 is a serious fault; ordinary incidents are weaker.
    """

    device: str
    kind: FaultKind
    started_us: int
    ended_us: int | None = None
    strength: float = 1.0


def parse_fault(text: str, *, at_us: int) -> Fault:
    """The fault that a person writes as `pump-1:cavitation`; raises InvalidInputError naming what is possible."""
    device, _, kind = text.partition(":")
    try:
        return Fault(device.strip(), FaultKind(kind.strip().lower().replace("_", "-")), at_us)
    except ValueError:
        known = ", ".join(FaultKind)
        raise InvalidInputError(f"'{text}' names no fault. Write DEVICE:FAULT with one of: {known}.") from None


@dataclass(frozen=True, slots=True)
class _Moment:
    """Where each sample lies in the course of a fault.

    Attributes:
        age_s: seconds since it began.
        strength: 0 outside the fault.
    """

    age_s: Values
    strength: Values
    times_us: Times

    def grown(self, tau_s: float) -> Values:
        """Strength, growing with time constant `tau_s`."""
        grown: Values = self.strength * (1 - np.exp(-np.maximum(self.age_s, 0) / tau_s))
        return grown

    def rattle(self, salt: int) -> Values:
        """Fast irregular movement in [-1, 1]."""
        return 2 * hashed(salt, self.times_us // 100_000) - 1


def _bearing_wear(signals: Signals, moment: _Moment) -> None:
    grown = moment.grown(90)
    _add(signals, "vibration", grown * (6.2 + 0.8 * moment.rattle(5)))
    _add(signals, "bearing_temperature", 34 * moment.grown(240))
    _scale(signals, "motor_current", 1 + 0.07 * grown)


def _cavitation(signals: Signals, moment: _Moment) -> None:
    grown = moment.grown(6)
    for key in ("discharge_pressure", "coolant_pressure"):
        _scale(signals, key, 1 - grown * (0.70 + 0.08 * moment.rattle(7)))
    _scale(signals, "suction_pressure", 1 - 0.45 * grown)
    _scale(signals, "flow", 1 - grown * (0.35 + 0.08 * moment.rattle(8)))
    _scale(signals, "motor_current", 1 - 0.14 * grown)
    _add(signals, "vibration", grown * (4.1 + 1.6 * moment.rattle(9)))


def _blocked_filter(signals: Signals, moment: _Moment) -> None:
    grown = moment.grown(70)
    _scale(signals, "filter_pressure_drop", 1 + 2.6 * grown)
    for key in ("flow", "air_flow", "fan_speed"):
        _scale(signals, key, 1 - 0.28 * grown)
    _scale(signals, "outlet_temperature", 1 + 0.2 * grown)
    _scale(signals, "oil_temperature", 1 + 0.15 * grown)


def _overheating(signals: Signals, moment: _Moment) -> None:
    grown = moment.grown(110)
    for key in signals:
        if key.endswith("_temperature") and not key.startswith(("outdoor", "supply", "return")):
            _scale(signals, key, 1 + (0.09 if key.startswith("chamber") else 0.62) * grown)
    _add(signals, "supply_temperature", 6.5 * grown)
    _add(signals, "return_temperature", 6.0 * grown)


def _pressure_loss(signals: Signals, moment: _Moment) -> None:
    grown = moment.grown(35)
    for key in signals:
        if key.endswith("_pressure"):
            _scale(signals, key, 1 - 0.36 * grown)


def _chattering(signals: Signals, moment: _Moment) -> None:
    """A loose contact: the vibration, or the first quantity there is, jumps up and back every few seconds."""
    key = "vibration" if "vibration" in signals else next(iter(signals))
    is_up = np.floor(moment.age_s / _CHATTER_S) % 2 == 1
    _scale(signals, key, np.where(is_up, 1 + 3 * moment.strength, 1.0))


_OVERLAYS: Final[dict[FaultKind, Callable[[Signals, _Moment], None]]] = {
    FaultKind.BEARING_WEAR: _bearing_wear,
    FaultKind.CAVITATION: _cavitation,
    FaultKind.BLOCKED_FILTER: _blocked_filter,
    FaultKind.OVERHEATING: _overheating,
    FaultKind.PRESSURE_LOSS: _pressure_loss,
    FaultKind.CHATTERING: _chattering,
}


def _add(signals: Signals, key: str, amount: Values) -> None:
    if key in signals:
        signals[key] = signals[key] + amount


def _scale(signals: Signals, key: str, factor: Values) -> None:
    if key in signals:
        signals[key] = signals[key] * factor


def apply_faults(
    signals: Signals, times_us: Times, faults: Sequence[Fault], healthy_at: Callable[[Times], Signals]
) -> Signals:
    """Signals with `faults` laid over them, in the order they began.

    Args:
        signals: one array per quantity, at `times_us`.
        times_us: int64[n].
        faults: faults of this one machine.
        healthy_at: the machine's healthy signals at other moments; a stuck sensor shows what it showed first.
    """
    changed = dict(signals)
    for fault in sorted(faults, key=lambda one: one.started_us):
        lasts = times_us >= fault.started_us
        if fault.ended_us is not None:
            lasts &= times_us < fault.ended_us
        if not lasts.any():
            continue
        if fault.kind is FaultKind.OFFLINE:
            changed = {key: np.where(lasts, np.nan, values) for key, values in changed.items()}
        elif fault.kind is FaultKind.SENSOR_STUCK:
            key = next(iter(changed))
            frozen = healthy_at(np.array([fault.started_us], np.int64))[key][0]
            changed[key] = np.where(lasts, frozen, changed[key])
        else:
            age_s = (times_us - fault.started_us) / US_PER_S
            _OVERLAYS[fault.kind](changed, _Moment(age_s, np.where(lasts, fault.strength, 0.0), times_us))
    return changed


_INCIDENTS: Final = (
    ("pump-1", FaultKind.CAVITATION, 0.95),
    ("pump-2", FaultKind.BLOCKED_FILTER, 0.9),
    ("compressor-1", FaultKind.PRESSURE_LOSS, 0.45),
    ("chiller-1", FaultKind.OVERHEATING, 0.7),
    ("conveyor-1", FaultKind.BEARING_WEAR, 0.85),
    ("press-1", FaultKind.OVERHEATING, 0.6),
    ("dryer-1", FaultKind.BLOCKED_FILTER, 0.9),
    ("cnc-2", FaultKind.BEARING_WEAR, 0.8),
    ("pump-2", FaultKind.CAVITATION, 0.95),
)


def ordinary_incidents(seed: int, devices: Sequence[str], device: str, times_us: Times) -> list[Fault]:
    """The small mishaps of an ordinary day that concern `device` in the span of `times_us`.

    Every slot of 45 minutes has one, somewhere in the plant, of three to six minutes: a function of the seed alone.
    """
    first = int(times_us.min()) // (INCIDENT_SLOT_S * US_PER_S)
    last = int(times_us.max()) // (INCIDENT_SLOT_S * US_PER_S)
    slots = np.arange(first, last + 1, dtype=np.int64)
    chosen = (hashed(seed * 11 + 3, slots) * len(_INCIDENTS)).astype(np.int64)
    offsets_s = hashed(seed * 13 + 5, slots) * (INCIDENT_SLOT_S - 420)
    lengths_s = 180 + 180 * hashed(seed * 17 + 7, slots)
    return [
        _incident(int(slot), int(which), float(offset_s), float(length_s))
        for slot, which, offset_s, length_s in zip(slots, chosen, offsets_s, lengths_s, strict=True)
        if _INCIDENTS[which][0] == device and device in devices
    ]


def _incident(slot: int, which: int, offset_s: float, length_s: float) -> Fault:
    device, kind, strength = _INCIDENTS[which]
    started_us = slot * INCIDENT_SLOT_S * US_PER_S + round(offset_s) * US_PER_S
    return Fault(device, kind, started_us, started_us + round(length_s) * US_PER_S, strength)
