"""Readable names and units of what nobody has described yet."""

from __future__ import annotations

import pytest

from factoryops.domain.naming import guessed_unit, readable_name


@pytest.mark.parametrize(
    ("key", "name", "unit"),
    [
        ("temperature", "Temperature", "°C"),
        ("Accelerometer1RMS", "Accelerometer 1 RMS", ""),
        ("Volume Flow RateRMS", "Volume Flow Rate RMS", ""),
        ("Pressure", "Pressure", ""),
        ("Thermocouple", "Thermocouple", "°C"),
        ("discharge_pressure_bar", "Discharge Pressure", "bar"),
        ("energy_kwh", "Energy", "kWh"),
        ("kw", "Kw", "kW"),
        ("power", "Power", "W"),
        ("power_factor", "Power Factor", ""),
        ("pf", "PF", ""),
        ("voltage_l1", "Voltage L1", "V"),
        ("i_l1", "I L1", "A"),
        ("motorCurrent", "Motor Current", "A"),
        ("frequency", "Frequency", "Hz"),
        ("vibration", "Vibration", ""),
        ("humidity", "Humidity", "%"),
        ("pump-1", "Pump 1", ""),
        ("Druck im Kessel", "Druck Im Kessel", ""),
        ("!!!", "!!!", ""),
        ("温度", "温度", ""),
    ],
)
def test_a_key_becomes_a_name_and_only_a_certain_unit(key: str, name: str, unit: str) -> None:
    assert (readable_name(key), guessed_unit(key)) == (name, unit)
