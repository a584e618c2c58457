"""Import and export of the imagined plant: the part of `FakePlant` that implements `TransfersClient`.

Files are looked at only as far as a preview needs: commas, a header, a device named by the plan.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Callable
from pathlib import Path
from typing import Final

from factoryops.client.fake_jobs import FakeJobs
from factoryops.client.port_transfers import Sent
from factoryops.contracts import http
from factoryops.domain.errors import InvalidInputError, NotFoundError
from factoryops.domain.identity import Permission, new_id
from factoryops.domain.time import from_us

_SHOWN_ROWS: Final = 20
_ROW_BYTES: Final = 75


class FakeTransfers:
    """Files in and out."""

    _clock: Callable[[], int]
    _devices: dict[str, http.Device]
    _jobs: FakeJobs
    _uploads: dict[str, http.Upload]

    async def _enter(self, permission: Permission) -> str:
        raise NotImplementedError

    async def upload(self, file: Path, *, sent: Sent | None = None) -> http.Upload:
        """Take a file."""
        await self._enter(Permission.EDIT_PLANT)
        rows, size = await asyncio.to_thread(_read, file)
        if sent is not None:
            sent(size)
        upload = http.Upload(
            id=new_id(), name=file.name, size_bytes=size, uploaded_at=from_us(self._clock()), plan=http.ImportPlan(),
            header=rows[0], rows=rows[1 : _SHOWN_ROWS + 1],
        )  # fmt: skip
        self._uploads[upload.id] = upload
        return _read_by(upload, http.ImportPlan())

    async def uploads(self) -> list[http.Upload]:
        """Files that wait."""
        await self._enter(Permission.EDIT_PLANT)
        bare = {"header": [], "rows": [], "problem": ""}
        return [one.model_copy(update=bare) for one in reversed(self._uploads.values())]

    async def preview_upload(self, upload_id: str, plan: http.ImportPlan) -> http.Upload:
        """How a file would be read."""
        await self._enter(Permission.EDIT_PLANT)
        return _read_by(self._upload(upload_id), plan)

    async def delete_upload(self, upload_id: str) -> None:
        """Delete a file."""
        await self._enter(Permission.EDIT_PLANT)
        self._upload(upload_id)
        del self._uploads[upload_id]

    async def start_import(self, request: http.ImportRequest) -> http.Run:
        """Queue an import."""
        actor = await self._enter(Permission.EDIT_PLANT)
        self._upload(request.upload_id)
        arguments = {"upload_id": request.upload_id, "plan": request.plan.model_dump(mode="json")}
        return self._jobs.start(http.RunRequest(kind=http.JobKind.IMPORT, arguments=arguments), actor)

    async def start_export(self, plan: http.ExportPlan) -> http.Run:
        """Queue an export."""
        actor = await self._enter(Permission.RUN_JOBS)
        self._parameters(plan)
        arguments = plan.model_dump(mode="json")
        request = http.RunRequest(kind=http.JobKind.EXPORT, start=plan.start, end=plan.end, arguments=arguments)
        return self._jobs.start(request, actor)

    async def estimate_export(self, plan: http.ExportPlan) -> http.ExportEstimate:
        """A sample every two seconds."""
        await self._enter(Permission.RUN_JOBS)
        count = self._parameters(plan)
        rows = count * int((plan.end - plan.start).total_seconds() // 2)
        return http.ExportEstimate(parameters=count, rows=rows, size_bytes=rows * _ROW_BYTES)

    def _upload(self, upload_id: str) -> http.Upload:
        if upload_id not in self._uploads:
            raise NotFoundError("There is no such upload.")
        return self._uploads[upload_id]

    def _parameters(self, plan: http.ExportPlan) -> int:
        if plan.end <= plan.start:
            raise InvalidInputError(
                "The span is empty: its start must lie before its end.", fields={"end": "too early"}
            )
        known = {one.id for device in self._devices.values() for one in device.parameters}
        if not known >= set(plan.parameter_ids):
            raise NotFoundError("There is no such parameter.")
        return len(plan.parameter_ids) or len(known)


def _read(file: Path) -> tuple[list[list[str]], int]:
    content = file.read_bytes()
    rows = list(csv.reader(content.decode("utf-8", "replace").splitlines()))
    if not rows:
        raise InvalidInputError(f"{file.name} is empty.")
    return rows, len(content)


def _read_by(upload: http.Upload, plan: http.ImportPlan) -> http.Upload:
    time_column = plan.time_column or upload.header[0]
    columns = plan.columns or [
        http.ImportColumn(column=name, parameter=name) for name in upload.header if name != time_column
    ]
    found = {"layout": plan.layout or http.Layout.WIDE, "time_column": time_column, "columns": columns,
             "encoding": "utf-8", "delimiter": ",", "decimal": "."}  # fmt: skip
    is_placed = plan.device is not None or all(one.device for one in columns)
    problem = "" if is_placed else "The file does not say which device it is about; name the device."
    return upload.model_copy(update={"plan": plan.model_copy(update=found), "problem": problem})
