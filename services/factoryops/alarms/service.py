"""The engine role: evaluates the journal, tells the live side at once, and records with its checkpoint.

Six loops share one evaluation. One evaluates whenever the doorbell rings; one records in the database, apart from it,
so that a slow or absent database never delays an alarm; one looks after rules, names and ingest's snapshot; one makes
alarms of the service's own problems; one lets time bring to alarms what it brings; one beats.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from factoryops.alarms.evaluation import ROWS_AT_ONCE, Evaluation
from factoryops.alarms.life_clock import pass_time
from factoryops.alarms.live_journal import LiveJournal
from factoryops.alarms.records import JOURNAL, InForce, commit, load_state, read_in_force
from factoryops.alarms.stopped import stopped_problems
from factoryops.alarms.surroundings import Surroundings
from factoryops.alarms.system_watch import SystemWatch
from factoryops.database.database import Database
from factoryops.domain.errors import UnavailableError
from factoryops.domain.time import US_PER_S, now_us
from factoryops.journal.checkpoints import publish_checkpoint
from factoryops.journal.doorbell import DoorbellListener
from factoryops.observability.heartbeat import HeartbeatFile, Problem, read_heartbeats
from factoryops.observability.pacing import is_set_within

logger = logging.getLogger(__name__)

_CONSUMER: Final = "engine"
_POLL_S: Final = 0.25
_REST_S: Final = 0.02
"""Under load the bell rings hundreds of times a second: rows gather for so long, and one turn takes them together."""

_LOOK_EVERY_S: Final = 1.0
_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 10.0
_GATHER_S: Final = 0.2
_GATHER_EACH_S: Final = 0.02
"""Under a flood, transitions gather before the database is told of them together: longer the more there were last."""

_BEHIND_US: Final = 10 * US_PER_S


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What the engine works on.

    Attributes:
        journal_path: what ingest writes.
        derived_path: the engine's own journal, in which the live side reads raises and clears.
        checkpoints_folder / doorbell_folder / heartbeat_folder: of the installation.
        snapshot_path / snapshot_key: the signed file by which ingest knows devices and credentials.
        retention_path: where the historian looks for how long history is kept.
        import_path: what imports are written to; its devices and parameters are copied to the database as well.
        save_every_s: how often the state is recorded, and the most that is evaluated again after a crash.
    """

    journal_path: Path
    derived_path: Path
    checkpoints_folder: Path
    doorbell_folder: Path
    heartbeat_folder: Path
    snapshot_path: Path
    snapshot_key: bytes
    import_path: Path | None = None
    retention_path: Path | None = None
    save_every_s: float = 5.0


class EngineService:
    """Runs the alarm engine until it is told to stop.

    While the database is away conditions go on being evaluated and are told to the live side as "not yet recorded";
    the checkpoint stays, and on recovery everything is recorded together.
    """

    def __init__(self, config: EngineConfig, database: Database) -> None:
        self._config = config
        self._database = database
        self._heartbeat = HeartbeatFile(config.heartbeat_folder, _CONSUMER)
        self._surroundings = Surroundings(
            database,
            config.snapshot_path,
            config.snapshot_key,
            other_journal=config.import_path,
            retention_path=config.retention_path,
        )
        self._evaluation_turn = asyncio.Lock()
        self._commit_turn = asyncio.Lock()
        self._has_news = asyncio.Event()
        self._recorded_at = time.monotonic()
        self._recorded_seq = 0
        self._away: Problem | None = None
        self._stopped: dict[str, Problem] = {}
        self._wait_s = _FIRST_WAIT_S
        self._is_full = False

    async def run(self, stop: asyncio.Event) -> None:
        """Evaluate until `stop` is set, then record where it stands."""
        config = self._config
        live = await asyncio.to_thread(
            LiveJournal, config.derived_path, config.checkpoints_folder, config.doorbell_folder
        )
        evaluation = Evaluation(config.journal_path, live)
        listener = DoorbellListener(config.doorbell_folder, _CONSUMER)
        await listener.start()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._beat(evaluation, live, stop))
                if await self._take_up(evaluation, stop):
                    group.create_task(self._look_around(evaluation, stop))
                    group.create_task(self._watch_system(evaluation, stop))
                    group.create_task(self._keep_recording(evaluation, stop))
                    group.create_task(self._keep_time(stop))
                    await self._evaluate(evaluation, listener, stop)
            await self._record_the_rest(evaluation)
        finally:
            listener.close()
            await asyncio.to_thread(self._close, evaluation, live)

    def _close(self, evaluation: Evaluation, live: LiveJournal) -> None:
        evaluation.close()
        live.close()
        self._surroundings.close()
        self._heartbeat.remove()

    # --- evaluating --------------------------------------------------------------------------------------------------

    async def _take_up(self, evaluation: Evaluation, stop: asyncio.Event) -> bool:
        """Go on from the recorded state under the rules in force; False when stopped before the database was there."""
        while not stop.is_set():
            try:
                await self._resume(evaluation)
                await self._look(evaluation)
            except UnavailableError as error:
                self._note_away(evaluation, error)
                await is_set_within(stop, self._next_wait_s())
            else:
                self._note_back(evaluation)
                return True
        return False

    async def _resume(self, evaluation: Evaluation) -> None:
        state = await asyncio.to_thread(load_state, self._database)
        async with self._evaluation_turn:
            await asyncio.to_thread(evaluation.resume, state)
        self._recorded_seq = evaluation.engine.seq

    async def _evaluate(self, evaluation: Evaluation, listener: DoorbellListener, stop: asyncio.Event) -> None:
        while not stop.is_set():
            async with self._evaluation_turn:
                count = await asyncio.to_thread(evaluation.turn)
            self._is_full = count == ROWS_AT_ONCE
            if evaluation.pending:
                self._has_news.set()
            if not self._is_full:
                await self._rest(listener, stop)
        self._has_news.set()

    async def _rest(self, listener: DoorbellListener, stop: asyncio.Event) -> None:
        """Wait for something new; what comes first after a quiet moment is evaluated at once."""
        turned_s = time.monotonic()
        await listener.wait(timeout_s=_POLL_S)
        await is_set_within(stop, _REST_S - (time.monotonic() - turned_s))

    # --- recording ---------------------------------------------------------------------------------------------------

    async def _keep_recording(self, evaluation: Evaluation, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await is_set_within(self._has_news, _LOOK_EVERY_S)
            self._has_news.clear()
            recorded = 0
            try:
                recorded = await self._record_if_due(evaluation)
            except UnavailableError as error:
                self._note_away(evaluation, error)
                await is_set_within(stop, self._next_wait_s())
            await is_set_within(stop, min(_GATHER_EACH_S * recorded, _GATHER_S))

    async def _keep_time(self, stop: asyncio.Event) -> None:
        """Let time bring to alarms what it brings; while the database is away it waits with them."""
        while not stop.is_set():
            with contextlib.suppress(UnavailableError):
                await asyncio.to_thread(pass_time, self._database)
            await is_set_within(stop, _LOOK_EVERY_S)

    async def _record_if_due(self, evaluation: Evaluation) -> int:
        """Answers how many transitions were recorded."""
        if evaluation.has_overflowed:
            async with self._commit_turn:
                await self._resume(evaluation)
            self._note_back(evaluation)
        elif evaluation.pending or self._is_save_due(evaluation) or self._away is not None:
            async with self._commit_turn:
                return await self._record(evaluation)
        return 0

    def _is_save_due(self, evaluation: Evaluation) -> bool:
        is_time = time.monotonic() - self._recorded_at >= self._config.save_every_s
        return is_time and evaluation.engine.seq > self._recorded_seq

    async def _record(self, evaluation: Evaluation) -> int:
        """Tell the database all that it has not been told; evaluation goes on meanwhile. Answers how much that was."""
        async with self._evaluation_turn:
            if evaluation.has_overflowed:
                return 0
            is_whole = self._is_save_due(evaluation) or self._away is not None
            record = await asyncio.to_thread(evaluation.record_of_news, is_whole=is_whole)
        await asyncio.to_thread(commit, self._database, record)
        async with self._evaluation_turn:
            evaluation.recorded(record)
        self._note_back(evaluation)
        if record.state is not None:
            await self._has_saved(record.state.seq)
        return len(record.transitions)

    async def _has_saved(self, seq: int) -> None:
        self._recorded_at, self._recorded_seq = time.monotonic(), seq
        if seq:
            await asyncio.to_thread(publish_checkpoint, self._config.checkpoints_folder, _CONSUMER, JOURNAL, seq)

    async def _record_the_rest(self, evaluation: Evaluation) -> None:
        """At an orderly stop; what cannot be recorded now is derived again after the next start."""
        if self._away is None and not evaluation.has_overflowed and evaluation.engine.seq > self._recorded_seq:
            evaluation.is_state_due = True
            with contextlib.suppress(UnavailableError):
                await self._record(evaluation)

    # --- rules and everything around ---------------------------------------------------------------------------------

    async def _look_around(self, evaluation: Evaluation, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await is_set_within(stop, _LOOK_EVERY_S if self._away is None else self._wait_s)
            try:
                await self._look(evaluation)
            except UnavailableError as error:
                self._note_away(evaluation, error)

    async def _look(self, evaluation: Evaluation) -> None:
        around = self._surroundings
        await asyncio.to_thread(around.look, {**evaluation.engine.calculator.keys, **evaluation.names})
        evaluation.engine.directory = around.directory
        if around.are_rules_new:
            await self._take_rules(evaluation)
        async with self._evaluation_turn:
            heard = evaluation.engine.heard() if around.is_touch_due else {}
            clocks, kinds = evaluation.engine.clock_offsets, evaluation.engine.kinds()
        if heard:
            await asyncio.to_thread(around.note_heard, heard)
        await asyncio.to_thread(around.note_clocks, clocks)
        await asyncio.to_thread(around.note_kinds, kinds)

    async def _take_rules(self, evaluation: Evaluation) -> None:
        wanted = await asyncio.to_thread(read_in_force, self._database)
        async with self._commit_turn, self._evaluation_turn:
            if evaluation.has_overflowed:
                return
            is_new = evaluation.engine.evaluates_otherwise(wanted.rules, wanted.calculations)
            if is_new:
                await asyncio.to_thread(self._put_in_force, evaluation, wanted)
            seq = evaluation.engine.seq
        self._surroundings.have_taken_rules(wanted.as_of)
        if is_new:
            self._note_back(evaluation)
            await self._has_saved(seq)

    def _put_in_force(self, evaluation: Evaluation, wanted: InForce) -> None:
        """Change rules and calculations at this row of the journal and record that before going on.

        Replaying then never crosses a change: it starts behind it. When it cannot be recorded, nothing has
        changed.
        """
        engine = evaluation.engine
        before, calculated_before = engine.rules, engine.calculator.calculations
        undo = engine.dump()
        engine.set_calculations(wanted.calculations)
        happened = engine.set_rules(wanted.rules)
        evaluation.pending += happened
        record = evaluation.record(
            [one for one in wanted.rules if before.get(one.rule.id) != one],
            [one for one in wanted.calculations if calculated_before.get(one.id) != one],
        )
        try:
            commit(self._database, record)
        except UnavailableError:
            del evaluation.pending[len(evaluation.pending) - len(happened) :]
            evaluation.engine = engine.restored(undo, engine.seq, evaluation.names)
            evaluation.engine.directory = engine.directory
            raise
        evaluation.recorded(record)
        evaluation.tell(happened)

    async def _watch_system(self, evaluation: Evaluation, stop: asyncio.Event) -> None:
        """Make alarms of what the roles say is wrong with the service itself."""
        watch = SystemWatch(evaluation.engine.system_problems)
        while not stop.is_set():
            beats = await asyncio.to_thread(read_heartbeats, self._config.heartbeat_folder)
            wanted = watch.look(beats, now_us())
            async with self._evaluation_turn:
                await asyncio.to_thread(evaluation.take_system, wanted)
            if evaluation.pending:
                self._has_news.set()
            await is_set_within(stop, _LOOK_EVERY_S)

    # --- how it is doing ---------------------------------------------------------------------------------------------

    def _note_away(self, evaluation: Evaluation, error: UnavailableError) -> None:
        evaluation.is_database_away = True
        if self._away is None:
            logger.warning("%s", error)
            message = (
                f"The database is away: {error} Alarms are evaluated and shown as not yet recorded; "
                "they cannot be acknowledged until it is back."
            )
            self._away = Problem("database_away", message, now_us())

    def _note_back(self, evaluation: Evaluation) -> None:
        if self._away is not None:
            logger.warning("The database is back.")
        evaluation.is_database_away = False
        self._away = None
        self._wait_s = _FIRST_WAIT_S

    def _next_wait_s(self) -> float:
        wait_s, self._wait_s = self._wait_s, min(self._wait_s * 2, _LONGEST_WAIT_S)
        return wait_s * random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not a secret

    async def _beat(self, evaluation: Evaluation, live: LiveJournal, stop: asyncio.Event) -> None:
        while not stop.is_set():
            figures, problems = self._figures(evaluation), self._problems(evaluation, live)
            await asyncio.to_thread(self._heartbeat.write, figures, problems)
            await is_set_within(stop, 1.0)

    def _figures(self, evaluation: Evaluation) -> dict[str, Any]:
        engine, evaluator = evaluation.engine, evaluation.engine.evaluator
        lag_us = now_us() - evaluator.watermark_us if evaluator.watermark_us else 0
        return {
            "rules": len(engine.rules),
            "series": len(evaluator.slots),
            "active_alarms": evaluator.active_count() + engine.programs.active_count(),
            "evaluated": evaluator.evaluated,
            "candidates": evaluator.candidates,
            "watermark_us": evaluator.watermark_us,
            "lag_s": round(lag_us / US_PER_S, 3),
            "programs": len(engine.programs),
            "program_runs": engine.programs.runs,
            "calculations": len(engine.calculator.calculations),
            "calculated": engine.calculator.results,
            "calculated_without_value": engine.calculator.without_value,
            "pending_transitions": len(evaluation.pending),
            "position": engine.seq,
            "checkpoint": self._recorded_seq,
        }

    def _problems(self, evaluation: Evaluation, live: LiveJournal) -> tuple[Problem, ...]:
        found = [self._away, *self._surroundings.problems()]
        if live.problem:
            found.append(Problem("live_alarms_delayed", live.problem, now_us()))
        if evaluation.lost is not None:
            first, last = evaluation.lost.first, evaluation.lost.last
            message = (
                f"Rows {first} to {last} of the journal could not be read: alarms that began or ended in them were "
                "not seen. Conditions go on from the newest samples; the span is shown as a gap."
            )
            found.append(Problem("journal_rows_missing", message, evaluation.received_us))
        found += self._stopped_by_us(evaluation)
        late_us = now_us() - evaluation.received_us
        if self._is_full and late_us > _BEHIND_US:
            message = f"Alarms are {late_us // US_PER_S} s behind and catching up; nothing is lost."
            found.append(Problem("engine_behind", message, evaluation.received_us))
        return tuple(one for one in found if one is not None)

    def _stopped_by_us(self, evaluation: Evaluation) -> list[Problem]:
        """The calculations and rules that are stopped, each a problem of its own factory."""
        before, self._stopped = self._stopped, {}
        for made in stopped_problems(evaluation.engine, now_us()):
            self._stopped[made.code] = before.get(made.code, made)
        return [*self._stopped.values()]
