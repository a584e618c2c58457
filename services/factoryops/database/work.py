"""Scheduled work as rows: schedules, runs with slot, lease and attempt, and the files they left."""

from __future__ import annotations

import builtins
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.contracts.http import JobKind, RunState
from factoryops.database import tables
from factoryops.database.audit import AuditTrail
from factoryops.database.leases import MOST_ATTEMPTS, Leases
from factoryops.database.plant import Devices
from factoryops.database.rows import ArtifactRecord, ClaimedRun, NewArtifact, ScheduleRecord
from factoryops.database.schedules import Schedules
from factoryops.database.unit import Unit, portions
from factoryops.domain.errors import InvalidInputError, NotFoundError
from factoryops.domain.identity import ArtifactId, FactoryId, RunId, Scope, new_id
from factoryops.domain.time import US_PER_S, from_us, to_us

__all__ = ["MOST_ATTEMPTS", "Artifacts", "Work"]

_DAY_US: Final = 86_400 * US_PER_S
_CLOCK: Final = "schedule"


class Artifacts:
    """Files that the factory's runs left."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def get(self, artifact_id: ArtifactId | str) -> ArtifactRecord:
        """One, or NotFoundError."""
        table = tables.artifact
        row = self._unit.row(
            sa.select(table).where(table.c.factory_id == self._scope.factory_id, table.c.id == artifact_id)
        )
        if row is None:
            raise NotFoundError("There is no such file.")
        return ArtifactRecord(
            ArtifactId(row.id),
            FactoryId(row.factory_id),
            RunId(row.run_id),
            row.name,
            row.media_type,
            row.size_bytes,
            row.sha256,
        )


class Work:
    """The job mechanism's rows."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._schedules = Schedules(unit)
        self._leases = Leases(unit)

    def schedules(self, scope: Scope) -> builtins.list[http.Schedule]:
        """Every kind of work, as installed where nobody changed it."""
        return self._schedules.of(scope)

    def change_schedule(self, scope: Scope, kind: JobKind, change: http.ScheduleChange) -> http.Schedule:
        """Switch or move a schedule; its next slot is unknown until the clock has computed it. Writes the audit."""
        return self._schedules.change(scope, kind, change)

    def all_schedules(self) -> builtins.list[ScheduleRecord]:
        """Every schedule of every factory, for the clock."""
        return self._schedules.all()

    def record_next_slot(self, factory_id: FactoryId, kind: JobKind, next_slot: datetime | None) -> None:
        """Show when a schedule runs next; written by the clock."""
        self._schedules.record_next(factory_id, kind, next_slot)

    def ensure_slot(
        self,
        factory_id: FactoryId,
        kind: JobKind,
        slot: datetime,
        start: datetime,
        end: datetime,
        *,
        state: RunState = RunState.QUEUED,
        message: str = "",
    ) -> RunId | None:
        """The run of a slot, added once whoever asks how often; None when it was there.

        `state` is QUEUED, or MISSED for a slot that is too old to run and is only listed.
        """
        run = tables.job_run
        mine = sa.and_(run.c.factory_id == factory_id, run.c.kind == kind.value, run.c.slot_us == to_us(slot))
        if self._unit.row(sa.select(run.c.id).where(mine)) is not None:
            return None
        span = {"start_us": to_us(start), "end_us": to_us(end), "slot_us": to_us(slot)}
        return self._add(factory_id, kind, span, _CLOCK, (), state=state, message=message)

    def latest_slot(self, factory_id: FactoryId, kind: JobKind) -> datetime | None:
        """The newest slot that has a run."""
        run = tables.job_run
        mine = sa.and_(run.c.factory_id == factory_id, run.c.kind == kind.value)
        newest_us = self._unit.value(sa.select(sa.func.max(run.c.slot_us)).where(mine))
        return None if newest_us is None else from_us(newest_us)

    def queue(self, scope: Scope, request: http.RunRequest) -> http.Run:
        """Queue work on demand; by default over the last 24 hours.

        Raises:
            InvalidInputError: the span is empty, or one was chosen for rules that move the alarms of the present.
            NotFoundError: a device is not of this factory.
        """
        if request.kind is JobKind.SCHEDULED_RULES and not (request.start is None and request.end is None):
            raise InvalidInputError(
                "Scheduled rules are evaluated as of now, since they move the present alarms: leave start and end out.",
                fields={"end": "is always now"},
            )
        end_us = self._unit.now_us if request.end is None else to_us(request.end)
        start_us = end_us - _DAY_US if request.start is None else to_us(request.start)
        if start_us >= end_us:
            raise InvalidInputError(
                "The span is empty: its start must lie before its end.", fields={"start": "must lie before the end"}
            )
        Devices(self._unit, scope).get_many(request.device_ids)
        span = {"start_us": start_us, "end_us": end_us, "slot_us": None}
        run_id = self._add(
            scope.factory_id, request.kind, span, scope.actor, request.device_ids, arguments=request.arguments
        )
        return self.get(scope, run_id)

    def start_transfer(self, scope: Scope, request: http.RunRequest, plan: object) -> http.Run:
        """Queue an import or an export and write the audit entry; see `queue`."""
        run = self.queue(scope, request)
        AuditTrail(self._unit, scope).add(f"history.{request.kind.value}", run.id, None, plan)
        return run

    def start_replay(self, scope: Scope, choice: http.QuarantineChoice, messages: int) -> http.Run:
        """Queue a replay of quarantined messages and write the audit entry; see `queue`."""
        arguments = choice.model_dump(mode="json", exclude_defaults=True)
        if len(msgspec.json.encode(arguments)) > http.MOST_ARGUMENT_BYTES:
            raise InvalidInputError("The mapping is too large to be sent along; save it and switch it on instead.")
        run = self.queue(scope, http.RunRequest(kind=JobKind.QUARANTINE_REPLAY, arguments=arguments))
        AuditTrail(self._unit, scope).add("quarantine.replay", run.id, None, {**arguments, "messages": messages})
        return run

    def start_back_test(self, scope: Scope, request: http.BackTestRequest) -> http.Run:
        """Queue a back-test; see `queue`.

        Raises:
            InvalidInputError: the rule or the sweep cannot be tried, or the span is empty or too long.
        """
        request.check()
        arguments = request.model_dump(mode="json", exclude={"start", "end"}, exclude_defaults=True)
        if len(msgspec.json.encode(arguments)) > http.MOST_ARGUMENT_BYTES:
            raise InvalidInputError("The rule is too large to be tried: choose devices by kind or area instead.")
        return self.queue(
            scope,
            http.RunRequest(kind=JobKind.BACK_TEST, start=request.start, end=request.end, arguments=arguments),
        )

    def start_mending(self, scope: Scope, request: http.MendRequest) -> http.Run:
        """Queue a search for calmer rules; see `queue`.

        Raises:
            InvalidInputError: the span is empty or too long.
        """
        request.check()
        arguments = request.model_dump(mode="json", exclude={"start", "end"}, exclude_defaults=True)
        return self.queue(
            scope,
            http.RunRequest(kind=JobKind.ALARM_MENDS, start=request.start, end=request.end, arguments=arguments),
        )

    def _add(
        self,
        factory_id: FactoryId,
        kind: JobKind,
        span: Mapping[str, int | None],
        requested_by: str,
        device_ids: Sequence[str],
        *,
        arguments: Mapping[str, object] | None = None,
        state: RunState = RunState.QUEUED,
        message: str = "",
    ) -> RunId:
        run_id = RunId(new_id())
        row: dict[str, Any] = {
            "factory_id": factory_id,
            "id": run_id,
            "kind": kind.value,
            "state": state.value,
            "device_ids": msgspec.json.encode([*dict.fromkeys(device_ids)]).decode(),
            "arguments": msgspec.json.encode(dict(arguments or {})).decode(),
            "requested_by": requested_by,
            "created_us": self._unit.now_us,
            "not_before_us": self._unit.now_us,
            "finished_us": None if state is RunState.QUEUED else self._unit.now_us,
            "attempt": 0,
            "cancel_requested": False,
            "progress": 0.0,
            "message": message,
            "result": "{}",
            "change": self._unit.advance("runs"),
        }
        self._unit.insert(tables.job_run, [row | dict(span)])
        return run_id

    def claim(self, worker: str, lease_s: float) -> ClaimedRun | None:
        """Take the oldest run that is due; None when there is none. Nobody else gets it while the lease is kept."""
        return self._leases.claim(worker, lease_s)

    def renew(self, run: ClaimedRun, lease_s: float, progress: float, message: str) -> bool:
        """Keep the lease and show progress (0 to 1); answers whether somebody asked to cancel.

        Raises:
            ConflictError: the lease was lost; stop, and leave nothing behind.
        """
        return self._leases.renew(run, lease_s, progress, message)

    def finish(
        self,
        run: ClaimedRun,
        state: RunState,
        message: str,
        result: Mapping[str, object],
        artifacts: Sequence[NewArtifact] = (),
    ) -> http.Run:
        """End a run (SUCCEEDED, FAILED or CANCELLED) and record its files in the same transaction.

        Raises:
            ConflictError: the lease was lost; the files must go.
        """
        self._leases.finish(run, state, message, result, artifacts)
        return self._one(run.factory.id, run.id)

    def give_back(self, run: ClaimedRun, message: str, *, retry_after_s: float = 0.0) -> RunState:
        """After a failed attempt: queued again, or FAILED with `message` when it was the last of 3.

        Raises:
            ConflictError: the lease was lost.
        """
        return self._leases.give_back(run, message, retry_after_s)

    def expire_leases(self, now: datetime) -> int:
        """Take back runs whose worker fell silent: queued again, or ended after the last attempt; how many."""
        return self._leases.expire(now)

    def request_cancel(self, scope: Scope, run_id: RunId | str) -> http.Run:
        """Cancel at once what is queued, ask the worker of what is running; a finished run stays as it is."""
        run = tables.job_run
        mine = sa.and_(run.c.factory_id == scope.factory_id, run.c.id == run_id)
        row = self._unit.row(sa.select(run.c.state, run.c.cancel_requested).where(mine).with_for_update())
        if row is None:
            raise NotFoundError("There is no such run.")
        if row.state == RunState.QUEUED.value:
            ended: dict[str, Any] = {
                "state": RunState.CANCELLED.value,
                "finished_us": self._unit.now_us,
                "message": f"Cancelled by {scope.actor}.",
            }
            self._cancel(scope, mine, run_id, ended)
        elif row.state == RunState.RUNNING.value and not row.cancel_requested:
            self._cancel(scope, mine, run_id, {"cancel_requested": True})
        return self.get(scope, run_id)

    def _cancel(self, scope: Scope, mine: sa.ColumnElement[bool], run_id: RunId | str, values: dict[str, Any]) -> None:
        change = self._unit.advance("runs")
        self._unit.write(sa.update(tables.job_run).where(mine).values(**values, change=change))
        AuditTrail(self._unit, scope).add("run.cancel", run_id)

    def list(self, scope: Scope, most: int = 100) -> builtins.list[http.Run]:
        """The factory's newest runs, newest first."""
        run = tables.job_run
        query = sa.select(run).where(run.c.factory_id == scope.factory_id)
        rows = self._unit.rows(query.order_by(run.c.created_us.desc(), run.c.id.desc()).limit(most))
        return self._runs_of(rows)

    def get(self, scope: Scope, run_id: RunId | str) -> http.Run:
        """One, or NotFoundError."""
        return self._one(scope.factory_id, run_id)

    def artifacts(self, scope: Scope) -> Artifacts:
        """Files that the factory's runs left."""
        return Artifacts(self._unit, scope)

    def changed_since(self, change: int) -> builtins.list[tuple[FactoryId, http.Run]]:
        """Runs of every factory that changed after `Changes.runs` was `change`, in order of change."""
        run = tables.job_run
        query = sa.select(run).where(run.c.change > change).order_by(run.c.change)
        rows = self._unit.rows(query, every_factory=True)
        return [(FactoryId(row.factory_id), shown) for row, shown in zip(rows, self._runs_of(rows), strict=True)]

    def _one(self, factory_id: FactoryId, run_id: RunId | str) -> http.Run:
        run = tables.job_run
        row = self._unit.row(sa.select(run).where(run.c.factory_id == factory_id, run.c.id == run_id))
        if row is None:
            raise NotFoundError("There is no such run.")
        return self._runs_of([row])[0]

    def _runs_of(self, rows: Sequence[sa.Row[Any]]) -> builtins.list[http.Run]:
        files = self._artifacts_of(row.id for row in rows)
        return [_run_of(row, files[row.id]) for row in rows]

    def _artifacts_of(self, run_ids: Iterable[str]) -> defaultdict[str, builtins.list[http.Artifact]]:
        """By run id; run ids are of the factories the caller has already chosen."""
        table = tables.artifact
        files: defaultdict[str, builtins.list[http.Artifact]] = defaultdict(list)
        for portion in portions(run_ids):
            query = sa.select(table).where(table.c.run_id.in_(portion)).order_by(table.c.created_us, table.c.id)
            for row in self._unit.rows(query, every_factory=True):
                files[row.run_id].append(
                    http.Artifact(
                        id=row.id,
                        name=row.name,
                        media_type=row.media_type,
                        size_bytes=row.size_bytes,
                        sha256=row.sha256,
                    )
                )
        return files


def _moment(time_us: int | None) -> datetime | None:
    return None if time_us is None else from_us(time_us)


def _run_of(row: sa.Row[Any], artifacts: list[http.Artifact]) -> http.Run:
    return http.Run(
        id=row.id,
        kind=JobKind(row.kind),
        state=RunState(row.state),
        slot=_moment(row.slot_us),
        start=from_us(row.start_us),
        end=from_us(row.end_us),
        requested_by=row.requested_by,
        created_at=from_us(row.created_us),
        started_at=_moment(row.started_us),
        finished_at=_moment(row.finished_us),
        attempt=row.attempt,
        progress=row.progress,
        message=row.message,
        artifacts=artifacts,
        result=msgspec.json.decode(row.result),
        arguments=_shown_arguments(row),
    )


def _shown_arguments(row: sa.Row[Any]) -> dict[str, object]:
    """What a run was told, where everybody who sees runs may see it.

    A replay is told of quarantined messages and mappings, which not everybody may look at; the audit trail has them.
    """
    if row.kind == JobKind.QUARANTINE_REPLAY.value:
        return {}
    told: dict[str, object] = msgspec.json.decode(row.arguments or "{}")
    return told
