from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import Popen

import psutil
import pytest
from pypdf import PdfReader

from factoryops.contracts.http import JobKind, Run, RunState
from factoryops.database.database import Database
from factoryops.domain.errors import ConflictError
from factoryops.jobs.artifacts import ArtifactStore
from factoryops.jobs.clock import look
from factoryops.jobs.orders import LeftFile
from factoryops.jobs.worker import WorkerConfig, WorkerService
from tests.support.job_plant import JobPlant, ask_for, factory_of, run_of, scope_of, start_worker
from tests.support.waiting import until, wait_until

UNRULY = "tests.support.unruly_child"
ENDED = {RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}


@asynccontextmanager
async def working(config: WorkerConfig, database: Database) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(WorkerService(config, database).run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


async def ended(database: Database, run: Run, *, timeout_s: float = 30.0) -> Run:
    await until(lambda: run_of(database, run.id).state in ENDED, timeout_s=timeout_s, what="the run's end")
    return run_of(database, run.id)


async def test_a_report_asked_for_becomes_a_pdf_whose_hash_is_recorded(plant: JobPlant, database: Database) -> None:
    run = ask_for(database)
    async with working(plant.config(), database):
        done = await ended(database, run)
    assert done.state is RunState.SUCCEEDED, done.message
    assert done.progress == 1.0
    (artifact,) = done.artifacts
    file = plant.artifacts / factory_of(database).id / artifact.id
    content = file.read_bytes()
    assert hashlib.sha256(content).hexdigest() == artifact.sha256
    assert len(content) == artifact.size_bytes
    text = "\n".join(page.extract_text() for page in PdfReader(file).pages)
    assert "Riverside Works" in text
    assert "Cooling water pump 1" in text
    assert done.result["devices"] == 13
    assert int(str(done.result["samples"])) > 200_000
    assert artifact.name.endswith(".pdf")


async def test_a_cancelled_run_ends_its_child_and_leaves_no_file(
    plant: JobPlant, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_UNRULY", "hangs")
    run = ask_for(database)
    scope = scope_of(database)
    async with working(plant.config(child_module=UNRULY), database):
        await until(lambda: run_of(database, run.id).progress == 0.5, what="progress")
        child = child_of(plant)
        database.run(lambda tx: tx.work.request_cancel(scope, run.id))
        done = await ended(database, run)
    assert done.state is RunState.CANCELLED
    assert not child.is_running()
    assert plant.visible_files() == []


@pytest.mark.parametrize(
    ("mode", "limits", "sentence"),
    [
        ("hangs", {"time_s": 0.5}, "longer than"),
        ("eats", {"memory_bytes": 150 << 20}, "memory"),
        ("dies", {}, "unexpectedly (code 7)"),
        ("floods", {}, "too long"),
        ("refuses", {}, "The span is empty."),
    ],
)
async def test_a_run_that_misbehaves_ends_failed_with_its_reason_and_no_file(
    plant: JobPlant,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    limits: dict[str, object],
    sentence: str,
) -> None:
    monkeypatch.setenv("TEST_UNRULY", mode)
    monkeypatch.setattr("factoryops.jobs.worker._RETRY_AFTER_S", 0.0)
    monkeypatch.setattr("factoryops.jobs.worker._LOOK_ANYWAY_S", 0.1)
    run = ask_for(database)
    async with working(plant.config(child_module=UNRULY, **limits), database):
        done = await ended(database, run)
    assert done.state is RunState.FAILED
    assert sentence in done.message
    assert done.attempt == (1 if mode in {"refuses", "floods"} else 3)
    assert plant.visible_files() == []
    assert list((plant.artifacts / ".work").glob("*")) == []


async def test_a_trial_that_asks_for_too_much_is_not_repeated(
    plant: JobPlant, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_UNRULY", "hangs")
    run = ask_for(database, kind=JobKind.BACK_TEST)
    async with working(plant.config(child_module=UNRULY, time_s=0.5), database):
        done = await ended(database, run)
    assert (done.state, done.attempt) == (RunState.FAILED, 1)
    assert "Choose a shorter span" in done.message


async def test_what_a_library_prints_does_not_disturb_a_run(
    plant: JobPlant, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_UNRULY", "chatters")
    run = ask_for(database)
    async with working(plant.config(child_module=UNRULY), database):
        done = await ended(database, run)
    assert done.state is RunState.SUCCEEDED
    assert plant.visible_files() == [done.artifacts[0].id]


async def test_a_service_that_stops_gives_its_run_back_within_five_seconds(
    plant: JobPlant, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_UNRULY", "hangs")
    run = ask_for(database)
    async with working(plant.config(child_module=UNRULY), database):
        await until(lambda: run_of(database, run.id).progress == 0.5, what="progress")
        started = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - started < 5
    assert run_of(database, run.id).state is RunState.QUEUED


async def test_a_folder_that_cannot_be_written_fails_the_run_and_not_the_worker(
    plant: JobPlant, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("factoryops.jobs.worker._RETRY_AFTER_S", 0.0)
    monkeypatch.setattr("factoryops.jobs.worker._LOOK_ANYWAY_S", 0.1)
    plant.artifacts.write_text("in the way", encoding="utf-8")
    run = ask_for(database)
    async with working(plant.config(), database):
        done = await ended(database, run)
    assert done.state is RunState.FAILED
    assert "could not be written" in done.message


@pytest.mark.parametrize("point", ["job_claimed", "report_before_rename", "job_done_before_mark"])
def test_a_worker_killed_at_any_point_is_taken_over_and_leaves_one_result(
    plant: JobPlant, database: Database, point: str
) -> None:
    run = ask_for(database)
    child = {"TEST_CHILD": UNRULY, "TEST_UNRULY": "chatters"}
    with worker(plant, {"FACTORYOPS_FAILPOINT": point, **child}) as first:
        assert first.wait(30) != 0
    assert run_of(database, run.id).state is RunState.RUNNING
    with worker(plant, child):
        wait_until(lambda: _silent_are_taken_back(database, run), timeout_s=30, what="the second worker's result")
    done = run_of(database, run.id)
    assert (done.state, done.attempt) == (RunState.SUCCEEDED, 2)
    assert plant.visible_files() == [done.artifacts[0].id]


def test_a_child_does_not_outlive_a_worker_that_was_killed(plant: JobPlant, database: Database) -> None:
    ask_for(database)
    with worker(plant, {"TEST_CHILD": UNRULY, "TEST_UNRULY": "hangs"}) as process:
        wait_until((plant.artifacts / "child.pid").exists, what="the child")
        child = child_of(plant)
        process.kill()
        process.wait(5)
        wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, timeout_s=5)


def test_a_worker_that_lost_its_lease_cannot_bring_its_result_in(plant: JobPlant, database: Database) -> None:
    ask_for(database)
    slow = database.run(lambda tx: tx.work.claim("slow", 0.0))
    assert slow is not None
    database.run(lambda tx: tx.work.expire_leases(datetime.now(UTC) + timedelta(seconds=5)))
    quick = database.run(lambda tx: tx.work.claim("quick", 60.0))
    assert quick is not None
    assert (slow.id, slow.attempt + 1) == (quick.id, quick.attempt)
    store = ArtifactStore(plant.artifacts)
    folder = store.work_folder(slow)
    (folder / "a.pdf").write_bytes(b"%PDF")
    kept = store.keep(slow, folder, [LeftFile("a.pdf", "a.pdf", "application/pdf")])
    with pytest.raises(ConflictError):
        database.run(lambda tx: tx.work.finish(slow, RunState.SUCCEEDED, "", {}, kept))


def _silent_are_taken_back(database: Database, run: Run) -> bool:
    look(database, datetime.now(UTC))
    return run_of(database, run.id).state in ENDED


def child_of(plant: JobPlant) -> psutil.Process:
    return psutil.Process(int((plant.artifacts / "child.pid").read_text(encoding="utf-8")))


@contextmanager
def worker(plant: JobPlant, environment: dict[str, str] | None = None) -> Iterator[Popen[bytes]]:
    process = start_worker(plant, environment=environment)
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(10)
        finally:
            process.kill()
            assert process.stderr is not None
            process.stderr.close()


def test_files_of_an_order_cannot_point_out_of_its_folder(plant: JobPlant, database: Database, tmp_path: Path) -> None:
    ask_for(database)
    run = database.run(lambda tx: tx.work.claim("one", 60.0))
    assert run is not None
    outside = tmp_path / "secret.txt"
    outside.write_text("secret", encoding="utf-8")
    store = ArtifactStore(plant.artifacts)
    folder = store.work_folder(run)
    (folder / "secret.txt").write_bytes(b"own")
    (kept,) = store.keep(run, folder, [LeftFile(os.path.relpath(outside, folder), "x.txt", "text/plain")])
    assert (plant.artifacts / run.factory.id / kept.id).read_bytes() == b"own"
    assert outside.read_text(encoding="utf-8") == "secret"


async def test_an_anomaly_scan_runs_end_to_end_and_leaves_its_document(plant: JobPlant, database: Database) -> None:
    run = ask_for(database, kind=JobKind.ANOMALY_SCAN)
    async with working(plant.config(), database):
        done = await ended(database, run)
    assert done.state is RunState.SUCCEEDED, done.message
    assert done.result["scanned"] == 13
    assert done.artifacts[0].name.startswith("riverside-anomalies-")
