"""Scheduled work as rows: schedules, runs with slot, lease and attempt, and the files they left."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from factoryops.contracts import http
from factoryops.contracts.http import JobKind, RunState
from factoryops.database.rows import ArtifactRecord, ClaimedRun, NewArtifact, ScheduleRecord
from factoryops.domain.identity import ArtifactId, FactoryId, RunId, Scope

MOST_ATTEMPTS: Final = 3


class Artifacts:
    """Files that the factory's runs left."""

    def get(self, artifact_id: ArtifactId | str) -> ArtifactRecord:
        """One, or NotFoundError."""
        raise NotImplementedError


class Work:
    """The job mechanism's rows."""

    def schedules(self, scope: Scope) -> builtins.list[http.Schedule]:
        """Every kind of work, as installed where nobody changed it."""
        raise NotImplementedError

    def change_schedule(self, scope: Scope, kind: JobKind, change: http.ScheduleChange) -> http.Schedule:
        """Switch or move a schedule; its next slot is unknown until the clock has computed it. Writes the audit."""
        raise NotImplementedError

    def all_schedules(self) -> builtins.list[ScheduleRecord]:
        """Every schedule of every factory, for the clock."""
        raise NotImplementedError

    def record_next_slot(self, factory_id: FactoryId, kind: JobKind, next_slot: datetime | None) -> None:
        """Show when a schedule runs next; written by the clock."""
        raise NotImplementedError

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
        raise NotImplementedError

    def latest_slot(self, factory_id: FactoryId, kind: JobKind) -> datetime | None:
        """The newest slot that has a run."""
        raise NotImplementedError

    def queue(self, scope: Scope, request: http.RunRequest) -> http.Run:
        """Queue work on demand; by default over the last 24 hours.

        Raises:
            InvalidInputError: the span is empty.
            NotFoundError: a device is not of this factory.
        """
        raise NotImplementedError

    def claim(self, worker: str, lease_s: float) -> ClaimedRun | None:
        """Take the oldest run that is due; None when there is none. Nobody else gets it while the lease is kept."""
        raise NotImplementedError

    def renew(self, run: ClaimedRun, lease_s: float, progress: float, message: str) -> bool:
        """Keep the lease and show progress (0 to 1); answers whether somebody asked to cancel.

        Raises:
            ConflictError: the lease was lost; stop, and leave nothing behind.
        """
        raise NotImplementedError

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
        raise NotImplementedError

    def give_back(self, run: ClaimedRun, message: str, *, retry_after_s: float = 0.0) -> RunState:
        """After a failed attempt: queued again, or FAILED with `message` when it was the last of 3.

        Raises:
            ConflictError: the lease was lost.
        """
        raise NotImplementedError

    def expire_leases(self, now: datetime) -> int:
        """Take back runs whose worker fell silent: queued again, or ended after the last attempt; how many."""
        raise NotImplementedError

    def request_cancel(self, scope: Scope, run_id: RunId | str) -> http.Run:
        """Cancel at once what is queued, ask the worker of what is running; a finished run stays as it is."""
        raise NotImplementedError

    def list(self, scope: Scope, most: int = 100) -> builtins.list[http.Run]:
        """The factory's newest runs, newest first."""
        raise NotImplementedError

    def get(self, scope: Scope, run_id: RunId | str) -> http.Run:
        """One, or NotFoundError."""
        raise NotImplementedError

    def artifacts(self, scope: Scope) -> Artifacts:
        """Files that the factory's runs left."""
        raise NotImplementedError

    def changed_since(self, change: int) -> builtins.list[tuple[FactoryId, http.Run]]:
        """Runs of every factory that changed after `Changes.runs` was `change`, in order of change."""
        raise NotImplementedError
