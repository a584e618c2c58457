"""The engine killed at any moment: afterwards the events are those of a run that nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from factoryops.alarms.engine import AlarmEngine
from factoryops.alarms.records import read_in_force
from factoryops.contracts import http
from factoryops.domain.conditions.tree import (
    AllOf,
    Compare,
    Comparison,
    Constant,
    Held,
    NoData,
    Not,
    Parameter,
    Window,
    WindowFunction,
)
from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.domain.time import from_us
from factoryops.journal.reader import JournalReader
from tests.support.engine_site import EngineSite
from tests.support.waiting import wait_until

START_S = 1_750_000_000
DEVICES = ("pump-1", "pump-2", "press-1")
ROOT = Path(__file__).parents[3]
OFTEN_S, NEVER_S = 0.2, 3_600.0
"""How often the engine records its state: at every turn nearly, or never while a test lasts."""


def start(plant: EngineSite, failpoint: str = "", *, save_every_s: float = OFTEN_S) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "FACTORYOPS_FAILPOINT": failpoint}
    command = [sys.executable, "-m", "tests.support.engine_process", str(plant.folder), str(save_every_s)]
    return subprocess.Popen(command, cwd=ROOT, env=environment)


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0


def add_rules(plant: EngineSite) -> None:
    plant.add_rule(name="High", limit=5.0)
    plant.add_rule(name="High for long", limit=6.0, on_delay_s=3.0, off_delay_s=2.0, deadband=0.5)
    plant.site.add_device("pump-2")
    high, others = _high(""), _high("pump-2")
    plant.add_condition("Alone", AllOf((high, Not(others))), on_delay_s=1.0)
    plant.add_condition("Lasting", Held(high, 4.0))
    plant.add_condition("Silent", NoData(5.0))
    plant.add_condition("Mean", Window(Parameter("pressure"), WindowFunction.MEAN, 8.0, Comparison.ABOVE, 5.5))


def _high(device: str) -> Compare:
    return Compare(Parameter("pressure", device), Comparison.ABOVE, Constant(5.0))


def write_row(plant: EngineSite, number: int, chance: random.Random) -> int:
    moment_s = START_S + number
    key = plant.key(chance.choice(DEVICES))
    return plant.write([(moment_s, chance.uniform(3.0, 8.0))], key=key, watermark_s=moment_s - 2 if number % 4 else 0)


def undisturbed(plant: EngineSite) -> list[tuple[str, int, str, float, float | None]]:
    """The events of a run in one piece over the same journal."""
    engine, wanted = AlarmEngine(), read_in_force(plant.site.database)
    engine.set_calculations(wanted.calculations)
    engine.set_rules(wanted.rules)
    reader = JournalReader(plant.config.journal_path)
    found = []
    while batches := reader.read():
        found += [one for batch in batches for one in engine.feed(batch, reader.series)]
    reader.close()
    events = [(one.alarm_id, one.annunciation, one.kind, from_us(one.at_us).timestamp(), one.value) for one in found]
    return sorted(events, key=lambda event: (event[0], event[1], event[3], event[2] == "cleared"))


def finish(plant: EngineSite, last: int) -> None:
    process = start(plant)
    try:
        wait_until(lambda: plant.checkpoint() == last, timeout_s=20, what="the checkpoint")
    finally:
        stop(process)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("save_every_s", [OFTEN_S, NEVER_S])
@pytest.mark.parametrize(
    "failpoint", ["engine_before_record:2", "engine_after_derived_before_record:3", "engine_after_record:3"]
)
def test_killed_between_telling_and_recording_it_says_the_same_again_and_records_it_once(
    plant: EngineSite, failpoint: str, save_every_s: float
) -> None:
    add_rules(plant)
    chance = random.Random(failpoint)
    process = start(plant, failpoint, save_every_s=save_every_s)
    wait_until(plant.config.snapshot_path.exists, timeout_s=20, what="the start")
    pause = threading.Event()
    number, last = 0, 0
    while process.poll() is None:
        last = write_row(plant, number, chance)
        number += 1
        pause.wait(0.01)
        assert number < 2_000, "the fail point was never reached"
    assert process.returncode == -signal.SIGKILL
    for _ in range(20):
        last = write_row(plant, number, chance)
        number += 1
    finish(plant, last)
    assert plant.dated_events() == undisturbed(plant)
    assert {(one.alarm_id, one.annunciation, one.kind) for one in plant.told()} == {
        event[:3] for event in undisturbed(plant)
    }


@pytest.mark.timeout(120)
def test_killed_at_random_moments_under_load_nothing_is_lost_and_nothing_is_said_twice(plant: EngineSite) -> None:
    add_rules(plant)
    chance = random.Random(7)
    pause = threading.Event()
    number, last, kills = 0, 0, 0
    for save_every_s in (OFTEN_S, NEVER_S, NEVER_S):
        process = start(plant, save_every_s=save_every_s)
        told = len(plant.told()) if plant.config.derived_path.exists() else 0
        enough = chance.randint(1, 60)
        while not plant.config.derived_path.exists() or len(plant.told()) < told + enough:
            last = write_row(plant, number, chance)
            number += 1
            pause.wait(0.002)
            assert process.poll() is None
        process.kill()
        process.wait()
        kills += 1
    finish(plant, last)
    assert kills == 3
    assert len(plant.dated_events()) > 20
    assert plant.dated_events() == undisturbed(plant)


def add_calculations(plant: EngineSite) -> None:
    for device in DEVICES[:2]:
        plant.site.add_parameter(device=plant.site.add_device(device))
    for key, expression in (
        ("change", "delta(pressure, 5 s) + pressure"),
        ("together", '(pressure + "pump-2".pressure) / 2'),
        ("smooth", "mean(together, 10 s)"),
    ):
        content = http.CalculationContent(device_key="pump-1", parameter_key=key, name=key, expression=expression)
        plant.site.database.run(lambda tx, content=content: tx.calculations(plant.site.scope).create(content, "op1"))  # type: ignore[misc]  # bound per turn
    for key in ("change", "smooth"):
        plant.add_rule(name=f"High {key}", parameter_key=key, limit=5.5)


def write_jumbled_row(plant: EngineSite, number: int, chance: random.Random) -> int:
    """Devices not in the order of their times, and now and then a late sample."""
    at_s = START_S + number + chance.choice((0.0, -0.5, 0.5))
    flags = int(SampleFlag.LATE) if chance.random() < 0.1 else 0
    moment = (at_s - 30 if flags else at_s, chance.uniform(3.0, 8.0))
    watermark_s = START_S + number - 2 if number % 4 else 0
    return plant.write([moment], key=plant.key(chance.choice(DEVICES)), watermark_s=watermark_s, flags=flags)


def calculated_in(plant: EngineSite) -> list[tuple[int, int, float]]:
    """Every value of the derived journal, repetitions included."""
    reader = JournalReader(plant.config.derived_path)
    found: list[tuple[int, int, float]] = []
    while batches := reader.read():
        found += [row for batch in batches for row in _rows(batch.samples)]
    reader.close()
    return sorted(found)


def _rows(samples: SampleColumns) -> list[tuple[int, int, float]]:
    return list(zip(samples.series.tolist(), samples.time_us.tolist(), samples.value.tolist(), strict=True))


def calculated_undisturbed(plant: EngineSite) -> list[tuple[int, int, float]]:
    wanted, engine = read_in_force(plant.site.database), AlarmEngine()
    engine.set_calculations(wanted.calculations)
    engine.set_rules(wanted.rules)
    reader = JournalReader(plant.config.journal_path)
    while batches := reader.read():
        for batch in batches:
            engine.feed(batch, reader.series)
    reader.close()
    return sorted(row for one in engine.take_calculated() for row in _rows(one.samples))


@pytest.mark.timeout(120)
def test_killed_at_random_moments_calculated_values_and_their_alarms_are_those_of_one_run(plant: EngineSite) -> None:
    add_calculations(plant)
    chance = random.Random(11)
    pause = threading.Event()
    number, last = 0, 0
    for _ in range(3):
        process = start(plant)
        there = len(calculated_in(plant)) if plant.config.derived_path.exists() else 0
        enough = chance.randint(1, 40)
        while not plant.config.derived_path.exists() or len(calculated_in(plant)) < there + enough:
            last = write_jumbled_row(plant, number, chance)
            number += 1
            pause.wait(0.002)
            assert process.poll() is None
        process.kill()
        process.wait()
    finish(plant, last)
    found = calculated_in(plant)
    assert len(found) > 100
    assert found == calculated_undisturbed(plant)
    assert plant.dated_events() == undisturbed(plant)
    assert plant.dated_events()
