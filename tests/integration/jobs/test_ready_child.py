"""A process is ready before there is work for it: a back-test begins at once, and nothing is left of it in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import psutil
import pytest

from factoryops.contracts import http
from factoryops.database.database import Database
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Compare, Comparison, Constant, Parameter
from factoryops.domain.time import from_us, now_us
from factoryops.jobs.children import READY
from factoryops.jobs.worker import WorkerService
from tests.support.job_plant import JobPlant, run_of, scope_of, start_worker
from tests.support.waiting import until, wait_until


@asynccontextmanager
async def _working(plant: JobPlant, database: Database) -> AsyncIterator[None]:
    stop = asyncio.Event()
    config = replace(plant.config(), ready_after_s=0.0)
    task = asyncio.create_task(WorkerService(config, database).run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


def _ready(parent: psutil.Process) -> list[psutil.Process]:
    """The children that wait for an order."""
    found: list[psutil.Process] = []
    for child in parent.children():
        try:
            if READY in child.cmdline():
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


async def _one_ready(*, instead_of: int = 0) -> psutil.Process:
    ours = psutil.Process()

    def is_there() -> bool:
        return any(child.pid != instead_of for child in _ready(ours))

    await until(is_there, timeout_s=30, what="a process that is ready")
    return next(child for child in _ready(ours) if child.pid != instead_of)


def _ask(database: Database) -> http.Run:
    scope = scope_of(database)
    parameter = database.read(lambda tx: tx.parameters(scope).list())[0]
    end = from_us(now_us())
    rule = http.RuleContent(
        name="Tried",
        condition=Compare(Parameter(parameter.key), Comparison.ABOVE, Constant(1e9)),
        priority=Priority.HIGH,
    )
    request = http.BackTestRequest(rule=rule, start=end - timedelta(hours=1), end=end)
    return database.run(lambda tx: tx.work.start_back_test(scope, request))


async def _succeeds(database: Database, run: http.Run) -> None:
    await until(lambda: run_of(database, run.id).finished_at is not None, timeout_s=60, what="the run's end")
    done = run_of(database, run.id)
    assert done.state is http.RunState.SUCCEEDED, done.message


async def test_a_run_is_carried_out_by_the_process_that_was_ready_and_the_next_one_is_made_ready(
    plant: JobPlant, database: Database
) -> None:
    async with _working(plant, database):
        first = await _one_ready()
        await _succeeds(database, _ask(database))
        assert not first.is_running()
        second = await _one_ready(instead_of=first.pid)
    assert not second.is_running()


async def test_a_ready_process_that_was_killed_is_replaced_and_costs_no_attempt(
    plant: JobPlant, database: Database
) -> None:
    async with _working(plant, database):
        first = await _one_ready()
        first.kill()
        await _one_ready(instead_of=first.pid)
        run = _ask(database)
        await _succeeds(database, run)
        assert run_of(database, run.id).attempt == 1


@pytest.mark.usefixtures("database")
def test_a_ready_process_ends_itself_when_its_worker_is_killed(plant: JobPlant) -> None:
    worker = start_worker(plant, environment={"TEST_READY_AFTER_S": "0"})
    process = psutil.Process(worker.pid)
    wait_until(lambda: _ready(process) != [], timeout_s=30, what="a process that is ready")
    (ready,) = _ready(process)
    worker.kill()
    worker.communicate()
    wait_until(lambda: not ready.is_running() or ready.status() == psutil.STATUS_ZOMBIE, what="its end")
