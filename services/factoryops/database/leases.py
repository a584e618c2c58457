"""The worker's side of runs: claim, keep, finish. The attempt's number is the fencing token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from factoryops.contracts.http import JobKind, RunState
from factoryops.database import tables
from factoryops.database.factories import factory_of
from factoryops.database.rows import ClaimedRun, NewArtifact
from factoryops.database.unit import Unit
from factoryops.domain.errors import ConflictError
from factoryops.domain.identity import DeviceId, RunId
from factoryops.domain.plant import Factory
from factoryops.domain.time import US_PER_S, from_us, to_us

MOST_ATTEMPTS: Final = 3
_CANDIDATES: Final = 10


class Leases:
    """Who works on what."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def claim(self, worker: str, lease_s: float) -> ClaimedRun | None:
        """Take the oldest run that is due."""
        run = tables.job_run
        due = (
            sa.select(run, tables.factory)
            .join(tables.factory, tables.factory.c.id == run.c.factory_id)
            .where(run.c.state == RunState.QUEUED.value, run.c.not_before_us <= self._unit.now_us)
            .order_by(run.c.not_before_us, run.c.id)
            .limit(_CANDIDATES)
            .set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)
        )
        for row in self._unit.rows(due, every_factory=True):
            if self._take(row, worker, lease_s):
                return _claimed(row)
        return None

    def _take(self, row: sa.Row[Any], worker: str, lease_s: float) -> bool:
        """Whether nobody else was faster."""
        run = tables.job_run
        free = sa.and_(
            run.c.factory_id == row.job_run_factory_id,
            run.c.id == row.job_run_id,
            run.c.state == RunState.QUEUED.value,
            run.c.attempt == row.job_run_attempt,
        )
        if not self._lock(free):
            return False
        values: dict[str, Any] = {
            "state": RunState.RUNNING.value,
            "attempt": row.job_run_attempt + 1,
            "worker": worker[:100],
            "lease_until_us": self._lease_end_us(lease_s),
            "started_us": self._unit.now_us,
            "progress": 0.0,
            "message": "",
            "change": self._unit.advance("runs"),
        }
        self._unit.write(sa.update(run).where(free).values(**values))
        return True

    def _lock(self, chosen: sa.ColumnElement[bool]) -> bool:
        """Lock a run's row, always before the counter of changes, so that no two wait for each other."""
        return self._unit.row(sa.select(tables.job_run.c.id).where(chosen).with_for_update()) is not None

    def renew(self, claimed: ClaimedRun, lease_s: float, progress: float, message: str) -> bool:
        """Keep the lease; answers whether somebody asked to cancel."""
        run = tables.job_run
        row = self._unit.row(
            sa.select(run.c.progress, run.c.message, run.c.cancel_requested).where(_held(claimed)).with_for_update()
        )
        if row is None:
            raise _lost()
        values: dict[str, Any] = {"lease_until_us": self._lease_end_us(lease_s)}
        if (row.progress, row.message) != (progress, message):
            values |= {"progress": progress, "message": message, "change": self._unit.advance("runs")}
        self._unit.write(sa.update(run).where(_held(claimed)).values(**values))
        return bool(row.cancel_requested)

    def finish(
        self,
        claimed: ClaimedRun,
        state: RunState,
        message: str,
        result: Mapping[str, object],
        artifacts: Sequence[NewArtifact],
    ) -> None:
        """End the run and record its files."""
        values: dict[str, Any] = {"message": message, "result": msgspec.json.encode(dict(result)).decode()}
        if state is RunState.SUCCEEDED:
            values["progress"] = 1.0
        self._end(claimed, state, values)
        rows = [self._artifact_row(claimed, file) for file in artifacts]
        self._unit.insert(tables.artifact, rows)

    def give_back(self, claimed: ClaimedRun, message: str, retry_after_s: float) -> RunState:
        """After a failed attempt: queued again, or failed."""
        if claimed.attempt >= MOST_ATTEMPTS:
            self._end(claimed, RunState.FAILED, {"message": message})
            return RunState.FAILED
        not_before_us = self._lease_end_us(retry_after_s)
        self._release(claimed, RunState.QUEUED, {"message": message, "not_before_us": not_before_us})
        return RunState.QUEUED

    def expire(self, now: datetime) -> int:
        """Take back runs whose worker fell silent."""
        run = tables.job_run
        silent = sa.and_(run.c.state == RunState.RUNNING.value, run.c.lease_until_us < to_us(now))
        query = sa.select(run).where(silent).order_by(run.c.factory_id, run.c.id).with_for_update()
        rows = self._unit.rows(query, every_factory=True)
        for row in rows:
            self._take_back(row)
        return len(rows)

    def _take_back(self, row: sa.Row[Any]) -> None:
        values: dict[str, Any] = {"lease_until_us": None, "worker": None, "change": self._unit.advance("runs")}
        if row.cancel_requested:
            values |= {"state": RunState.CANCELLED.value, "finished_us": self._unit.now_us, "message": "Cancelled."}
        elif row.attempt >= MOST_ATTEMPTS:
            text = f"The worker ended without a result {row.attempt} times; see its log for the reason."
            values |= {"state": RunState.FAILED.value, "finished_us": self._unit.now_us, "message": text}
        else:
            text = "The worker fell silent; the run is taken up again."
            values |= {"state": RunState.QUEUED.value, "not_before_us": self._unit.now_us, "message": text}
        run = tables.job_run
        mine = sa.and_(run.c.factory_id == row.factory_id, run.c.id == row.id)
        self._unit.write(sa.update(run).where(mine).values(**values))

    def _end(self, claimed: ClaimedRun, state: RunState, values: dict[str, Any]) -> None:
        self._release(claimed, state, values | {"finished_us": self._unit.now_us})

    def _release(self, claimed: ClaimedRun, state: RunState, values: dict[str, Any]) -> None:
        if not self._lock(_held(claimed)):
            raise _lost()
        given_up: dict[str, Any] = {"state": state.value, "lease_until_us": None, "worker": None}
        change = self._unit.advance("runs")
        self._unit.write(sa.update(tables.job_run).where(_held(claimed)).values(**given_up, **values, change=change))

    def _artifact_row(self, claimed: ClaimedRun, file: NewArtifact) -> dict[str, Any]:
        return {
            "factory_id": claimed.factory.id,
            "id": file.id,
            "run_id": claimed.id,
            "name": file.name,
            "media_type": file.media_type,
            "size_bytes": file.size_bytes,
            "sha256": file.sha256,
            "created_us": self._unit.now_us,
        }

    def _lease_end_us(self, lease_s: float) -> int:
        return self._unit.now_us + round(lease_s * US_PER_S)


def _held(claimed: ClaimedRun) -> sa.ColumnElement[bool]:
    run = tables.job_run
    return sa.and_(
        run.c.factory_id == claimed.factory.id,
        run.c.id == claimed.id,
        run.c.state == RunState.RUNNING.value,
        run.c.attempt == claimed.attempt,
    )


def _lost() -> ConflictError:
    return ConflictError("The lease of this run was lost: another worker has it now.")


def _claimed(row: sa.Row[Any]) -> ClaimedRun:
    factory: Factory = factory_of(row, prefix="factory_")
    device_ids = msgspec.json.decode(row.job_run_device_ids, type=tuple[str, ...])
    return ClaimedRun(
        id=RunId(row.job_run_id),
        factory=factory,
        kind=JobKind(row.job_run_kind),
        slot=None if row.job_run_slot_us is None else from_us(row.job_run_slot_us),
        start=from_us(row.job_run_start_us),
        end=from_us(row.job_run_end_us),
        device_ids=tuple(DeviceId(device_id) for device_id in device_ids),
        requested_by=row.job_run_requested_by,
        attempt=row.job_run_attempt + 1,
        arguments=msgspec.json.decode(row.job_run_arguments or "{}", type=dict[str, object]),
    )
