"""Models of the machines: how load drives current, heat, pressure and vibration in each kind.

Each model takes a `Drive` and returns one array per quantity key, in the unit its `Quantity` names. Channels (the small
integers) keep the random lines of one machine apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from factoryops.simulator.drive import Drive, Values

Signals = dict[str, Values]
Model = Callable[[Drive], Signals]


def _outdoor_c(drive: Drive) -> Values:
    """A mild day: coolest before dawn, warmest in the afternoon."""
    return 12 + 6 * np.sin(2 * np.pi * (drive.times_s / 86_400 - 0.36)) + 1.5 * drive.drift(31, 14_400)


def _busy(drive: Drive) -> Values:
    return drive.busy()


def _busy_squared(drive: Drive) -> Values:
    return drive.busy() ** 2


def pump(drive: Drive) -> Signals:
    """Centrifugal pump on a variable-speed drive: flow follows speed, pressure its square, power its cube."""
    load = drive.lagged(_busy, 12)
    speed = 1_050 + 1_750 * load
    share = speed / 2_900
    clogging = 0.5 + 0.5 * ((drive.times_s / 86_400 + drive.seed % 5) % 6) / 6
    flow = 62 * share * (1 + 0.015 * drive.drift(11, 40))
    power = 15.5 * share**3 + 1.1
    wear = 1 + 0.15 * drive.drift(12, 90_000)
    return {
        "speed": speed + 3 * drive.noise(13),
        "flow": flow + 0.16 * drive.noise(14),
        "suction_pressure": 1.35 - 0.35 * share**2 + 0.008 * drive.noise(15),
        "discharge_pressure": 1.4 + 4.4 * share**2 + 0.08 * drive.drift(16, 55) + 0.018 * drive.noise(17),
        "filter_pressure_drop": 0.62 * clogging * share**2 + 0.05 + 0.004 * drive.noise(18),
        "motor_current": 6.5 + 1.62 * power + 0.12 * drive.noise(19),
        "power": power + 0.05 * drive.noise(20),
        "motor_temperature": 34 + 33 * drive.lagged(_busy_squared, 900) + 0.12 * drive.noise(21),
        "bearing_temperature": 31 + 24 * drive.lagged(_busy, 1_300) * wear + 0.1 * drive.noise(22),
        "vibration": (0.9 + 1.3 * share**2) * wear + 0.06 * drive.noise(23),
    }


def compressor(drive: Drive) -> Signals:
    """Screw compressor between loading and unloading: net pressure saws between two limits as air is drawn."""
    demand = drive.busy()
    phase = drive.cycle(74)
    loading = phase < 0.25 + 0.6 * demand
    height = np.where(loading, phase / (0.25 + 0.6 * demand), (1 - phase) / (0.75 - 0.6 * demand + 1e-9))
    oil = 61 + 21 * drive.lagged(_busy, 700)
    return {
        "net_pressure": 6.85 + 0.62 * np.clip(height, 0, 1) - 0.2 * demand + 0.01 * drive.noise(11),
        "air_flow": np.where(loading, 11.4, 0.35) + 0.07 * drive.noise(12),
        "motor_current": np.where(loading, 128.0, 46.0) + 1.1 * drive.noise(13),
        "power": np.where(loading, 74.5, 22.0) + 0.5 * drive.noise(14),
        "oil_temperature": oil + 0.15 * drive.noise(15),
        "discharge_temperature": oil + 9.5 + 4 * drive.lagged(_busy, 60) + 0.2 * drive.noise(16),
        "vibration": 2.1 + 0.75 * np.where(loading, 1.0, 0.35) + 0.09 * drive.noise(17),
    }


def chiller(drive: Drive) -> Signals:
    """Water chiller: the supply is held by control, the return follows what the plant rejects."""
    heat = drive.lagged(_busy, 420)
    outdoor = _outdoor_c(drive)
    supply = 6.4 + 0.55 * heat + 0.22 * drive.drift(11, 190)
    power = 21 + 58 * heat * (1 + 0.012 * (outdoor - 12))
    return {
        "supply_temperature": supply + 0.02 * drive.noise(12),
        "return_temperature": supply + 1.3 + 4.9 * heat + 0.02 * drive.noise(13),
        "flow": 88 + 2.2 * drive.drift(14, 75) + 0.25 * drive.noise(15),
        "condenser_pressure": 9.6 + 0.11 * outdoor + 1.9 * heat + 0.03 * drive.noise(16),
        "evaporator_pressure": 3.35 - 0.28 * heat + 0.012 * drive.noise(17),
        "power": power + 0.35 * drive.noise(18),
        "outdoor_temperature": outdoor + 0.03 * drive.noise(19),
    }


def boiler(drive: Drive) -> Signals:
    """Steam boiler: the burner follows the steam drawn, pressure sags a little under load."""
    demand = drive.lagged(_busy, 150)
    burner = np.clip(18 + 74 * demand + 3 * drive.drift(11, 45), 0, 100)
    return {
        "steam_pressure": 7.9 - 0.55 * demand + 0.16 * drive.drift(12, 120) + 0.012 * drive.noise(13),
        "steam_flow": 0.7 + 5.1 * demand + 0.04 * drive.noise(14),
        "burner_output": burner + 0.3 * drive.noise(15),
        "gas_flow": 14 + 3.45 * burner + 0.8 * drive.noise(16),
        "flue_gas_temperature": 118 + 0.86 * burner + 0.5 * drive.noise(17),
        "oxygen": 5.9 - 0.026 * burner + 0.25 * drive.drift(18, 60) + 0.03 * drive.noise(19),
        "feed_water_temperature": 101 + 1.6 * drive.drift(20, 260) + 0.06 * drive.noise(21),
        "water_level": 52 + 3.4 * drive.drift(22, 80) + 0.25 * drive.noise(23),
    }


def press(drive: Drive) -> Signals:
    """Hydraulic press: strokes while the shift works, oil that warms with them."""
    working = drive.step(11, 150) < 0.15 + 0.85 * drive.busy()
    stroke = np.clip(np.sin(2 * np.pi * drive.cycle(11)), 0, 1) ** 0.7 * working
    force = 1_150 + 380 * drive.step(12, 1_800)
    oil = 37 + 17 * drive.lagged(_busy, 1_500)
    return {
        "hydraulic_pressure": 34 + 176 * stroke * force / 1_530 + 0.9 * drive.noise(13),
        "force": force * stroke + 2.5 * drive.noise(14),
        "strokes_per_minute": np.where(working, 5.45, 0.0) + 0.02 * drive.noise(15) * working,
        "motor_current": 31 + 84 * stroke + 14 * working + 0.6 * drive.noise(16),
        "oil_temperature": oil + 0.08 * drive.noise(17),
        "oil_level": 81.5 - 0.05 * (oil - 37) - 2.2 * stroke + 0.06 * drive.noise(18),
        "vibration": 1.1 + 2.3 * stroke + 0.11 * drive.noise(19),
    }


_SPINDLE_RPM: Final = np.array([0.0, 4_000.0, 6_000.0, 8_000.0, 8_000.0, 12_000.0])


def _spindle_rpm(drive: Drive) -> Values:
    level = drive.step(11, 42)
    running = level < 0.12 + 0.88 * drive.busy()
    chosen = (_operation(drive) * len(_SPINDLE_RPM)).astype(np.int64)
    return _SPINDLE_RPM[chosen] * running


def _operation(drive: Drive) -> Values:
    """The cut being made: a level in [0, 1) that holds for one operation."""
    return drive.step(12, 42)


def _spindle_heat(drive: Drive) -> Values:
    return (_spindle_rpm(drive) / 12_000) ** 1.3


def machining_centre(drive: Drive) -> Signals:
    """CNC machining centre: operations of about 40 s, each with its own speed and cutting load."""
    speed = drive.lagged(_spindle_rpm, 1.2)
    cutting = np.where(speed > 500, 18 + 52 * drive.step(13, 42) + 6 * drive.drift(14, 3), 2.5)
    heat = drive.lagged(_spindle_heat, 260)
    return {
        "spindle_speed": speed + np.where(speed > 100, 4.0, 0.0) * drive.noise(15),
        "spindle_load": np.clip(cutting + 0.9 * drive.noise(16), 0, 120),
        "spindle_temperature": 27 + 31 * heat + 0.07 * drive.noise(17),
        "feed_rate": (900 + 1_900 * drive.step(18, 42) + 1.5 * drive.noise(19)) * (speed > 500),
        "coolant_pressure": np.where(speed > 500, 19.2, 0.4) + 0.09 * drive.noise(20),
        "coolant_temperature": 21.5 + 4.2 * drive.lagged(_busy, 1_100) + 0.04 * drive.noise(21),
        "vibration": 0.35 + 1.15 * speed / 12_000 + 0.011 * cutting + 0.045 * drive.noise(22),
        "power": 2.3 + 0.0007 * speed + 0.16 * cutting * speed / 12_000 + 0.06 * drive.noise(23),
    }


def furnace(drive: Drive) -> Signals:
    """Hardening furnace: charges of 96 minutes; a cold charge pulls the chamber down, the heaters bring it back."""
    phase = drive.cycle(5_760)
    dip = np.exp(-phase * 11) * (1 - np.exp(-phase * 160))
    chamber = 862 - 118 * dip + 1.8 * np.sin(2 * np.pi * drive.times_s / 48)
    heating = np.clip(38 + 300 * dip - 2.6 * (chamber - 860) + 5 * drive.drift(11, 30), 0, 100)
    return {
        "chamber_temperature": chamber + 0.4 * drive.noise(12),
        "setpoint": np.full(len(phase), 862.0),
        "wall_temperature": 58 + 4.2 * drive.drift(13, 3_600) + 0.1 * drive.noise(14),
        "heater_output": np.clip(heating + 0.2 * drive.noise(15), 0, 100),
        "power": 6 + 1.74 * heating + 0.4 * drive.noise(16),
        "atmosphere_flow": 12.6 + 0.35 * drive.drift(17, 100) + 0.03 * drive.noise(18),
        "carbon_potential": 0.82 - 0.09 * dip + 0.012 * drive.drift(19, 240) + 0.002 * drive.noise(20),
    }


def mixer(drive: Drive) -> Signals:
    """Batch mixer: filling, mixing while the product thickens, emptying; 38 minutes a batch."""
    phase = drive.cycle(2_280)
    filled = np.clip(phase / 0.18, 0, 1) * np.clip((1 - phase) / 0.10, 0, 1)
    turning = np.clip((phase - 0.14) / 0.03, 0, 1) * np.clip((0.93 - phase) / 0.02, 0, 1)
    thickness = np.clip((phase - 0.2) / 0.6, 0, 1)
    return {
        "level": 4 + 88 * filled + 0.3 * drive.noise(11),
        "speed": (62 + 48 * (phase > 0.45)) * turning + 0.3 * drive.noise(12) * (turning > 0),
        "torque": turning * filled * (110 + 190 * thickness + 9 * drive.drift(13, 20)) + 0.8 * drive.noise(14),
        "motor_current": 5.5 + turning * (9 + 17 * thickness * filled) + 0.15 * drive.noise(15),
        "product_temperature": 22 + 27 * thickness * filled + 0.08 * drive.noise(16),
        "jacket_pressure": 1.6 + 0.75 * (thickness > 0) + 0.02 * drive.noise(17),
        "viscosity": 240 + 2_450 * thickness**1.6 * filled + 12 * drive.noise(18),
    }


def conveyor(drive: Drive) -> Signals:
    """Belt conveyor: goes with the shift, its load is what lies on it."""
    running = drive.step(11, 75) < 0.35 + 0.7 * drive.busy()
    mass = running * (120 + 260 * drive.busy() * (0.8 + 0.2 * drive.drift(12, 25)))
    return {
        "belt_speed": 0.82 * running + 0.004 * drive.noise(13) * running,
        "belt_load": np.clip(mass + 3 * drive.noise(14), 0, None),
        "motor_current": 2.4 + running * (5.6 + 0.021 * mass) + 0.07 * drive.noise(15),
        "motor_temperature": 29 + 22 * drive.lagged(_busy, 800) + 0.09 * drive.noise(16),
        "belt_tension": 4.1 + 0.0028 * mass + 0.16 * drive.drift(17, 5_400) + 0.015 * drive.noise(18),
        "vibration": 0.5 + 0.85 * running + 0.05 * drive.noise(19),
    }


def dryer(drive: Drive) -> Signals:
    """Air dryer: hot air in, humidity out, as much as the line feeds it."""
    feed = drive.lagged(_busy, 240)
    inlet = 118 + 3.1 * drive.drift(11, 150)
    return {
        "inlet_temperature": inlet + 0.15 * drive.noise(12),
        "outlet_temperature": inlet - 27 - 19 * feed + 0.2 * drive.noise(13),
        "exhaust_humidity": 13 + 41 * feed + 1.1 * drive.drift(14, 60) + 0.15 * drive.noise(15),
        "fan_speed": 930 + 330 * feed + 1.6 * drive.noise(16),
        "filter_pressure_drop": 3.1 + 2.3 * feed + 0.7 * drive.drift(17, 40_000) + 0.04 * drive.noise(18),
        "gas_flow": 9 + 23.5 * feed + 0.15 * drive.noise(19),
        "vibration": 1.2 + 0.8 * feed + 0.06 * drive.noise(20),
    }


def packer(drive: Drive) -> Signals:
    """Packaging line: packs per minute, with short stops."""
    running = drive.step(11, 55) < 0.10 + 0.9 * drive.busy()
    rate = running * (34 + 9 * drive.busy() + 1.5 * drive.drift(12, 12))
    return {
        "packs_per_minute": np.clip(rate, 0, None),
        "reject_rate": np.clip(0.9 + 0.7 * drive.drift(13, 600) + 0.12 * drive.noise(14), 0, None) * running,
        "seal_temperature": 164 + 2.4 * drive.drift(15, 70) - 3.2 * (~running) + 0.15 * drive.noise(16),
        "air_pressure": 6.05 - 0.35 * drive.busy() + 0.02 * drive.noise(17),
        "motor_current": 1.9 + 0.13 * rate + 0.05 * drive.noise(18),
        "power": 1.4 + 0.085 * rate + 0.03 * drive.noise(19),
    }
