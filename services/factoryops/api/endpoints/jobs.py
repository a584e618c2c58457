"""Work on demand and by schedule, and the files it leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote

from fastapi import Response
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from factoryops.api.call import Asking
from factoryops.contracts import http
from factoryops.database.rows import ArtifactRecord
from factoryops.domain.errors import InvalidInputError, NotFoundError

M = TypeVar("M", bound=BaseModel)

_CHUNK_BYTES: Final = 1 << 16
_PLAIN_NAME: Final = re.compile(r"[^A-Za-z0-9._ -]")


async def list_runs(asking: Asking) -> http.RunList:
    """The newest runs, newest first."""
    return http.RunList(runs=await asking.read(lambda tx: tx.work.list(asking.scope)))


async def start_run(body: http.RunRequest, asking: Asking) -> http.Run:
    """Queue work now; it is taken up by a worker within seconds."""
    if body.kind in http.STARTED_APART:
        raise InvalidInputError(
            "Imports, exports, replays and back-tests are started at /imports, /exports, /quarantine/replays and "
            "/rules/back-test.",
            fields={"kind": "not here"},
        )
    run = await asking.change(lambda tx: tx.work.queue(asking.scope, body))
    asking.service.hub.tell_run(asking.scope.factory_id, run)
    return run


async def cancel_run(run_id: http.Identifier, asking: Asking) -> http.Run:
    """Ask a run to stop: at once while it is queued, within seconds while it runs."""
    run = await asking.change(lambda tx: tx.work.request_cancel(asking.scope, run_id))
    asking.service.hub.tell_run(asking.scope.factory_id, run)
    return run


async def list_schedules(asking: Asking) -> http.ScheduleList:
    """What runs by itself, and when, in the factory's own time zone."""
    return http.ScheduleList(schedules=await asking.read(lambda tx: tx.work.schedules(asking.scope)))


async def change_schedule(kind: http.JobKind, body: http.ScheduleChange, asking: Asking) -> http.Schedule:
    """Switch a schedule on or off, or move it."""
    return await asking.change(lambda tx: tx.work.change_schedule(asking.scope, kind, body))


async def get_artifact(artifact_id: http.Identifier, asking: Asking) -> Response:
    """A file that a run left, as an attachment; its SHA-256 is in the header X-Content-SHA256."""
    record = await asking.read(lambda tx: tx.work.artifacts(asking.scope).get(artifact_id))
    folder = asking.service.context.artifacts_folder
    path = await asking.service.pool.run(place_of, folder, record)
    headers = {
        "Content-Disposition": _attachment(record.name),
        "Content-Length": str(record.size_bytes),
        "X-Content-SHA256": record.sha256,
    }
    return StreamingResponse(_parts(path), 200, headers, record.media_type)


async def outcome_of(run: http.Run, model: type[M], asking: Asking) -> M | None:
    """What a run left as its one JSON file; None until it has succeeded."""
    if not run.artifacts:
        return None
    record = await asking.read(lambda tx: tx.work.artifacts(asking.scope).get(run.artifacts[0].id))
    folder = asking.service.context.artifacts_folder
    return await asking.service.pool.run(lambda: model.model_validate_json(place_of(folder, record).read_bytes()))


def place_of(folder: Path, record: ArtifactRecord) -> Path:
    """Where the file lies; never outside its factory's folder, whatever the row says."""
    inside = (folder / record.factory_id).resolve()
    path = (inside / record.id).resolve()
    if path.parent != inside or not path.is_file() or path.stat().st_size != record.size_bytes:
        raise NotFoundError("The file is not there any more.")
    return path


def _parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(_CHUNK_BYTES):
            yield part


def _attachment(name: str) -> str:
    plain = _PLAIN_NAME.sub("_", name)[:100] or "download"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name[:100], safe='')}"
