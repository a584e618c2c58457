"""Riverside Works: a believable plant of three areas and thirteen machines.

Signals are a pure function of (seed, time, faults), so that imported history and live data join without a jump.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from factoryops.domain.errors import InvalidInputError
from factoryops.simulator import machines as models
from factoryops.simulator.drive import Drive, Values, to_seconds
from factoryops.simulator.faults import Fault, apply_faults, ordinary_incidents

TIMEZONE: Final = "Europe/Berlin"


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity of a machine, as the demo's set-up describes it.

    Attributes:
        low / high: the range of the analogue bar; normal_low / normal_high: the normal band inside it.
        decimals: how the sensor rounds.
    """

    key: str
    name: str
    unit: str
    decimals: int
    low: float
    high: float
    normal_low: float | None = None
    normal_high: float | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine: what it is called, what it measures, how it behaves.

    Attributes:
        period_s: how often it publishes.
    """

    key: str
    name: str
    kind: str
    area: str
    line: str
    period_s: float
    model: models.Model
    quantities: tuple[Quantity, ...]


def _q(text: str, unit: str, decimals: int, *limits: float) -> Quantity:
    """A quantity from its key and its limits: low, high and, when there is one, the normal band."""
    name = text.replace("_", " ").capitalize()
    return Quantity(text, name, unit, decimals, *limits)


_PUMP: Final = (
    _q("discharge_pressure", "bar", 2, 0, 8, 2.2, 6.2),
    _q("flow", "m³/h", 1, 0, 80, 20, 70),
    _q("vibration", "mm/s", 2, 0, 12, 0, 4.5),
    _q("motor_current", "A", 1, 0, 50, 5, 36),
    _q("motor_temperature", "°C", 1, 0, 130, 20, 85),
    _q("bearing_temperature", "°C", 1, 0, 110, 20, 70),
    _q("filter_pressure_drop", "bar", 2, 0, 1.5, 0, 0.8),
    _q("suction_pressure", "bar", 2, 0, 3, 0.7, 1.6),
    _q("speed", "rpm", 0, 0, 3_000, 1_000, 2_950),
    _q("power", "kW", 2, 0, 25, 1, 19),
)
_COMPRESSOR: Final = (
    _q("net_pressure", "bar", 2, 4, 9, 6.4, 7.8),
    _q("air_flow", "m³/min", 2, 0, 15),
    _q("motor_current", "A", 1, 0, 180, 20, 145),
    _q("power", "kW", 1, 0, 100, 15, 82),
    _q("oil_temperature", "°C", 1, 0, 120, 50, 95),
    _q("discharge_temperature", "°C", 1, 0, 130, 55, 108),
    _q("vibration", "mm/s", 2, 0, 12, 0, 4.5),
)
_CHILLER: Final = (
    _q("supply_temperature", "°C", 2, 0, 20, 5, 8.5),
    _q("return_temperature", "°C", 2, 0, 25, 6, 15),
    _q("flow", "m³/h", 1, 0, 120, 75, 100),
    _q("condenser_pressure", "bar", 2, 0, 20, 8, 15),
    _q("evaporator_pressure", "bar", 2, 0, 6, 2.8, 3.7),
    _q("power", "kW", 1, 0, 110, 15, 95),
    _q("outdoor_temperature", "°C", 1, -20, 45),
)
_BOILER: Final = (
    _q("steam_pressure", "bar", 2, 0, 12, 6.9, 8.6),
    _q("steam_flow", "t/h", 2, 0, 8, 0, 6.8),
    _q("burner_output", "%", 1, 0, 100),
    _q("gas_flow", "m³/h", 1, 0, 450, 0, 400),
    _q("flue_gas_temperature", "°C", 1, 0, 300, 100, 230),
    _q("oxygen", "%", 2, 0, 12, 2.5, 7),
    _q("feed_water_temperature", "°C", 1, 0, 130, 95, 108),
    _q("water_level", "%", 1, 0, 100, 40, 65),
)
_PRESS: Final = (
    _q("hydraulic_pressure", "bar", 1, 0, 260, 20, 225),
    _q("force", "kN", 0, 0, 2_000, 0, 1_700),
    _q("strokes_per_minute", "1/min", 1, 0, 10),
    _q("motor_current", "A", 1, 0, 160, 20, 140),
    _q("oil_temperature", "°C", 1, 0, 90, 25, 60),
    _q("oil_level", "%", 1, 0, 100, 70, 95),
    _q("vibration", "mm/s", 2, 0, 12, 0, 4.5),
)
_CNC: Final = (
    _q("spindle_speed", "rpm", 0, 0, 14_000),
    _q("spindle_load", "%", 1, 0, 120, 0, 90),
    _q("spindle_temperature", "°C", 1, 0, 90, 20, 62),
    _q("feed_rate", "mm/min", 0, 0, 4_000),
    _q("coolant_pressure", "bar", 1, 0, 30),
    _q("coolant_temperature", "°C", 1, 0, 50, 15, 30),
    _q("vibration", "mm/s", 2, 0, 12, 0, 4.5),
    _q("power", "kW", 2, 0, 30, 0, 24),
)
_FURNACE: Final = (
    _q("chamber_temperature", "°C", 1, 600, 1_000, 740, 875),
    _q("setpoint", "°C", 0, 600, 1_000),
    _q("wall_temperature", "°C", 1, 0, 120, 30, 75),
    _q("heater_output", "%", 1, 0, 100),
    _q("power", "kW", 1, 0, 220, 0, 190),
    _q("atmosphere_flow", "m³/h", 2, 0, 25, 11, 14),
    _q("carbon_potential", "%C", 3, 0, 1.5, 0.7, 0.9),
)
_MIXER: Final = (
    _q("level", "%", 1, 0, 100),
    _q("speed", "rpm", 1, 0, 150),
    _q("torque", "Nm", 1, 0, 450, 0, 340),
    _q("motor_current", "A", 1, 0, 50, 3, 38),
    _q("product_temperature", "°C", 1, 0, 90, 15, 58),
    _q("jacket_pressure", "bar", 2, 0, 5, 1, 3),
    _q("viscosity", "mPa·s", 0, 0, 4_000),
)
_CONVEYOR: Final = (
    _q("belt_speed", "m/s", 2, 0, 1.5),
    _q("belt_load", "kg", 0, 0, 500, 0, 450),
    _q("motor_current", "A", 2, 0, 25, 1, 18),
    _q("motor_temperature", "°C", 1, 0, 120, 15, 75),
    _q("belt_tension", "kN", 2, 0, 8, 3.4, 6),
    _q("vibration", "mm/s", 2, 0, 12, 0, 4.5),
)
_DRYER: Final = (
    _q("inlet_temperature", "°C", 1, 0, 180, 108, 128),
    _q("outlet_temperature", "°C", 1, 0, 150, 60, 105),
    _q("exhaust_humidity", "%", 1, 0, 100, 5, 65),
    _q("fan_speed", "rpm", 0, 0, 1_600, 850, 1_350),
    _q("filter_pressure_drop", "mbar", 2, 0, 15, 2, 8),
    _q("gas_flow", "m³/h", 1, 0, 50, 5, 40),
    _q("vibration", "mm/s", 2, 0, 12, 0, 4.5),
)
_PACKER: Final = (
    _q("packs_per_minute", "1/min", 1, 0, 60),
    _q("reject_rate", "%", 2, 0, 10, 0, 3),
    _q("seal_temperature", "°C", 1, 100, 220, 156, 172),
    _q("air_pressure", "bar", 2, 0, 8, 5.2, 6.5),
    _q("motor_current", "A", 2, 0, 15, 1, 9),
    _q("power", "kW", 2, 0, 8, 1, 6),
)

MACHINES: Final = (
    Machine("pump-1", "Cooling water pump 1", "Pump", "Utilities", "Cooling water", 1, models.pump, _PUMP),
    Machine("pump-2", "Cooling water pump 2", "Pump", "Utilities", "Cooling water", 1, models.pump, _PUMP),
    Machine("compressor-1", "Air compressor", "Compressor", "Utilities", "Air", 2, models.compressor, _COMPRESSOR),
    Machine("chiller-1", "Water chiller", "Chiller", "Utilities", "Cooling water", 5, models.chiller, _CHILLER),
    Machine("boiler-1", "Steam boiler", "Boiler", "Utilities", "Steam", 2, models.boiler, _BOILER),
    Machine("press-1", "Hydraulic press", "Press", "Production", "Forming", 1, models.press, _PRESS),
    Machine("cnc-1", "Machining centre 1", "CNC", "Production", "Machining", 1, models.machining_centre, _CNC),
    Machine("cnc-2", "Machining centre 2", "CNC", "Production", "Machining", 1, models.machining_centre, _CNC),
    Machine("furnace-1", "Hardening furnace", "Furnace", "Production", "Heat", 5, models.furnace, _FURNACE),
    Machine("mixer-1", "Coating mixer", "Mixer", "Finishing", "Coating", 2, models.mixer, _MIXER),
    Machine("dryer-1", "Belt dryer", "Dryer", "Finishing", "Coating", 5, models.dryer, _DRYER),
    Machine("conveyor-1", "Main conveyor", "Conveyor", "Finishing", "Packaging", 2, models.conveyor, _CONVEYOR),
    Machine("packer-1", "Packaging line", "Packer", "Finishing", "Packaging", 2, models.packer, _PACKER),
)


class Plant:
    """Riverside Works, or a variation of it with another seed.

    Attributes:
        machines: by device key.
    """

    def __init__(self, *, seed: int = 1, timezone: str = TIMEZONE, has_incidents: bool = True) -> None:
        self._seed = seed
        self._zone = ZoneInfo(timezone)
        self._has_incidents = has_incidents
        self.machines = {machine.key: machine for machine in MACHINES}
        self._number = {machine.key: number for number, machine in enumerate(MACHINES, start=1)}

    def machine(self, device: str) -> Machine:
        """The machine of a device key; raises InvalidInputError when there is none."""
        try:
            return self.machines[device]
        except KeyError:
            names = ", ".join(self.machines)
            raise InvalidInputError(f"There is no machine '{device}'. The plant has: {names}.") from None

    def signals(
        self, device: str, times_us: npt.NDArray[np.int64], faults: Sequence[Fault] = ()
    ) -> dict[str, npt.NDArray[np.float64]]:
        """What the machine measures at `times_us`.

        Args:
            device: a device key of the plant.
            times_us: int64[n], microseconds since 1970 (UTC), any order.
            faults: what was broken on command; the plant's own small incidents come on top.

        Returns:
            One float64[n] per quantity key, rounded as its sensor does; NaN where the machine is off line.
        """
        machine = self.machine(device)
        clean = self._clean(machine, times_us)
        active = [fault for fault in faults if fault.device == device]
        if self._has_incidents and len(times_us):
            active += ordinary_incidents(self._seed, list(self.machines), device, times_us)
        if active:
            clean = apply_faults(clean, times_us, active, lambda at_us: self._clean(machine, at_us))
        return {quantity.key: _as_measured(clean[quantity.key], quantity) for quantity in machine.quantities}

    def _clean(self, machine: Machine, times_us: npt.NDArray[np.int64]) -> models.Signals:
        drive = Drive(self._seed * 1_009 + self._number[machine.key] * 31, to_seconds(times_us), self._zone)
        modelled = machine.model(drive)
        return {quantity.key: modelled[quantity.key] for quantity in machine.quantities}


def _as_measured(values: Values, quantity: Quantity) -> Values:
    """Rounded as the sensor rounds, never below its range, and without negative zeros."""
    limited: Values = np.maximum(values, quantity.low)
    return limited.round(quantity.decimals) + 0.0
