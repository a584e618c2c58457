"""Files to be imported, and the imports and exports themselves."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request

from factoryops.api.call import Asking, Call
from factoryops.contracts import http
from factoryops.domain.errors import InvalidInputError, NotFoundError, StorageError, UnavailableError
from factoryops.history.transfer.exporting import check_export, estimate
from factoryops.history.transfer.frames import OutSeries
from factoryops.history.transfer.importing import preview
from factoryops.history.transfer.uploads import Arriving, UploadedFile, parts_of

FileName = Annotated[str, Query(min_length=1, max_length=200)]


async def upload_file(request: Request, asking: Asking, name: FileName = "table.csv") -> http.Upload:
    """Take a CSV or Parquet file to be imported, as the plain body; answers how it would be read.

    It is kept for seven days.
    """
    pool, factory = asking.service.pool, asking.scope.factory_id
    try:
        arriving = await pool.run(asking.service.context.uploads.begin, factory, name)
        await _receive(asking, arriving, request)
    except StorageError as error:
        raise UnavailableError(str(error)) from error
    try:
        return await pool.run(_look_at, asking, arriving.id, http.ImportPlan())
    except InvalidInputError:
        await pool.run(asking.service.context.uploads.remove, factory, arriving.id)
        raise


async def _receive(asking: Call, arriving: Arriving, request: Request) -> None:
    pool, is_whole = asking.service.pool, False
    try:
        async for part in parts_of(request.stream()):
            await pool.run(arriving.add, part)
        await pool.run(arriving.finish)
        is_whole = True
    finally:
        if not is_whole:
            await pool.run(arriving.give_up)


async def list_uploads(asking: Asking) -> http.UploadList:
    """Files that wait to be imported, newest first; without their rows."""
    files = await asking.service.pool.run(asking.service.context.uploads.all, asking.scope.factory_id)
    return http.UploadList(uploads=[_shown(file) for file in files])


async def delete_upload(upload_id: http.Identifier, asking: Asking) -> None:
    """Delete a file that waits; what was imported from it stays."""
    await asking.service.pool.run(_delete, asking, upload_id)


async def preview_upload(upload_id: http.Identifier, body: http.ImportPlan, asking: Asking) -> http.Upload:
    """How a file would be read by a plan: its columns, its first rows, and what the plan lacks."""
    return await asking.service.pool.run(_look_at, asking, upload_id, body)


async def start_import(body: http.ImportRequest, asking: Asking) -> http.Run:
    """Import a file that was uploaded, or with `is_dry_run` say exactly what would happen."""
    uploads, scope = asking.service.context.uploads, asking.scope
    file = await asking.service.pool.run(uploads.get, scope.factory_id, body.upload_id)
    plan = body.plan.model_dump(mode="json", exclude_defaults=True)
    arguments = {"upload_id": body.upload_id, "plan": plan}
    request = http.RunRequest(kind=http.JobKind.IMPORT, arguments=arguments)
    run = await asking.change(lambda tx: tx.work.start_transfer(scope, request, {"file": file.name, **plan}))
    asking.service.hub.tell_run(scope.factory_id, run)
    return run


async def start_export(body: http.ExportPlan, asking: Asking) -> http.Run:
    """Write a range of history to a file; it is an artifact of the run."""
    check_export(body)
    await _series_of(asking, body)
    scope, plan = asking.scope, body.model_dump(mode="json", exclude_defaults=True)
    request = http.RunRequest(kind=http.JobKind.EXPORT, start=body.start, end=body.end, arguments=plan)
    run = await asking.change(lambda tx: tx.work.start_transfer(scope, request, plan))
    asking.service.hub.tell_run(scope.factory_id, run)
    return run


async def estimate_export(body: http.ExportPlan, asking: Asking) -> http.ExportEstimate:
    """About how many rows and bytes an export will have."""
    series = await _series_of(asking, body)
    return await asking.service.history_pool.run(estimate, body, series, asking.service.context.history)


async def _series_of(asking: Call, body: http.ExportPlan) -> list[OutSeries]:
    """The series of the plan's parameters; raises NotFoundError for a foreign one."""
    plant = await asking.plant()
    found = [
        OutSeries(parameter.series_id, device.key, parameter.key, parameter.unit)
        for device in plant.devices.values()
        for parameter in device.parameters
        if not body.parameter_ids or parameter.id in body.parameter_ids
    ]
    if body.parameter_ids and len(found) < len(set(body.parameter_ids)):
        raise NotFoundError("There is no such parameter.")
    return found


def _look_at(asking: Call, upload_id: str, plan: http.ImportPlan) -> http.Upload:
    file = asking.service.context.uploads.get(asking.scope.factory_id, upload_id)
    seen = preview(file.path, plan)
    return _shown(file).model_copy(
        update={"plan": seen.plan, "header": seen.header, "rows": seen.rows, "problem": seen.problem}
    )


def _delete(asking: Call, upload_id: str) -> None:
    uploads = asking.service.context.uploads
    uploads.get(asking.scope.factory_id, upload_id)
    uploads.remove(asking.scope.factory_id, upload_id)


def _shown(file: UploadedFile) -> http.Upload:
    return http.Upload(
        id=file.id, name=file.name, size_bytes=file.size_bytes, uploaded_at=file.uploaded_at, plan=http.ImportPlan()
    )
