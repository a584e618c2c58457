"""The worker role: takes one run at a time and has a child process of limited time and memory carry it out."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeVar

from factoryops.contracts.http import TRANSFERS, TRIALS, JobKind, RunState
from factoryops.database.database import Database
from factoryops.database.rows import ClaimedRun
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import ConflictError, StorageError, UnavailableError
from factoryops.domain.time import from_us, now_us
from factoryops.history.transfer.uploads import Uploads
from factoryops.jobs.artifacts import ArtifactStore
from factoryops.jobs.attempt import Attempt, Limits, Outcome, Stopped
from factoryops.jobs.children import Children
from factoryops.jobs.orders import HistorySource, ImportTarget, Order
from factoryops.journal.failpoint import failpoint
from factoryops.journal.import_writer import ImportPlace, ImportWriter
from factoryops.observability.heartbeat import HeartbeatFile, Problem
from factoryops.observability.pacing import is_set_within

logger = logging.getLogger(__name__)

T = TypeVar("T")

_LOOK_ANYWAY_S: Final = 5.0
_RETRY_AFTER_S: Final = 5.0
_TRIM_EVERY_S: Final = 600.0
_TRANSFER_S: Final = 12 * 3_600.0


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """Where the worker finds what it needs, and what a run may take.

    Attributes:
        artifacts_folder: files lie at `<factory id>/<artifact id>` in it.
        database_url: given to the child, on its standard input.
        journals: journal name -> file.
        imports: the import journal, looked after while nothing is being imported; None where there is none.
        uploads_folder: files that wait to be imported; swept when they are old.
        lease_s: how long a run stays ours without a word.
        poll_s: how often to look for work.
        ready_after_s: how long after its start the worker has a child ready for the next run, after each run at once;
            None for never.
    """

    artifacts_folder: Path
    heartbeat_folder: Path
    database_url: str = field(repr=False)
    history: HistorySource = field(repr=False)
    journals: dict[str, Path] = field(default_factory=dict)
    imports: ImportPlace | None = None
    uploads_folder: Path | None = None
    limits: Limits = field(default_factory=Limits)
    lease_s: float = 30.0
    poll_s: float = 0.25
    ready_after_s: float | None = None


class WorkerService:
    """Claims runs and sees them through: progress, cancel, limits, retries, files whole or not at all.

    Killed at any point, the run is taken up again when its lease ends, and never leaves two results.
    """

    def __init__(self, config: WorkerConfig, database: Database) -> None:
        self._config = config
        self._database = database
        self._store = ArtifactStore(config.artifacts_folder)
        self._heartbeat = HeartbeatFile(config.heartbeat_folder, "worker")
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._seen_change = -1
        self._looked_at = 0.0
        self._trimmed_at = time.monotonic() - _TRIM_EVERY_S
        self._children = Children(config.limits.child_module)
        self._ready_at = time.monotonic() + (config.ready_after_s or 0.0)
        self._running: str | None = None
        self._figures = {"succeeded": 0, "failed": 0, "cancelled": 0, "retried": 0}
        self._problem: Problem | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; a run in hand is given back then."""
        await asyncio.to_thread(self._store.clear_work)
        beat = asyncio.create_task(self._beat())
        try:
            while not stop.is_set():
                await self._look_after_imports()
                claimed = await self._claim()
                if claimed is None:
                    await self._have_one_ready()
                    await is_set_within(stop, self._config.poll_s)
                else:
                    await self._see_through(claimed, stop)
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)
            await self._children.close()
            await asyncio.to_thread(self._heartbeat.remove)

    async def _have_one_ready(self) -> None:
        """A process takes most of a second to load, and somebody waits for a back-test."""
        if self._config.ready_after_s is None or time.monotonic() < self._ready_at:
            return
        try:
            await self._children.prepare()
        except OSError as error:
            logger.warning("No process could be made ready for the next run: %s", error)
            self._ready_at = time.monotonic() + _RETRY_AFTER_S

    async def _look_after_imports(self) -> None:
        """Now and then, let uploads and imported rows go that nobody needs any more: between imports nobody would."""
        if time.monotonic() - self._trimmed_at < _TRIM_EVERY_S:
            return
        self._trimmed_at = time.monotonic()
        if self._config.uploads_folder is not None:
            await asyncio.to_thread(_sweep, self._config.uploads_folder)
        if self._config.imports is not None:
            await self._trim_imports(self._config.imports)

    async def _trim_imports(self, place: ImportPlace) -> None:
        try:
            trimmed = await asyncio.to_thread(_trim, place)
        except UnavailableError:
            return  # an import is under way and trims itself
        except StorageError as error:
            logger.warning("%s", error)
            return
        if trimmed:
            logger.info("%d rows of the import journal were removed: they are in history", trimmed)

    async def _claim(self) -> ClaimedRun | None:
        try:
            if not await asyncio.to_thread(self._is_worth_looking):
                return None
            claimed = await self._unit(lambda tx: tx.work.claim(self._name, self._config.lease_s))
        except UnavailableError as error:
            self._note_away(error)
            return None
        self._problem = None
        if claimed is not None:
            failpoint("job_claimed")
        return claimed

    def _is_worth_looking(self) -> bool:
        """Looking takes the write lock, so it waits for a change; retries and expired leases are found a bit later."""
        change = self._database.read(lambda transaction: transaction.changes().runs)
        is_due = change != self._seen_change or time.monotonic() - self._looked_at > _LOOK_ANYWAY_S
        if is_due:
            self._seen_change, self._looked_at = change, time.monotonic()
        return is_due

    def _note_away(self, error: UnavailableError) -> None:
        if self._problem is None:
            logger.warning("%s", error)
            self._problem = Problem("database_away", f"No scheduled work is done: {error}", now_us())

    async def _see_through(self, run: ClaimedRun, stop: asyncio.Event) -> None:
        self._running = f"{run.kind.value} {run.id}"
        self._seen_change = -1
        logger.info("Run %s (%s) begins, attempt %d", run.id, run.kind.value, run.attempt)
        try:
            await self._attempt(run, stop)
        except ConflictError:
            logger.warning("Run %s was taken over by another worker; its files here are thrown away.", run.id)
        except UnavailableError as error:
            self._note_away(error)  # the lease ends, and the run is taken up again
        finally:
            self._running = None

    async def _attempt(self, run: ClaimedRun, stop: asyncio.Event) -> None:
        try:
            folder = await asyncio.to_thread(self._store.work_folder, run)
        except StorageError as error:
            await self._give_back(run, Outcome(reason=str(error)))
            return
        try:
            limits = _limits(self._config.limits, run.kind)
            attempt = Attempt(run, self._order(run, folder), limits, self._keep_lease, self._children)
            await self._settle(run, folder, await attempt.carry_out(stop))
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _order(self, run: ClaimedRun, folder: Path) -> Order:
        return Order(
            kind=run.kind,
            run_id=run.id,
            factory_id=run.factory.id,
            start=run.start,
            end=run.end,
            device_ids=run.device_ids,
            requested_by=run.requested_by,
            database_url=self._config.database_url,
            history=self._config.history,
            journals={name: str(path) for name, path in self._config.journals.items()},
            folder=str(folder),
            memory_limit_bytes=self._config.limits.memory_bytes,
            arguments=dict(run.arguments),
            uploads_folder=str(self._config.uploads_folder or ""),
            imports=_target(self._config.imports),
        )

    async def _keep_lease(self, run: ClaimedRun, progress: float, message: str) -> bool:
        """Renew the lease; answers whether somebody asked to cancel. A database that is away does not end the run."""
        try:
            return await self._unit(lambda tx: tx.work.renew(run, self._config.lease_s, progress, message))
        except UnavailableError as error:
            logger.warning("The lease of run %s could not be renewed: %s", run.id, error)
            return False

    async def _settle(self, run: ClaimedRun, folder: Path, outcome: Outcome) -> None:
        if outcome.done is not None:
            await self._succeed(run, folder, outcome)
        elif outcome.stopped is Stopped.CANCELLED:
            await self._finish(run, RunState.CANCELLED, "It was cancelled.")
        elif outcome.is_final or (outcome.stopped is Stopped.LIMIT and run.kind in TRIALS):
            await self._finish(run, RunState.FAILED, outcome.reason)
        else:
            await self._give_back(run, outcome)

    async def _succeed(self, run: ClaimedRun, folder: Path, outcome: Outcome) -> None:
        done = outcome.done
        assert done is not None  # noqa: S101 - the caller looked
        try:
            artifacts = await asyncio.to_thread(self._store.keep, run, folder, done.files)
        except StorageError as error:
            await self._give_back(run, Outcome(reason=str(error)))
            return
        failpoint("job_done_before_mark")
        try:
            await self._unit(lambda tx: tx.work.finish(run, RunState.SUCCEEDED, done.message, done.result, artifacts))
        except ConflictError:
            await asyncio.to_thread(self._store.throw_away, run, artifacts)
            raise
        self._figures["succeeded"] += 1

    async def _finish(self, run: ClaimedRun, state: RunState, message: str) -> None:
        await self._unit(lambda tx: tx.work.finish(run, state, message, {}))
        self._figures[state.value] += 1

    async def _give_back(self, run: ClaimedRun, outcome: Outcome) -> None:
        wait_s = 0.0 if outcome.stopped is Stopped.SERVICE else _RETRY_AFTER_S * run.attempt
        state = await self._unit(lambda tx: tx.work.give_back(run, outcome.reason, retry_after_s=wait_s))
        logger.warning("Run %s, attempt %d: %s", run.id, run.attempt, outcome.reason)
        self._figures["failed" if state is RunState.FAILED else "retried"] += 1

    async def _unit(self, work: Callable[[Transaction], T]) -> T:
        return await asyncio.to_thread(self._database.run, work)

    async def _beat(self) -> None:
        while True:
            figures: dict[str, object] = {**self._figures, "running": self._running}
            problems = (self._problem,) if self._problem is not None else ()
            await asyncio.to_thread(self._heartbeat.write, figures, problems)
            await asyncio.sleep(1.0)


def _limits(usual: Limits, kind: JobKind) -> Limits:
    """Moving history in or out takes as long as there is history; it is bounded in memory like everything else."""
    return replace(usual, time_s=max(usual.time_s, _TRANSFER_S)) if kind in TRANSFERS else usual


def _sweep(folder: Path) -> int:
    return Uploads(folder).sweep(from_us(now_us()))


def _trim(place: ImportPlace) -> int:
    """Rows removed from the import journal; a file that is damaged is set aside and reported on the way."""
    if not place.journal.exists():
        return 0
    with ImportWriter(place) as writer:
        return writer.trim()


def _target(place: ImportPlace | None) -> ImportTarget | None:
    """A place as an order carries it."""
    if place is None:
        return None
    return ImportTarget(
        str(place.journal), str(place.checkpoints_folder), str(place.doorbell_folder), place.size_limit_bytes
    )
