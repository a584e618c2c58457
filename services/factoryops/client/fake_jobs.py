"""Jobs of the imagined plant: a run's progress is a function of the clock, so it needs no task of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from factoryops.contracts import http
from factoryops.contracts.http import JobKind, RunState
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from factoryops.domain.identity import new_id
from factoryops.domain.time import US_PER_S, from_us, to_us

_QUEUED_US: Final = US_PER_S // 2
_WORK_US: Final = 4 * US_PER_S
_STEPS: Final = ("Reading history", "Drawing charts", "Listing alarms", "Writing the document")
_WITHOUT_FILES: Final = {
    JobKind.QUARANTINE_REPLAY: "The messages are in the history.",
    JobKind.BACK_TEST: "The rule was tried on the history.",
    JobKind.ALARM_MENDS: "Changes were tried on the history.",
}
_DAY_US: Final = 86_400 * US_PER_S


class FakeJobs:
    """Runs, their artifacts and the schedules in memory."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._runs: dict[str, http.Run] = {}
        self._contents: dict[str, bytes] = {}
        self._schedules = {
            JobKind.DAILY_REPORT: http.Schedule(kind=JobKind.DAILY_REPORT, is_enabled=True, local_time="06:00"),
            JobKind.ANOMALY_SCAN: http.Schedule(kind=JobKind.ANOMALY_SCAN, is_enabled=False, local_time="02:00"),
        }
        self._add_finished()

    def _add_finished(self) -> None:
        now = self._clock()
        for days in (2, 1):
            end = from_us(now - days * _DAY_US).replace(hour=4, minute=0, second=0, microsecond=0)
            run = http.Run(
                id=new_id(), kind=JobKind.DAILY_REPORT, state=RunState.QUEUED, slot=end, start=end - timedelta(days=1),
                end=end, requested_by="schedule", created_at=end,
            )  # fmt: skip
            self._runs[run.id] = run
            self._refresh(run.id)

    def start(self, request: http.RunRequest, actor: str) -> http.Run:
        """Queue work."""
        now = from_us(self._clock())
        end = request.end or now
        start = request.start or end - timedelta(days=1)
        if end <= start:
            raise InvalidInputError("The span is empty: its end must lie after its start.", fields={"end": "too early"})
        run = http.Run(
            id=new_id(), kind=request.kind, state=RunState.QUEUED, slot=None, start=start, end=end,
            requested_by=actor, created_at=now, arguments=dict(request.arguments),
        )  # fmt: skip
        self._runs[run.id] = run
        return run

    def cancel(self, run_id: str) -> http.Run:
        """Ask a run to stop."""
        if run_id not in self._runs:
            raise NotFoundError("There is no such run.")
        run = self._refresh(run_id)
        if run.state not in (RunState.QUEUED, RunState.RUNNING):
            raise ConflictError("The run is already over.")
        ended = {"state": RunState.CANCELLED, "finished_at": from_us(self._clock()), "message": "Cancelled."}
        self._runs[run_id] = run.model_copy(update=ended)
        return self._runs[run_id]

    def all(self) -> list[http.Run]:
        """Newest first."""
        runs = [self._refresh(run_id) for run_id in self._runs]
        return sorted(runs, key=lambda run: run.created_at, reverse=True)

    def get(self, run_id: str) -> http.Run:
        """One run."""
        if run_id not in self._runs:
            raise NotFoundError("There is no such run.")
        return self._refresh(run_id)

    def content(self, artifact_id: str) -> bytes:
        """The bytes of a file."""
        if artifact_id not in self._contents:
            raise NotFoundError("There is no such file.")
        return self._contents[artifact_id]

    def schedules(self) -> list[http.Schedule]:
        """Every kind of work that can be scheduled."""
        return list(self._schedules.values())

    def change_schedule(self, kind: JobKind, change: http.ScheduleChange) -> http.Schedule:
        """Switch or move a schedule."""
        if kind not in self._schedules:
            raise NotFoundError("This kind of work has no schedule of its own.")
        self._schedules[kind] = self._schedules[kind].model_copy(update=change.model_dump())
        return self._schedules[kind]

    def _refresh(self, run_id: str) -> http.Run:
        run = self._runs[run_id]
        if run.state in (RunState.QUEUED, RunState.RUNNING):
            worked_us = self._clock() - to_us(run.created_at) - _QUEUED_US
            self._runs[run_id] = self._finished(run) if worked_us >= _WORK_US else _working(run, worked_us)
        return self._runs[run_id]

    def _finished(self, run: http.Run) -> http.Run:
        if run.kind in _WITHOUT_FILES:
            over = {"state": RunState.SUCCEEDED, "progress": 1.0, "message": _WITHOUT_FILES[run.kind]}
            return run.model_copy(update={**over, "finished_at": run.created_at + timedelta(microseconds=_WORK_US)})
        content = _document(f"FactoryOps {run.kind.value} {run.start:%Y-%m-%d %H:%M} to {run.end:%Y-%m-%d %H:%M} UTC")
        artifact = http.Artifact(
            id=new_id(), name=f"{run.kind.value}-{run.end:%Y-%m-%d}.pdf", media_type="application/pdf",
            size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest(),
        )  # fmt: skip
        self._contents[artifact.id] = content
        began = run.created_at + timedelta(microseconds=_QUEUED_US)
        return run.model_copy(
            update={
                "state": RunState.SUCCEEDED,
                "attempt": 1,
                "progress": 1.0,
                "message": "The report is ready.",
                "started_at": began,
                "finished_at": began + timedelta(microseconds=_WORK_US),
                "artifacts": [artifact],
                "result": {"devices": 4, "parameters": 24, "completeness": 0.994},
            }
        )


def _working(run: http.Run, worked_us: int) -> http.Run:
    if worked_us < 0:
        return run
    progress = round(worked_us / _WORK_US, 2)
    return run.model_copy(
        update={
            "state": RunState.RUNNING,
            "attempt": 1,
            "progress": progress,
            "message": _STEPS[int(progress * len(_STEPS)) % len(_STEPS)],
            "started_at": run.created_at + timedelta(microseconds=_QUEUED_US),
        }
    )


def _document(text: str) -> bytes:
    """A PDF of one page with one line of plain ASCII text."""
    drawing = f"BT /F1 14 Tf 60 780 Td ({text}) Tj ET".encode("ascii")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 5\n0000000000 65535 f \n%strailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        len(out),
    )
