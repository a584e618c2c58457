"""Calculated parameters in the engine role: written once, seen by rules, surviving restarts and an absent database."""

from __future__ import annotations

import random
import time

import pytest

from factoryops.alarms.evaluation import Evaluation
from factoryops.alarms.live_journal import LiveJournal
from factoryops.alarms.records import commit, load_state, read_in_force
from factoryops.contracts import http
from factoryops.database.database import Database
from factoryops.domain.samples import SampleFlag, SeriesKey, series_id
from factoryops.journal.reader import JournalReader
from factoryops.observability.heartbeat import read_heartbeats
from tests.support.engine_site import US, EngineSite
from tests.support.waiting import until

CALCULATED = int(SampleFlag.CALCULATED)


def add(plant: EngineSite, expression: str, *, parameter: str = "calculated", **fields: object) -> http.Calculation:
    content = http.CalculationContent.model_validate(
        {"device_key": "pump-1", "parameter_key": parameter, "name": "Calculated", "unit": "bar",
         "expression": expression, **fields}
    )  # fmt: skip
    return plant.site.database.run(lambda tx: tx.calculations(plant.site.scope).create(content, "op1"))


def found(plant: EngineSite, *, parameter: str = "calculated") -> list[tuple[float, float, int]]:
    """(time in seconds, value, flags) of every row of the derived journal, repetitions included."""
    reader = JournalReader(plant.config.derived_path)
    wanted = series_id(SeriesKey(plant.site.factory.id, "pump-1", parameter))
    rows: list[tuple[float, float, int]] = []
    while batches := reader.read():
        for batch in batches:
            one = batch.samples.take(batch.samples.series == wanted)
            rows += zip((one.time_us / US).tolist(), one.value.tolist(), one.flags.tolist(), strict=True)
    assert not rows or reader.series[wanted] == SeriesKey(plant.site.factory.id, "pump-1", parameter)
    reader.close()
    return rows


async def test_a_calculated_parameter_is_written_and_raises_alarms_like_any_other(plant: EngineSite) -> None:
    plant.site.add_parameter()
    add(plant, "pressure * 2")
    plant.add_rule(parameter_key="calculated", limit=10.0)
    start = int(time.time())
    async with plant.running():
        plant.write([(start, 4.0), (start + 1, 6.0)], watermark_s=start + 1)
        plant.write(watermark_s=start + 3)
        await until(lambda: plant.events() == [(1, "raised")])
        alarm = plant.site.alarms()[0]
        assert (alarm.parameter_key, alarm.value, alarm.message) == (
            "calculated", 12.0, "Calculated is 12.00 bar, above the limit of 10 bar",
        )  # fmt: skip
        assert found(plant) == [(start, 8.0, CALCULATED), (start + 1, 12.0, CALCULATED)]
        plant.write([(start + 4, 1.0)], watermark_s=start + 5)
        await until(lambda: plant.events() == [(1, "raised"), (1, "cleared")])


async def test_a_change_holds_from_a_row_of_the_journal_on(plant: EngineSite) -> None:
    plant.site.add_parameter()
    made = add(plant, "pressure * 2")
    start = int(time.time())
    async with plant.running():
        plant.write([(start, 1.0)], watermark_s=start + 1)
        await until(lambda: found(plant))
        update = http.CalculationUpdate(
            version=1, content=made.content.model_copy(update={"expression": "pressure * 3"})
        )
        scope = plant.site.scope
        plant.site.database.run(lambda tx: tx.calculations(scope).update(made.id, 1, update.content, "op1"))

        def holds_from() -> int | None:
            return plant.site.database.read(lambda tx: tx.calculations(scope).get(made.id)).holds_from_seq

        await until(holds_from)
        row = plant.write([(start + 2, 1.0)], watermark_s=start + 3)
        await until(lambda: len(found(plant)) == 2)
        assert [value for _, value, _ in found(plant)] == [2.0, 3.0]
        assert (holds_from() or 0) <= row


async def test_a_stopped_calculation_says_why_and_others_go_on(
    plant: EngineSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("factoryops.rules.program.MOST_HELD", 10)
    plant.site.add_parameter()
    wide = add(plant, "mean(pressure, 1 h)", parameter="wide")
    add(plant, "pressure * 2", maximum_age_s=2)
    start = int(time.time())
    async with plant.running():
        for at_s in range(start, start + 20):
            plant.write([(at_s, 1.0)], watermark_s=at_s + 1)
        await until(lambda: len(found(plant)) == 20)

        def fault() -> str | None:
            return plant.site.database.read(lambda tx: tx.calculations(plant.site.scope).get(wide.id)).fault

        await until(fault)
        assert "more than 10 samples" in (fault() or "")
        problems = read_heartbeats(plant.config.heartbeat_folder)["engine"].problems
        assert [(one.code, one.factory) for one in problems] == [
            (f"calculation_stopped:{wide.id}", plant.site.factory.id)
        ]
    assert len(found(plant, parameter="wide")) == 10


def _started(plant: EngineSite, database: Database) -> tuple[Evaluation, LiveJournal]:
    config = plant.config
    live = LiveJournal(config.derived_path, config.checkpoints_folder, config.doorbell_folder)
    evaluation = Evaluation(config.journal_path, live)
    state = load_state(database)
    evaluation.resume(state)
    if state is None:
        wanted = read_in_force(database)
        evaluation.engine.set_calculations(wanted.calculations)
        evaluation.engine.set_rules(wanted.rules)
        commit(database, evaluation.record())
    return evaluation, live


@pytest.mark.parametrize("seed", range(3))
def test_crashes_at_random_rows_repeat_nothing_and_lose_nothing(plant: EngineSite, seed: int) -> None:
    """A crash forgets all that was not recorded in the database; the derived journal has every value once."""
    chance = random.Random(seed)
    plant.site.add_parameter()
    add(plant, "mean(pressure, 10 s) + delta(pressure)")
    start = int(time.time())
    evaluation, live = _started(plant, plant.site.database)
    expected: list[float] = []
    for at_s in range(start, start + 60):
        plant.write([(at_s, float(chance.randint(0, 9)))], watermark_s=at_s + 1)
        expected.append(at_s)
        step = chance.random()
        if step < 0.5:
            evaluation.turn()
        elif step < 0.7:
            commit(plant.site.database, evaluation.record())
        elif step < 0.85:
            evaluation.close()
            live.close()
            evaluation, live = _started(plant, plant.site.database)
    evaluation.turn()
    evaluation.close()
    live.close()
    rows = found(plant)
    assert [time_s for time_s, _, _ in rows] == expected[1:]
    ledger = JournalReader(plant.config.derived_path).end()[1]
    assert ledger.values_accepted == len(rows)
