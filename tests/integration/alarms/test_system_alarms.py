"""The service's own problems in the alarm list of every factory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from factoryops.alarms import system_watch
from factoryops.alarms.directory import Directory
from factoryops.alarms.evaluation import Evaluation
from factoryops.alarms.live_journal import LiveJournal
from factoryops.alarms.records import commit, load_state
from factoryops.alarms.system_watch import SystemProblem
from factoryops.contracts import http
from factoryops.domain.system_alarms import SERVICE_DEVICE
from factoryops.domain.time import now_us
from factoryops.observability.heartbeat import HeartbeatFile, Problem
from tests.support.databases import Site, new_site
from tests.support.engine_site import EngineSite
from tests.support.waiting import until

WRONG = Problem("store_away", "The history store cannot be reached.", 1_750_000_000_000_000)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_watch, "_RAISE_AFTER_US", 0)
    monkeypatch.setattr(system_watch, "_CLEAR_AFTER_US", 0)


class Historian:
    """A role that says how it is."""

    def __init__(self, plant: EngineSite) -> None:
        self._file = HeartbeatFile(plant.config.heartbeat_folder, "historian")
        self.problems: tuple[Problem, ...] = (WRONG,)

    async def beat_on(self) -> None:
        while True:
            self._file.write({}, self.problems)
            await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def beating(plant: EngineSite) -> AsyncIterator[Historian]:
    historian = Historian(plant)
    task = asyncio.create_task(historian.beat_on())
    try:
        yield historian
    finally:
        task.cancel()


def alarms(site: Site) -> list[http.Alarm]:
    return [one for one in site.alarms() if one.device_key == SERVICE_DEVICE]


async def test_a_problem_is_raised_in_every_factory_acknowledged_and_cleared(plant: EngineSite) -> None:
    other = new_site(plant.site.database, "lakeside")
    async with plant.running(), beating(plant) as historian:
        await until(lambda: len(alarms(plant.site)) == len(alarms(other)) == 1)
        (alarm,) = alarms(plant.site)
        assert (alarm.rule_name, alarm.message, alarm.parameter_key) == (
            "History store away", WRONG.message, "store_away",
        )  # fmt: skip
        assert alarm.raised_at is not None
        assert alarm.raised_at.timestamp() == WRONG.since_us / 1e6
        assert alarms(other)[0].id != alarm.id
        plant.site.acknowledge(alarm.id, 1)
        historian.problems = ()
        await until(lambda: not alarms(plant.site))
        assert plant.events() == [(1, "raised"), (1, "acknowledged"), (1, "cleared")]
        historian.problems = (Problem(WRONG.code, WRONG.message, now_us()),)
        await until(lambda: plant.events()[-1] == (2, "raised"))
    assert plant.site.database.read(lambda tx: tx.rules(plant.site.scope).list()) == []


async def test_what_concerns_one_factory_is_no_alarm_of_another(plant: EngineSite) -> None:
    other = new_site(plant.site.database, "lakeside")
    async with plant.running(), beating(plant) as historian:
        historian.problems = (
            Problem("bucket_away", "Its bucket is gone.", WRONG.since_us, plant.site.factory.id),
            Problem("bucket_away", "So is this one's.", WRONG.since_us, other.factory.id),
        )
        await until(lambda: [one.message for one in alarms(other) if one.parameter_key == "bucket_away"])
        for site, sentence in ((plant.site, "Its bucket is gone."), (other, "So is this one's.")):
            told = [one.message for one in alarms(site) if one.parameter_key == "bucket_away"]
            assert told == [sentence]


async def test_a_restart_neither_repeats_nor_forgets_it(plant: EngineSite) -> None:
    async with plant.running(), beating(plant):
        await until(lambda: alarms(plant.site))
    async with plant.running(), beating(plant) as historian:
        row = plant.write(watermark_s=1_750_000_000)
        await until(lambda: plant.checkpoint() == row)
        assert plant.events() == [(1, "raised")]
        historian.problems = ()
        await until(lambda: plant.events() == [(1, "raised"), (1, "cleared")])
    assert [one.kind for one in plant.told()] == ["raised", "cleared"]


def test_a_crash_loses_no_count_of_what_the_journal_does_not_say(plant: EngineSite) -> None:
    problem = SystemProblem("store_away", "historian", WRONG.message, WRONG.since_us)
    for wanted in ({problem.place: problem}, {}, {problem.place: problem}):
        with evaluating(plant) as evaluation:
            evaluation.take_system(wanted)
            commit(plant.site.database, evaluation.record_of_news(is_whole=False))
    assert {*plant.events()} == {(1, "raised"), (1, "cleared"), (2, "raised")}


@contextlib.contextmanager
def evaluating(plant: EngineSite) -> Iterator[Evaluation]:
    """An evaluation that goes on from what was recorded, and forgets everything else."""
    config, database = plant.config, plant.site.database
    live = LiveJournal(config.derived_path, config.checkpoints_folder, config.doorbell_folder)
    evaluation = Evaluation(config.journal_path, live)
    evaluation.resume(load_state(database))
    evaluation.engine.directory = Directory(factories=frozenset({plant.site.factory.id}))
    try:
        yield evaluation
    finally:
        evaluation.close()
        live.close()
