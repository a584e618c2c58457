"""Runs of scheduled and asked-for work, and what they leave."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, Field, JsonValue

from factoryops.contracts.http.parts import Identifier, Received, Sent, SentMoment, example

MOST_ARGUMENT_BYTES: Final = 64 * 1024


class JobKind(StrEnum):
    """The kinds of work the worker knows."""

    DAILY_REPORT = "daily_report"
    ANOMALY_SCAN = "anomaly_scan"
    IMPORT = "import"
    EXPORT = "export"
    QUARANTINE_REPLAY = "quarantine_replay"
    BACK_TEST = "back_test"
    SCHEDULED_RULES = "scheduled_rules"
    ALARM_MENDS = "alarm_mends"


TRANSFERS: Final = frozenset({JobKind.IMPORT, JobKind.EXPORT, JobKind.QUARANTINE_REPLAY})
"""Kinds that move history in or out."""

TRIALS: Final = frozenset({JobKind.BACK_TEST, JobKind.ALARM_MENDS})
"""Somebody waits for these; one that asks for too much asks for it again each time, so it is not repeated."""

STARTED_APART: Final = TRANSFERS | TRIALS
"""Kinds that are started at addresses of their own, and never by schedule."""


class RunState(StrEnum):
    """Where a run is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    MISSED = "missed"


def _bounded(arguments: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if len(json.dumps(arguments)) > MOST_ARGUMENT_BYTES:
        raise ValueError(f"the arguments of a run may take {MOST_ARGUMENT_BYTES // 1024} KiB")
    return arguments


class RunRequest(Sent):
    """Work on demand.

    Attributes:
        start / end: the span it covers; by default the last 24 hours.
        device_ids: the devices it covers; empty means all.
        arguments: what else the kind of work is told; plain JSON of up to 64 KiB.
    """

    model_config = example({"kind": "daily_report", "start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"})

    kind: JobKind
    start: SentMoment | None = None
    end: SentMoment | None = None
    device_ids: Annotated[list[Identifier], Field(max_length=1_000)] = []
    arguments: Annotated[dict[str, JsonValue], AfterValidator(_bounded)] = {}


class Artifact(Received):
    """A file a run left; fetched from /artifacts/{id}."""

    id: Identifier
    name: str
    media_type: str
    size_bytes: int
    sha256: str


class Run(Received):
    """One run of a job.

    Attributes:
        progress: 0 to 1.
        message: what it is doing, what it found, or why it failed, in one sentence.
        result: figures of the run, plain JSON.
        arguments: what it was told beside span and devices, plain JSON; of a replay nothing, since not everybody who
            sees runs may see what is in quarantine.
    """

    id: Identifier
    kind: JobKind
    state: RunState
    slot: datetime | None
    start: datetime
    end: datetime
    requested_by: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempt: int = 0
    progress: float = 0.0
    message: str = ""
    artifacts: list[Artifact] = []
    result: dict[str, object] = {}
    arguments: dict[str, object] = {}


class RunList(Received):
    """Newest first."""

    runs: list[Run]


class Schedule(Received):
    """When a kind of work runs by itself, in the factory's own time zone."""

    kind: JobKind
    is_enabled: bool
    local_time: str
    next_slot: datetime | None = None


class ScheduleChange(Sent):
    """Switch a schedule on or off, or move it ("HH:MM", local)."""

    model_config = example({"is_enabled": True, "local_time": "06:00"})

    is_enabled: bool
    local_time: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class ScheduleList(Received):
    """Every kind of work that can be scheduled."""

    schedules: list[Schedule]
