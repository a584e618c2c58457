"""Import and export: the imagined plant and a real service answer alike."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from factoryops.contracts import http
from factoryops.domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from factoryops.domain.identity import Role
from factoryops.domain.time import from_us, now_us
from tests.contract.client.conftest import Subject

_NOBODY = "0" * 32
END = from_us(now_us())


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "history.csv"
    rows = "".join(f"{1_772_344_800 + n},{n}.5,{n}\n" for n in range(40))
    file.write_text("time,pressure,flow\n" + rows, encoding="utf-8")
    return file


def plan(**fields: object) -> http.ExportPlan:
    return http.ExportPlan.model_validate({"start": END - timedelta(hours=1), "end": END, **fields})


async def test_a_file_is_sent_looked_at_imported_and_deleted(subject: Subject, table: Path) -> None:
    plant = await subject.enter()
    sent: list[int] = []
    upload = await plant.upload(table, sent=sent.append)
    assert sent[-1] == table.stat().st_size == upload.size_bytes
    assert (upload.name, upload.header, len(upload.rows)) == ("history.csv", ["time", "pressure", "flow"], 20)
    assert upload.plan.time_column == "time"
    assert [one.parameter for one in upload.plan.columns] == ["pressure", "flow"]
    assert "device" in upload.problem
    seen = await plant.preview_upload(upload.id, upload.plan.model_copy(update={"device": "press-1"}))
    assert (seen.problem, seen.plan.device, seen.rows) == ("", "press-1", upload.rows)
    assert upload.id in {one.id for one in await plant.uploads()}
    run = await plant.start_import(http.ImportRequest(upload_id=upload.id, plan=seen.plan))
    assert (run.kind, run.state, run.arguments["upload_id"]) == (http.JobKind.IMPORT, http.RunState.QUEUED, upload.id)
    await plant.cancel_run(run.id)
    await plant.delete_upload(upload.id)
    assert upload.id not in {one.id for one in await plant.uploads()}


async def test_what_is_no_table_is_refused_and_not_kept(subject: Subject, tmp_path: Path) -> None:
    plant = await subject.enter()
    before = {one.id for one in await plant.uploads()}
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    with pytest.raises(InvalidInputError, match="empty"):
        await plant.upload(empty)
    assert {one.id for one in await plant.uploads()} == before


async def test_an_export_is_estimated_and_queued(subject: Subject) -> None:
    plant = await subject.enter(Role.OPERATOR)
    parameter = (await plant.devices())[0].parameters[0]
    wanted = plan(parameter_ids=[parameter.id])
    estimate = await plant.estimate_export(wanted)
    assert estimate.parameters == 1
    assert 900 < estimate.rows < 3_700
    assert estimate.size_bytes > estimate.rows
    run = await plant.start_export(wanted)
    assert (run.kind, run.state, run.requested_by) == (http.JobKind.EXPORT, http.RunState.QUEUED, "operator")
    assert run.end - run.start == timedelta(hours=1)
    await plant.cancel_run(run.id)


async def test_what_cannot_be_exported_is_refused(subject: Subject) -> None:
    plant = await subject.enter()
    for call in (plant.start_export, plant.estimate_export):
        with pytest.raises(NotFoundError):
            await call(plan(parameter_ids=[_NOBODY]))
        with pytest.raises(InvalidInputError):
            await call(plan(end=END - timedelta(hours=2)))


async def test_what_is_not_there_is_not_found(subject: Subject) -> None:
    plant = await subject.enter()
    calls = [
        plant.preview_upload(_NOBODY, http.ImportPlan()),
        plant.start_import(http.ImportRequest(upload_id=_NOBODY)),
        plant.delete_upload(_NOBODY),
    ]
    for call in calls:
        with pytest.raises(NotFoundError):
            await call


async def test_only_administrators_import_and_transfers_have_their_own_way_in(subject: Subject, table: Path) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    refused = [plant.upload(table), plant.uploads(), plant.start_import(http.ImportRequest(upload_id=_NOBODY))]
    for call in refused:
        with pytest.raises(NotAllowedError):
            await call
    plant = await subject.enter(Role.VIEWER)
    with pytest.raises(NotAllowedError):
        await plant.start_export(plan())
    plant = await subject.enter()
    with pytest.raises(InvalidInputError):
        await plant.start_run(http.RunRequest(kind=http.JobKind.IMPORT))
    with pytest.raises(NotFoundError):
        await plant.change_schedule(http.JobKind.EXPORT, http.ScheduleChange(is_enabled=True, local_time="05:30"))
