from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.plant import is_key
from factoryops.domain.time import US_PER_S
from factoryops.simulator.faults import Fault, FaultKind, parse_fault
from factoryops.simulator.plant import MACHINES, Plant
from factoryops.simulator.publisher import measured

MONDAY_US = 1_795_420_800 * US_PER_S  # 2026-11-23 08:00 UTC, 09:00 in Berlin
DAY_US = 86_400 * US_PER_S
devices = st.sampled_from([machine.key for machine in MACHINES])


def times(start_us: int, length_s: int, step_s: int = 5) -> npt.NDArray[np.int64]:
    return np.arange(start_us, start_us + length_s * US_PER_S, step_s * US_PER_S, dtype=np.int64)


def test_the_plant_has_three_areas_a_dozen_machines_and_five_to_ten_parameters_each() -> None:
    assert len({machine.area for machine in MACHINES}) == 3
    assert len(MACHINES) >= 12
    assert all(5 <= len(machine.quantities) <= 10 for machine in MACHINES)
    assert all(1 <= machine.period_s <= 5 for machine in MACHINES)
    assert all(is_key(machine.key) and is_key(one.key) for machine in MACHINES for one in machine.quantities)


@pytest.mark.parametrize("device", [machine.key for machine in MACHINES])
def test_a_day_stays_within_the_sensors_ranges(device: str) -> None:
    plant = Plant()
    signals = plant.signals(device, times(MONDAY_US, 86_400, 7))
    for one in plant.machine(device).quantities:
        values = signals[one.key]
        assert np.isfinite(values).all(), one.key
        assert values.min() >= one.low, one.key
        assert values.max() <= one.high * 1.2, one.key
        assert np.array_equal(values, np.round(values, one.decimals)), one.key
        if one.key != "setpoint":
            assert len(np.unique(values)) > 1, one.key


@given(device=devices, start_s=st.integers(0, 400_000_000), cut=st.integers(1, 39), seed=st.integers(1, 5))
def test_any_moment_can_be_computed_alone_so_history_and_live_are_one_line(
    device: str, start_s: int, cut: int, seed: int
) -> None:
    plant = Plant(seed=seed)
    moments = times((1_600_000_000 + start_s) * US_PER_S, 200)
    whole = plant.signals(device, moments)
    first, second = plant.signals(device, moments[:cut]), plant.signals(device, moments[cut:])
    for key, values in whole.items():
        assert np.array_equal(np.concatenate([first[key], second[key]]), values)
    alone = measured(plant, device, int(moments[cut]))
    assert alone == {key: values[cut] for key, values in whole.items()}


def test_signals_are_correlated_as_physics_has_it() -> None:
    signals = Plant(has_incidents=False).signals("pump-1", times(MONDAY_US, 86_400, 20))

    def together(one: str, two: str) -> float:
        return float(np.corrcoef(signals[one], signals[two])[0, 1])

    assert together("speed", "flow") > 0.95
    assert together("speed", "discharge_pressure") > 0.95
    assert together("speed", "motor_current") > 0.9
    assert together("speed", "suction_pressure") < -0.9
    assert together("speed", "vibration") > 0.8
    assert 0.5 < together("speed", "motor_temperature") < 0.97


def test_temperature_lags_behind_load() -> None:
    signals = Plant(has_incidents=False).signals("pump-1", times(MONDAY_US, 86_400, 20))
    power = signals["power"] - signals["power"].mean()
    heat = signals["motor_temperature"] - signals["motor_temperature"].mean()
    agreement = [float((power[: len(power) - lag] * heat[lag:]).mean()) for lag in range(90)]
    assert 5 <= int(np.argmax(agreement)) <= 60  # 100 s to 20 min


def test_breaks_of_the_shift_show_in_the_plants_own_zone() -> None:
    berlin = Plant(has_incidents=False)
    working = berlin.signals("pump-1", times(MONDAY_US - 1_800 * US_PER_S, 600))["power"].mean()
    at_break = berlin.signals("pump-1", times(MONDAY_US + 300 * US_PER_S, 600))["power"].mean()
    assert at_break < 0.5 * working
    elsewhere = Plant(timezone="Asia/Kolkata", has_incidents=False)
    assert elsewhere.signals("pump-1", times(MONDAY_US + 300 * US_PER_S, 600))["power"].mean() > 1.5 * at_break


def test_another_seed_is_another_plant() -> None:
    moments = times(MONDAY_US, 600)
    assert not np.array_equal(
        Plant(seed=1).signals("cnc-1", moments)["power"], Plant(seed=2).signals("cnc-1", moments)["power"]
    )


def test_an_ordinary_day_has_some_mishaps_and_long_quiet_stretches() -> None:
    moments = times(MONDAY_US, 86_400, 20)
    troubled = {
        machine.key
        for machine in MACHINES
        if any(
            not np.array_equal(one, two)
            for one, two in zip(
                Plant().signals(machine.key, moments).values(),
                Plant(has_incidents=False).signals(machine.key, moments).values(),
                strict=True,
            )
        )
    }
    assert 3 <= len(troubled) <= 9


@pytest.mark.parametrize(
    ("device", "kind", "key", "factor"),
    [
        ("pump-1", FaultKind.CAVITATION, "discharge_pressure", 0.5),
        ("pump-1", FaultKind.BEARING_WEAR, "vibration", 3.0),
        ("pump-2", FaultKind.BLOCKED_FILTER, "filter_pressure_drop", 2.5),
        ("furnace-1", FaultKind.OVERHEATING, "chamber_temperature", 1.05),
        ("compressor-1", FaultKind.PRESSURE_LOSS, "net_pressure", 0.75),
    ],
)
def test_a_fault_shows_in_the_signal_that_gives_it_away_and_ends_when_mended(
    device: str, kind: FaultKind, key: str, factor: float
) -> None:
    plant = Plant(has_incidents=False)
    start_us, end_us = MONDAY_US - 3_000 * US_PER_S, MONDAY_US - 2_200 * US_PER_S
    fault = Fault(device, kind, start_us, end_us)
    moments = times(start_us - 300 * US_PER_S, 1_400)
    healthy, broken = plant.signals(device, moments)[key], plant.signals(device, moments, [fault])[key]
    inside = (moments >= start_us) & (moments < end_us)
    late = inside & (moments > end_us - 200 * US_PER_S)
    assert np.array_equal(healthy[~inside], broken[~inside])
    ratio = broken[late].mean() / healthy[late].mean()
    assert ratio < factor if factor < 1 else ratio > factor


def test_a_stuck_sensor_shows_what_it_showed_first_and_the_others_go_on() -> None:
    plant = Plant(has_incidents=False)
    moments = times(MONDAY_US - 3_000 * US_PER_S, 300)
    signals = plant.signals("pump-1", moments, [Fault("pump-1", FaultKind.SENSOR_STUCK, int(moments[10]))])
    assert len(np.unique(signals["discharge_pressure"][10:])) == 1
    assert signals["discharge_pressure"][10] == plant.signals("pump-1", moments)["discharge_pressure"][10]
    assert len(np.unique(signals["flow"])) > 10


def test_a_machine_off_line_measures_nothing_and_the_others_do() -> None:
    plant = Plant()
    fault = Fault("pump-1", FaultKind.OFFLINE, MONDAY_US)
    assert measured(plant, "pump-1", MONDAY_US, (fault,)) == {}
    assert len(measured(plant, "pump-2", MONDAY_US, (fault,))) == 10


@pytest.mark.parametrize("text", ["pump-1", "pump-1:", ":cavitation", "pump-1:tsunami", ""])
def test_a_fault_nobody_knows_is_refused_naming_what_is_possible(text: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        Plant().machine(parse_fault(text, at_us=0).device)
    assert "cavitation" in str(error.value) or "pump-1" in str(error.value)


def test_a_chattering_sensor_jumps_up_and_back_and_the_others_do_not() -> None:
    plant = Plant(has_incidents=False)
    moments = times(MONDAY_US, 240, 1)
    healthy = plant.signals("pump-1", moments)
    broken = plant.signals("pump-1", moments, [Fault("pump-1", FaultKind.CHATTERING, MONDAY_US)])
    is_up = broken["vibration"] > 2 * healthy["vibration"]
    assert int(np.abs(np.diff(is_up.astype(int))).sum()) == 240 // 12 - 1
    assert np.array_equal(broken["flow"], healthy["flow"])
