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
        ("kw", "kW", "kW"),
        ("power_w", "Power", "W"),
        ("active_power", "Active Power", "W"),
        ("active_power_l1", "Active Power L1", "W"),
        ("total_power_kw", "Total Power", "kW"),
        ("phase_current", "Phase Current", "A"),
        ("current_l1", "Current L1", "A"),
        ("current_avg", "Current Avg", "A"),
        ("voltage_avg", "Voltage Avg", "V"),
        ("voltage_line", "Voltage Line", "V"),
        ("v_l1", "V L1", "V"),
        ("kvar", "kvar", "kvar"),
        ("reactive_power", "Reactive Power", "kvar"),
        ("kvah", "kVAh", "kVAh"),
        ("frequency_hz", "Frequency", "Hz"),
        ("run_hours", "Run Hours", "h"),
        ("uptime_s", "Uptime", "s"),
        ("wifi_rssi", "Wifi Rssi", "dBm"),
        ("modbus_errors", "Modbus Errors", ""),
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
