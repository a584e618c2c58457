"""Import and export by a real worker: what goes in is in history once, and comes out again as it was."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from factoryops.contracts import http
from factoryops.contracts.http import JobKind, Run, RunState
from factoryops.database.database import Database
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.domain.time import to_us
from factoryops.history.local.store import LocalHistory
from factoryops.history.queries import History
from factoryops.history.tail import Tail
from factoryops.history.transfer.uploads import Uploads
from factoryops.jobs.worker import WorkerConfig, WorkerService
from factoryops.journal.reader import JournalReader
from tests.support.job_plant import JobPlant, factory_of, run_of, scope_of, start_worker
from tests.support.waiting import until, wait_until

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
ENDED = {RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}


@asynccontextmanager
async def working(config: WorkerConfig, database: Database) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(WorkerService(config, database).run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


def upload(plant: JobPlant, database: Database, rows: int) -> str:
    """A file of two parameters, a row per second."""
    lines = [f"{int(BEGIN.timestamp()) + n},{n},{n % 2}" for n in range(rows)]
    arriving = Uploads(plant.root / "uploads").begin(factory_of(database).id, "../../etc/old plant.csv")
    arriving.add(("time,flow,state\n" + "\n".join(lines) + "\n").encode())
    arriving.finish()
    return arriving.id


def ask(database: Database, kind: JobKind, arguments: Mapping[str, object], **span: datetime) -> Run:
    request = http.RunRequest.model_validate({"kind": kind, "arguments": arguments, **span})
    scope = scope_of(database)
    return database.run(lambda tx: tx.work.start_transfer(scope, request, arguments))


def imported(plant: JobPlant, database: Database, parameter: str) -> SampleColumns:
    """What history and the import journal's tail show of a series."""
    store = LocalHistory(plant.root / "history.db")
    tail, reader = Tail(), JournalReader(plant.root / "import.db", after_seq=store.checkpoint("import"))
    while batches := reader.read():
        for batch in batches:
            tail.feed(batch)
    reader.close()
    key = SeriesKey(factory_of(database).id, "old-pump", parameter)
    found = History(store, {"import": tail}).raw(series_id(key), 0, 1 << 62, most=1 << 62)
    store.close()
    return found


async def ended(database: Database, run: Run) -> Run:
    await until(lambda: run_of(database, run.id).state in ENDED, timeout_s=60, what="the run's end")
    return run_of(database, run.id)


async def test_a_dry_run_and_an_import_say_the_same_and_an_export_gives_it_back(
    plant: JobPlant, database: Database
) -> None:
    plan = {"device": "old-pump", "columns": [{"column": "flow", "parameter": "flow", "unit": "l/min"}]}
    identity = upload(plant, database, 5_000)
    async with working(plant.config(), database):
        look = ask(database, JobKind.IMPORT, {"upload_id": identity, "plan": {**plan, "is_dry_run": True}})
        looked = await ended(database, look)
        assert looked.state is RunState.SUCCEEDED, looked.message
        assert "would be imported" in looked.message
        assert len(imported(plant, database, "flow")) == 0
        taken = await ended(database, ask(database, JobKind.IMPORT, {"upload_id": identity, "plan": plan}))
        assert taken.state is RunState.SUCCEEDED, taken.message
        told = {"samples", "new_series", "first", "last", "refused", "rows"}
        assert {name: looked.result[name] for name in told} == {name: taken.result[name] for name in told}
        assert taken.result["file"] == "old plant.csv"
        flow = imported(plant, database, "flow")
        assert flow.value.tolist() == [float(n) for n in range(5_000)]
        scope = scope_of(database)
        parameter = next(
            one for one in database.read(lambda tx: tx.parameters(scope).list()) if one.series_id == flow.series[0]
        )
        assert (parameter.key, parameter.unit) == ("flow", "l/min")
        span = {"start": BEGIN, "end": BEGIN + timedelta(hours=2)}
        arguments = {"parameter_ids": [parameter.id], **{name: moment.isoformat() for name, moment in span.items()}}
        out = await ended(database, ask(database, JobKind.EXPORT, arguments, **span))
    assert out.state is RunState.SUCCEEDED, out.message
    (artifact,) = out.artifacts
    assert (artifact.media_type, artifact.name[-4:]) == ("text/csv", ".csv")
    text = (plant.artifacts / factory_of(database).id / artifact.id).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert [float(row["value"]) for row in rows] == [float(n) for n in range(5_000)]
    assert {(row["device"], row["unit"], row["quality"]) for row in rows} == {("old-pump", "l/min", "imported")}
    assert to_us(datetime.fromisoformat(rows[-1]["time"])) == to_us(BEGIN) + 4_999_000_000
    assert "Riverside Works" in text


def test_an_import_whose_child_is_killed_goes_on_and_every_value_is_there_once(
    plant: JobPlant, database: Database
) -> None:
    identity = upload(plant, database, 300_000)
    run = ask(database, JobKind.IMPORT, {"upload_id": identity, "plan": {"device": "old-pump"}})
    worker = start_worker(plant, environment={"FACTORYOPS_FAILPOINT": "import_block_written:1"})
    try:
        wait_until(lambda: run_of(database, run.id).attempt == 1, what="the first attempt")
        wait_until(lambda: run_of(database, run.id).state is RunState.QUEUED, timeout_s=60, what="the child's end")
    finally:
        end(worker.pid)
        worker.wait(20)
        worker.communicate()
    assert 0 < len(imported(plant, database, "flow")) < 300_000
    again = start_worker(plant)
    try:
        wait_until(lambda: run_of(database, run.id).state in ENDED, timeout_s=90, what="the run's end")
    finally:
        end(again.pid)
        again.wait(20)
        again.communicate()
    done = run_of(database, run.id)
    assert (done.state, done.attempt) == (RunState.SUCCEEDED, 2), done.message
    assert (done.result["rows"], done.result["samples"]) == (300_000, 600_000)
    assert imported(plant, database, "flow").value.tolist() == [float(n) for n in range(300_000)]
    assert imported(plant, database, "state").value.tolist() == [float(n % 2) for n in range(300_000)]


def end(pid: int) -> None:
    for process in (*psutil.Process(pid).children(recursive=True), psutil.Process(pid)):
        process.kill()


async def test_an_upload_of_another_factory_is_not_there(plant: JobPlant, database: Database) -> None:
    other = database.run(lambda tx: tx.factories.create("zeta", "Zeta Works", "Europe/Berlin"))
    arriving = Uploads(plant.root / "uploads").begin(other.id, "theirs.csv")
    arriving.add(b"time,a\n1772344800,1\n")
    arriving.finish()
    async with working(plant.config(), database):
        run = ask(database, JobKind.IMPORT, {"upload_id": arriving.id, "plan": {"device": "d"}})
        done = await ended(database, run)
    assert done.state is RunState.FAILED
    assert "no such upload" in done.message


async def test_a_plan_that_does_not_fit_fails_at_once_in_one_sentence(plant: JobPlant, database: Database) -> None:
    identity = upload(plant, database, 10)
    async with working(plant.config(), database):
        run = ask(database, JobKind.IMPORT, {"upload_id": identity, "plan": {"device": "d", "time_column": "when"}})
        done = await ended(database, run)
    assert (done.state, done.attempt) == (RunState.FAILED, 1)
    assert "no column called when" in done.message
    assert list(Path(plant.artifacts).glob("*/*")) == []
