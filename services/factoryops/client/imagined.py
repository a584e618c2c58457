"""The small plant that `FakePlant` imagines: two areas, four machines, smooth signals as a function of time alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.limits import PlainLimit
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.identity import derived_id, device_id, parameter_id
from factoryops.domain.rule import AlarmRecord
from factoryops.domain.samples import SeriesKey, series_id
from factoryops.domain.time import US_PER_S

SLUG: Final = "riverside"
FACTORY_ID: Final = derived_id("imagined", "factory", SLUG)
TIMEZONE: Final = "Europe/Berlin"
CADENCE_US: Final = 2 * US_PER_S
HISTORY_US: Final = 24 * 3_600 * US_PER_S
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Signal:
    """How one parameter of a machine moves.

    Attributes:
        level / swing: middle and amplitude of the slow movement, in `unit`.
        period_s: of the slow movement.
        noise: largest deviation of the quick movement, in `unit`.
    """

    key: str
    name: str
    unit: str
    level: float
    swing: float
    period_s: float
    noise: float
    decimals: int = 2

    @property
    def reach(self) -> float:
        """How far from `level` the signal can get."""
        return self.swing * 1.35 + self.noise


@dataclass(frozen=True, slots=True)
class Machine:
    """A device of the imagined plant."""

    key: str
    name: str
    kind: str
    area: str
    line: str
    signals: tuple[Signal, ...]


MACHINES: Final = (
    Machine(
        "pump-1", "Feed pump 1", "pump", "Utilities", "Water",
        (
            Signal("pressure", "Discharge pressure", "bar", 4.6, 0.35, 2_700, 0.03),
            Signal("flow", "Flow", "m³/h", 32.0, 3.0, 2_700, 0.2, 1),
            Signal("motor_current", "Motor current", "A", 18.5, 1.6, 2_700, 0.1, 1),
            Signal("bearing_temperature", "Bearing temperature", "°C", 58.0, 5.0, 14_400, 0.1, 1),
            Signal("vibration", "Vibration", "mm/s", 2.1, 0.5, 9_000, 0.08),
            Signal("speed", "Speed", "rpm", 1_480.0, 12.0, 2_700, 1.0, 0),
        ),
    ),
    Machine(
        "compressor-1", "Air compressor", "compressor", "Utilities", "Air",
        (
            Signal("pressure", "Line pressure", "bar", 7.1, 0.25, 420, 0.02),
            Signal("power", "Power", "kW", 45.0, 9.0, 420, 0.4, 1),
            Signal("oil_temperature", "Oil temperature", "°C", 78.0, 4.0, 10_800, 0.1, 1),
            Signal("outlet_temperature", "Outlet temperature", "°C", 64.0, 3.0, 5_400, 0.1, 1),
            Signal("vibration", "Vibration", "mm/s", 3.0, 0.4, 7_200, 0.1),
            Signal("load", "Load", "%", 71.0, 18.0, 420, 0.5, 0),
        ),
    ),
    Machine(
        "furnace-1", "Tempering furnace", "furnace", "Heat treatment", "Line 1",
        (
            Signal("zone_1_temperature", "Zone 1 temperature", "°C", 842.0, 9.0, 3_600, 0.4, 1),
            Signal("zone_2_temperature", "Zone 2 temperature", "°C", 861.0, 7.0, 3_600, 0.4, 1),
            Signal("gas_flow", "Gas flow", "m³/h", 118.0, 14.0, 3_600, 0.8, 1),
            Signal("oxygen", "Oxygen", "%", 2.4, 0.5, 1_800, 0.03),
            Signal("draught", "Draught", "mbar", -1.2, 0.2, 1_200, 0.02),
            Signal("belt_speed", "Belt speed", "m/min", 1.85, 0.05, 28_800, 0.005, 3),
        ),
    ),
    Machine(
        "press-1", "Hydraulic press", "press", "Heat treatment", "Line 1",
        (
            Signal("force", "Press force", "kN", 610.0, 120.0, 90, 4.0, 0),
            Signal("oil_temperature", "Oil temperature", "°C", 49.0, 6.0, 12_600, 0.1, 1),
            Signal("oil_level", "Oil level", "%", 83.0, 2.0, 43_200, 0.1, 1),
            Signal("hydraulic_pressure", "Hydraulic pressure", "bar", 182.0, 22.0, 90, 1.0, 1),
            Signal("cycle_time", "Cycle time", "s", 11.8, 0.6, 5_400, 0.1, 1),
            Signal("power", "Power", "kW", 38.0, 11.0, 90, 0.5, 1),
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """One series of the plant: its parameter's id and what it does."""

    parameter_id: str
    series_id: int
    seed: int
    signal: Signal

    def values(self, time_us: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """float64[n], the values at int64[n] `time_us`: a pure function of seed and time."""
        phase = (self.seed % 6_283) / 1_000.0
        turns = time_us * (2 * math.pi / (self.signal.period_s * US_PER_S))
        slow = np.sin(turns + phase) + 0.25 * np.sin(turns * 2.7 + 2 * phase) + 0.1 * np.sin(turns * 0.21 + phase)
        quick = self._quick(time_us) * self.signal.noise
        value: npt.NDArray[np.float64] = np.round(
            self.signal.level + self.signal.swing * slow + quick, self.signal.decimals
        )
        return value

    def _quick(self, time_us: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """float64[n] in [-1, 1): noise that only depends on the seed and the place on the cadence."""
        step = (time_us // CADENCE_US).astype(np.uint64) + np.uint64(self.seed & 0xFFFF_FFFF)
        mixed = step * _MIX
        mixed ^= mixed >> np.uint64(29)
        mixed *= _MIX
        scaled: npt.NDArray[np.float64] = (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 52) - 1.0
        return scaled


def sample_times(start_us: int, end_us: int) -> npt.NDArray[np.int64]:
    """int64[n], the moments of the plant's cadence in [start_us, end_us)."""
    first = -(-start_us // CADENCE_US) * CADENCE_US
    return np.arange(first, max(first, end_us), CADENCE_US, dtype=np.int64)


def sources(seed: int) -> dict[str, Source]:
    """Every series by its parameter's id."""
    found: dict[str, Source] = {}
    for machine in MACHINES:
        for signal in machine.signals:
            identity = parameter_id(FACTORY_ID, machine.key, signal.key)
            series = series_id(SeriesKey(FACTORY_ID, machine.key, signal.key))
            found[identity] = Source(identity, series, series ^ seed * 7_919, signal)
    return found


def describe_devices() -> dict[str, http.Device]:
    """The plant's devices by id."""
    described = [_describe(machine) for machine in MACHINES]
    return {device.id: device for device in described}


def _describe(machine: Machine) -> http.Device:
    identity = device_id(FACTORY_ID, machine.key)
    return http.Device(
        id=identity, key=machine.key, name=machine.name, kind=machine.kind, area=machine.area, line=machine.line,
        parameters=[_describe_parameter(machine, signal) for signal in machine.signals],
    )  # fmt: skip


def _describe_parameter(machine: Machine, signal: Signal) -> http.Parameter:
    return http.Parameter(
        id=parameter_id(FACTORY_ID, machine.key, signal.key),
        device_id=device_id(FACTORY_ID, machine.key),
        series_id=series_id(SeriesKey(FACTORY_ID, machine.key, signal.key)),
        key=signal.key,
        name=signal.name,
        unit=signal.unit,
        decimals=signal.decimals,
        low=round(signal.level - 2 * signal.reach, signal.decimals),
        high=round(signal.level + 2 * signal.reach, signal.decimals),
        normal_low=round(signal.level - signal.reach, signal.decimals),
        normal_high=round(signal.level + signal.reach, signal.decimals),
    )


@dataclass(frozen=True, slots=True)
class StarterRule:
    """A rule of the imagined plant, and how its alarm stands at the start (minutes before now; None for not)."""

    machine: str
    content: http.RuleContent
    value: float
    raised_min: int | None = None
    cleared_min: int | None = None
    acknowledged_min: int | None = None


def _content(
    name: str, parameter: str, comparison: Comparison, limit: float, priority: Priority, response: str
) -> http.RuleContent:
    return http.RuleContent(
        name=name, condition=PlainLimit(parameter, comparison, limit).condition, priority=priority, on_delay_s=5.0,
        record=AlarmRecord(action=response),
    )  # fmt: skip


STARTER_RULES: Final = (
    StarterRule(
        "furnace-1",
        _content("Zone 2 too hot", "zone_2_temperature", Comparison.ABOVE, 868.0, Priority.CRITICAL,
                 "Close the gas valve of zone 2 to 30 %, stop the belt, call maintenance."),
        869.4, raised_min=4,
    ),
    StarterRule(
        "pump-1",
        _content("Bearing warm", "bearing_temperature", Comparison.ABOVE, 62.0, Priority.HIGH,
                 "Check the cooling water, listen to the bearing, be ready to switch to pump 2."),
        62.3, raised_min=11,
    ),
    StarterRule(
        "compressor-1",
        _content("Line pressure low", "pressure", Comparison.BELOW, 6.9, Priority.MEDIUM,
                 "Look for an open drain; start the stand-by compressor if it goes on."),
        6.86, raised_min=47, acknowledged_min=45,
    ),
    StarterRule(
        "press-1",
        _content("Oil level low", "oil_level", Comparison.AT_OR_BELOW, 81.0, Priority.LOW,
                 "Top up the hydraulic oil at the end of the shift."),
        81.0, raised_min=130, cleared_min=96,
    ),
    StarterRule(
        "pump-1",
        _content("Vibration high", "vibration", Comparison.ABOVE, 4.5, Priority.HIGH, "Plan a bearing check."),
        4.6, raised_min=700, cleared_min=640, acknowledged_min=690,
    ),
)  # fmt: skip
