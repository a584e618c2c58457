"""The historian role: reads the journals from the store's checkpoints and keeps every sample in the store."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from factoryops.domain.errors import DamagedFileError, StorageError, UnavailableError
from factoryops.domain.time import US_PER_S, now_us
from factoryops.history.backoff import FIRST_WAIT_S, Backoff
from factoryops.history.intake import Intake
from factoryops.history.store import HistoryStore
from factoryops.history.upkeep import Upkeep
from factoryops.journal.checkpoints import publish_checkpoint
from factoryops.journal.doorbell import DoorbellListener
from factoryops.observability.heartbeat import HeartbeatFile, Problem
from factoryops.observability.pacing import is_set_within

logger = logging.getLogger(__name__)

_CONSUMER: Final = "historian"
_POLL_S: Final = 0.5
_REST_S: Final = 0.5
_BEHIND_US: Final = 60 * US_PER_S
_TIDY_BUDGET_S: Final = 0.25
_CATCHING_UP_US: Final = 3 * US_PER_S
_MOST_UNTIDY: Final = 300
"""Further behind than the first of these, sealing goes before tidying up, until so many seals wait for that."""


@dataclass(frozen=True, slots=True)
class HistorianConfig:
    """What the historian works on.

    Attributes:
        journals: journal name ("journal", "derived", "import") -> file.
        checkpoints_folder / doorbell_folder / heartbeat_folder: of the installation.
        seal_every_s: how often samples go to the store.
        seal_at_samples: with so many waiting, at once; also about the most that is held in memory.
        retention_file: how long history is kept; without one, for ever.
    """

    journals: Mapping[str, Path]
    checkpoints_folder: Path
    doorbell_folder: Path
    heartbeat_folder: Path
    seal_every_s: float = 10.0
    seal_at_samples: int = 200_000
    retention_file: Path | None = None


class Historian:
    """Runs until told to stop; holds the store's only writing connection.

    The store and the journals are touched by one worker thread at a time, never by the event loop's.
    """

    def __init__(self, config: HistorianConfig, store: HistoryStore) -> None:
        self._config = config
        self._store = store
        self._heartbeat = HeartbeatFile(config.heartbeat_folder, _CONSUMER)
        self._backoff = Backoff()
        self._problem: Problem | None = None
        self._backlog = 0
        self._store_figures: dict[str, Any] = {}
        self._published: dict[str, int] = {}
        self._sealed_at = time.monotonic()
        self._sealed_us = 0
        self._intake: Intake | None = None
        self._upkeep = Upkeep(config.retention_file) if config.retention_file else None

    async def run(self, stop: asyncio.Event) -> None:
        """Read, seal and tidy up until `stop`, then seal the rest."""
        self._intake = await asyncio.to_thread(Intake, self._config.journals, self._store)
        doorbell = DoorbellListener(self._config.doorbell_folder, _CONSUMER)
        await doorbell.start()
        try:
            while not stop.is_set():
                is_more = await asyncio.to_thread(self._turn)
                if not is_more:
                    await doorbell.wait(timeout_s=_POLL_S)
                    await _rest(stop)
            await asyncio.to_thread(self._last_turn)
        finally:
            doorbell.close()
            await asyncio.to_thread(self._end)

    def _turn(self) -> bool:
        """One round of work; returns whether there is more to do at once."""
        intake = self._open_intake()
        intake.read(most_samples=self._config.seal_at_samples)
        is_full = intake.is_full(self._config.seal_at_samples)
        is_catching_up = is_full and now_us() - intake.newest_waiting_us > _CATCHING_UP_US
        if self._is_seal_due(intake):
            self._seal(intake)
        if self._problem is None and not (is_catching_up and self._backlog < _MOST_UNTIDY):
            self._tidy()
        self._beat(intake)
        return self._problem is None and is_full

    def _open_intake(self) -> Intake:
        if self._intake is None:
            raise RuntimeError("the historian is not running")
        return self._intake

    def _is_seal_due(self, intake: Intake) -> bool:
        if not intake.has_news or not self._backoff.is_over():
            return False
        is_time = time.monotonic() - self._sealed_at >= self._config.seal_every_s
        return is_time or self._problem is not None or intake.is_full(self._config.seal_at_samples)

    def _seal(self, intake: Intake) -> None:
        """Hand what was read to the store; keep it for the next try when the store is away."""
        sheaf = intake.sheaf()
        try:
            self._store.append(
                sheaf.samples,
                sheaf.keys,
                gaps=sheaf.gaps,
                checkpoints=sheaf.checkpoints,
                texts=sheaf.texts,
                clocks=sheaf.clocks,
            )
        except UnavailableError as error:
            self._failed("store_away", str(error), asked_s=error.retry_after_s)
            return
        except DamagedFileError as error:
            self._begin_anew(error)
            return
        except StorageError as error:
            self._failed("store_away", str(error), asked_s=FIRST_WAIT_S)
            return
        intake.sealed(sheaf)
        self._problem = None
        self._backlog += 1
        self._backoff.succeeded()
        self._sealed_at, self._sealed_us = time.monotonic(), now_us()

    def _failed(self, code: str, message: str, *, asked_s: float) -> None:
        self._problem = _going_on(self._problem, code, message)
        self._backoff.failed(asked_s=asked_s)

    def _begin_anew(self, error: DamagedFileError) -> None:
        """The store lost what it had: read again from where it stands now."""
        self._failed("store_away", str(error), asked_s=0)
        if self._intake is not None:
            self._intake.close()
        self._intake = Intake(self._config.journals, self._store)

    def _tidy(self) -> None:
        try:
            self._backlog = self._store.tidy(budget_s=_TIDY_BUDGET_S)
            if self._upkeep is not None:
                self._upkeep.run(self._store, now_us(), budget_s=_TIDY_BUDGET_S)
        except DamagedFileError as error:
            self._begin_anew(error)
        except StorageError as error:
            self._failed("store_away", str(error), asked_s=FIRST_WAIT_S)

    def _last_turn(self) -> None:
        """Seal the rest; with the store away, or a backlog behind a full sheaf, it stays in the journal."""
        intake = self._open_intake()
        intake.read(most_samples=self._config.seal_at_samples)
        if intake.has_news and self._problem is None:
            self._seal(intake)
            self._look_at_store()

    def _beat(self, intake: Intake) -> None:
        try:
            self._look_at_store()
        except UnavailableError as error:
            self._failed("store_away", str(error), asked_s=error.retry_after_s)
        figures: dict[str, Any] = {
            **self._store_figures,
            "accepted": intake.accepted_at_checkpoint,
            "waiting_samples": intake.waiting_samples,
            "oldest_waiting_us": intake.oldest_waiting_us,
            "compaction_backlog": self._backlog,
            "sealed_us": self._sealed_us,
        }
        problems = [*([self._problem] if self._problem else []), *self._store.problems()]
        oldest_us = intake.oldest_waiting_us
        if oldest_us is not None and now_us() - oldest_us > _BEHIND_US:
            seconds = (now_us() - oldest_us) // US_PER_S
            message = (
                f"History is {seconds} s behind. Nothing is lost and alarms are not concerned, "
                "but charts may lack the newest samples until it has caught up."
            )
            problems.append(Problem("history_behind", message, oldest_us))
        self._heartbeat.write(figures, tuple(problems))

    def _look_at_store(self) -> None:
        ledger = self._store.ledger()
        checkpoints = {name: self._store.checkpoint(name) for name in self._config.journals}
        self._store_figures = {
            "stored": ledger.stored,
            "replaced": ledger.replaced,
            "expired": ledger.expired,
            "held_back": ledger.held_back,
            "refused": dict(ledger.refused),
            "checkpoint": checkpoints,
        }
        self._publish(checkpoints)

    def _publish(self, checkpoints: Mapping[str, int]) -> None:
        """Tell the journals' writers what the store holds: where samples are held back, that is less than was read."""
        for journal, seq in checkpoints.items():
            if seq and self._published.get(journal) != seq:
                publish_checkpoint(self._config.checkpoints_folder, _CONSUMER, journal, seq)
                self._published[journal] = seq

    def _end(self) -> None:
        self._heartbeat.remove()
        if self._intake is not None:
            self._intake.close()


def _going_on(old: Problem | None, code: str, message: str) -> Problem:
    """A problem that may have begun earlier; it is logged when it begins or changes."""
    if old is None or old.message != message:
        logger.warning("%s", message)
    return Problem(code, message, old.since_us if old is not None and old.code == code else now_us())


async def _rest(stop: asyncio.Event) -> None:
    """Under load the bell rings all the time: let some rows gather."""
    await is_set_within(stop, _REST_S)
