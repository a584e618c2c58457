"""A back-test as the worker carries it out: samples in history, a result in a file."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import timedelta

import pytest

from factoryops.contracts import http
from factoryops.database.database import Database
from factoryops.domain.alarms import AlarmEventKind, Priority
from factoryops.domain.conditions.tree import Compare, Comparison, Constant, Held, Parameter
from factoryops.domain.identity import Role, Scope
from factoryops.domain.samples import SampleColumns
from factoryops.domain.time import from_us, now_us
from factoryops.history.local.reader import LocalHistoryReader
from factoryops.history.local.store import LocalHistory
from factoryops.history.queries import History
from factoryops.jobs.back_tests import carry_out, read_known
from factoryops.jobs.worker import WorkerService
from tests.support.job_plant import JobPlant
from tests.support.waiting import until

S = 1_000_000
START_US = now_us() // S * S - 40 * 86_400 * S
"""Long before what the plant's history holds: its days are empty otherwise."""


@pytest.fixture
def scope(database: Database) -> Scope:
    (factory,) = database.read(lambda tx: tx.factories.list())
    return Scope(factory.id, "supervisor", Role.SUPERVISOR)


def _record(plant: JobPlant, series: int) -> None:
    """An hour at 1 Hz: above 100 for a minute, three times."""
    rows = [(series, START_US + n * S, 200.0 if n % 1_200 < 60 else 1.0) for n in range(3_600)]
    with closing(LocalHistory(plant.root / "history.db")) as store:
        store.append(SampleColumns.of(rows), {}, gaps=(), checkpoints={})


def test_a_rule_is_tried_on_history_and_held_against_incidents(
    plant: JobPlant, database: Database, scope: Scope
) -> None:
    parameter = database.read(lambda tx: tx.parameters(scope).list())[0]
    device = database.read(lambda tx: tx.devices(scope).get(parameter.device_id))
    _record(plant, parameter.series_id)
    start = from_us(START_US)
    seen, missed = (
        http.IncidentContent(start=start + timedelta(seconds=at), end=start + timedelta(seconds=at + 100))
        for at in (1_150, 2_000)
    )
    database.run(lambda tx: [tx.incidents(scope).mark(content) for content in (seen, missed)])
    condition = Compare(Parameter(parameter.key), Comparison.ABOVE, Constant(100.0))
    rule = http.RuleContent(
        name="Tried", condition=condition, priority=Priority.HIGH, scope={"devices": [device.key]}, on_delay_s=10
    )
    request = http.BackTestRequest(
        rule=rule,
        start=start,
        end=start + timedelta(hours=1),
        sweep=http.Sweep(limits=[100, 300], on_delays_s=[10, 70]),
    )
    known = read_known(database, scope.factory_id, request)
    with closing(LocalHistoryReader(plant.root / "history.db")) as reader:
        found = carry_out(request, known, History(reader, {}), lambda share, message: None)

    raised = [event for event in found.events if event.kind is AlarmEventKind.RAISED]
    assert [(event.at - start).total_seconds() for event in raised] == [10, 1_210, 2_410]
    figures = found.figures
    assert (figures.alarms, figures.longest_s, figures.short_share) == (3, 50.0, 1.0)
    assert (figures.hits, figures.misses, figures.apart) == (1, 1, 2)
    assert [(one.limit, one.on_delay_s, one.figures.alarms) for one in found.trials] == [
        (100.0, 10.0, 3), (100.0, 70.0, 0), (300.0, 10.0, 0), (300.0, 70.0, 0),
    ]  # fmt: skip
    assert [one.seen_at is None for one in sorted(found.incidents, key=lambda one: one.start)] == [False, True]
    assert sum(day.alarms for day in found.days) == 3
    assert found.load_without is not None
    assert found.load_with is not None
    assert (found.samples, found.load_without.per_day, found.load_with.peak_10_min) == (3_600, 0.0, 1)
    assert (found.load_with.per_hour, found.load_with.priority_shares) == (3.0, [0.0, 1.0, 0.0, 0.0])
    (leaf,) = raised[0].leaves
    assert (leaf.state, leaf.value, leaf.limit) == ("true", 200.0, 100.0)
    assert [(sample.at, sample.value) for sample in leaf.samples] == [(start, 200.0)]
    assert raised[0].turned_at == start
    assert "is above 100" in raised[0].why


def test_raises_that_are_suppressed_by_design_are_counted_apart(
    plant: JobPlant, database: Database, scope: Scope
) -> None:
    parameter = database.read(lambda tx: tx.parameters(scope).list())[0]
    device = database.read(lambda tx: tx.devices(scope).get(parameter.device_id))
    _record(plant, parameter.series_id)
    high = Compare(Parameter(parameter.key), Comparison.ABOVE, Constant(100.0))
    start = from_us(START_US)
    request = http.BackTestRequest(
        rule=http.RuleContent(
            name="Tried", condition=Held(high, 5.0), priority=Priority.HIGH, scope={"devices": [device.key]},
            suppress_while=high,
        ),
        start=start,
        end=start + timedelta(hours=1),
    )  # fmt: skip
    known = read_known(database, scope.factory_id, request)
    with closing(LocalHistoryReader(plant.root / "history.db")) as reader:
        found = carry_out(request, known, History(reader, {}), lambda share, message: None)
    kinds = [event.kind.value for event in found.events]
    assert kinds[:4] == ["suppressed", "raised", "cleared", "unsuppressed"]
    assert (found.figures.alarms, found.figures.suppressed) == (0, 3)
    assert not any(event.is_told for event in found.events)
    assert found.events[0].leaves[0].text


async def test_the_worker_begins_at_once_and_leaves_the_result_in_a_file(
    plant: JobPlant, database: Database, scope: Scope
) -> None:
    parameter = database.read(lambda tx: tx.parameters(scope).list())[0]
    _record(plant, parameter.series_id)
    condition = Compare(Parameter(parameter.key), Comparison.ABOVE, Constant(100.0))
    request = http.BackTestRequest(
        rule=http.RuleContent(name="Tried", condition=condition, priority=Priority.HIGH),
        start=from_us(START_US),
        end=from_us(START_US + 3_600 * S),
    )
    stop = asyncio.Event()
    worker = asyncio.create_task(WorkerService(plant.config(), database).run(stop))
    run = database.run(lambda tx: tx.work.start_back_test(scope, request))
    await until(lambda: _run(database, scope, run.id).finished_at is not None, timeout_s=60, what="the run's end")
    stop.set()
    await worker
    done = _run(database, scope, run.id)
    assert done.state is http.RunState.SUCCEEDED, done.message
    (artifact,) = done.artifacts
    file = plant.artifacts / scope.factory_id / artifact.id
    outcome = http.BackTestOutcome.model_validate_json(file.read_bytes())
    assert (outcome.figures.alarms, done.result["alarms"]) == (3, 3)


def _run(database: Database, scope: Scope, identity: str) -> http.Run:
    return database.read(lambda tx: tx.work.get(scope, identity))
