"""The exception deadband: what is held back, what is kept before a step, and that the ledger says so."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factoryops.contracts.snapshot import SnapshotDeadband
from factoryops.domain.samples import SampleFlag
from factoryops.domain.time import US_PER_S
from factoryops.ingest.batch import OpenBatch
from factoryops.journal.records import MessageLedger
from tests.support.admitting import GATEWAY, NOW_US, Admitting
from tests.support.ingest_folder import PLANT, SNAPSHOT

TOPIC = "factories/riverside/devices/pump-1/telemetry"


def new_plant(*deadbands: SnapshotDeadband) -> Admitting:
    plant = msgspec.structs.replace(PLANT, deadbands=list(deadbands or (SnapshotDeadband("pump-1", "t", 0.5, 600.0),)))
    return Admitting(msgspec.structs.replace(SNAPSHOT, factories=[plant]))


def send(plant: Admitting, value: float, **more: float) -> None:
    plant.send(TOPIC, {"timestamp": plant.now_us / 1e6 + 1, "metrics": {"t": value, **more}}, after_s=1)


def kept(plant: Admitting, parameter: str = "t") -> list[tuple[int, float]]:
    return [((time_us - NOW_US) // US_PER_S, value) for _, name, time_us, value, _ in plant.take() if name == parameter]


def test_values_within_the_band_are_held_back_and_the_last_of_them_comes_before_a_step() -> None:
    plant = new_plant()
    for value in (20.0, 20.1, 20.4, 19.6, 25.0, 25.2, 20.0):
        send(plant, value)
    assert kept(plant) == [(1, 20.0), (4, 19.6), (5, 25.0), (6, 25.2), (7, 20.0)]
    assert plant.ledger.values_suppressed == {"deadband": 2}
    assert (plant.ledger.values_accepted, plant.ledger.accepted) == (5, 7)


def test_the_other_parameters_of_the_message_are_untouched() -> None:
    plant = new_plant()
    for number in range(3):
        send(plant, 20.0, other=7.0)
        assert len(plant.samples) == (2 if number == 0 else number + 2)
    assert kept(plant, "other") == [(1, 7.0), (2, 7.0), (3, 7.0)]


def test_a_value_is_kept_after_the_longest_time_whatever_it_is() -> None:
    plant = new_plant(SnapshotDeadband("pump-1", "t", 0.5, 10.0))
    for _ in range(25):
        send(plant, 20.0)
    assert kept(plant) == [(1, 20.0), (10, 20.0), (11, 20.0), (20, 20.0), (21, 20.0)]


def test_a_value_at_the_edge_of_the_band_is_held_back_and_one_beyond_is_not() -> None:
    plant = new_plant()
    for value in (20.0, 20.5, 19.5, 20.51):
        send(plant, value)
    assert kept(plant) == [(1, 20.0), (3, 19.5), (4, 20.51)]


def test_late_values_are_kept_and_do_not_move_the_band() -> None:
    plant = new_plant()
    send(plant, 20.0)
    plant.send(TOPIC, {"timestamp": plant.now_us / 1e6 - 60, "metrics": {"t": 90.0}})
    send(plant, 20.1)
    assert kept(plant) == [(1, 20.0), (-59, 90.0)]


def test_what_is_kept_before_a_step_never_moves_a_condition_when_it_is_old() -> None:
    plant = new_plant()
    send(plant, 20.0)
    send(plant, 20.1)
    plant.send(TOPIC, {"timestamp": plant.now_us / 1e6 + 30, "metrics": {"t": 25.0}}, after_s=30)
    flags = [flags for _, _, _, value, flags in plant.take() if value == 20.1]
    assert flags == [SampleFlag.LATE]


def test_a_device_whose_values_are_all_held_back_is_still_heard() -> None:
    plant = new_plant()
    send(plant, 20.0)
    entry = plant.send(TOPIC, {"timestamp": plant.now_us / 1e6 + 1, "metrics": {"t": 20.0}}, after_s=1)
    assert len(entry.samples) == 0
    assert np.frombuffer(entry.heard, np.int64).tolist() == list(plant.guard._book._series)


def test_a_dropped_batch_puts_the_band_back() -> None:
    plant = new_plant()
    send(plant, 20.0)
    series = dict(plant.guard._book._series)
    dropped = OpenBatch()
    for number, value in enumerate((30.0, 30.1)):
        payload = b'{"timestamp":%d,"metrics":{"t":%f}}' % (NOW_US // US_PER_S + 2 + number, value)
        plant.guard.admit(dropped, GATEWAY, TOPIC.encode(), payload, NOW_US + 5 * US_PER_S)
    assert dropped.entry(MessageLedger()).ledger.values_suppressed == {"deadband": 1}
    plant.guard.rewind([dropped], series)
    plant.take()
    send(plant, 20.2)
    send(plant, 30.0)
    assert kept(plant) == [(2, 20.2), (3, 30.0)]


def test_a_deadband_that_is_taken_away_or_changed_counts_at_once() -> None:
    plant = new_plant()
    send(plant, 20.0)
    send(plant, 20.1)
    plant.guard.apply(SNAPSHOT)
    send(plant, 20.1)
    assert kept(plant) == [(1, 20.0), (3, 20.1)]


@pytest.mark.parametrize("values", [{"on": True}, {"on": False}])
def test_booleans_have_no_deadband(values: dict[str, object]) -> None:
    plant = new_plant(SnapshotDeadband("pump-1", "on", 5.0, 600.0))
    for _ in range(3):
        plant.send(TOPIC, {"metrics": values}, after_s=1)
    assert len(plant.take()) == 3


@settings(deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=60), st.floats(0, 20))
def test_the_line_that_is_left_is_never_further_from_the_truth_than_the_band(values: list[float], width: float) -> None:
    plant = new_plant(SnapshotDeadband("pump-1", "t", width, 20.0))
    for value in values:
        send(plant, value)
    line = dict(kept(plant))
    times = sorted(line)
    for second, value in enumerate(values, 1):
        before = max(time for time in times if time <= second)
        assert abs(line[before] - value) <= width
    suppressed = plant.ledger.values_suppressed.get("deadband", 0)
    assert plant.ledger.values_accepted + suppressed == len(values)
