"""The clock of scheduled work: turns schedules into rows when they fall due, and takes back what fell silent.

APScheduler is the alarm clock in memory and nothing more; what must run is rows (decision 0008).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from factoryops.contracts.http import RunState
from factoryops.database.database import Database
from factoryops.database.rows import ScheduleRecord
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError, UnavailableError
from factoryops.domain.time import now_us, to_us
from factoryops.jobs.rule_slots import PlannedWork, by_factory
from factoryops.jobs.slots import DailyRule, span_of_daily
from factoryops.observability.heartbeat import HeartbeatFile, Problem
from factoryops.observability.pacing import is_set_within

logger = logging.getLogger(__name__)

RUN_LATE_WITHIN: Final = timedelta(days=1)
"""A slot missed by less runs late; an older one is only listed as missed."""

LIST_WITHIN: Final = timedelta(days=31)
"""Missed slots are listed this far back."""

_TICK_S: Final = 5.0
_SILENT_AFTER_S: Final = 30.0
_JUMP_S: Final = 2.0


@dataclass(slots=True)
class TickResult:
    """What one look at the schedules came to."""

    queued: int = 0
    missed: int = 0
    taken_back: int = 0
    next_slot: datetime | None = None
    broken: list[str] = field(default_factory=list)


def look(database: Database, now: datetime) -> TickResult:
    """Make rows of every slot that has fallen due by `now`, and take back runs whose worker fell silent.

    Safe to repeat, and to run on two machines at once: a slot's row exists once.

    Raises:
        UnavailableError: the database is away; nothing is lost, look again later.
    """

    def work(transaction: Transaction) -> TickResult:
        result = TickResult(taken_back=transaction.work.expire_leases(now))
        _look_at_rules(transaction, now, result)
        for schedule in transaction.work.all_schedules():
            try:
                _look_at(transaction, schedule, now, result)
            except InvalidInputError as error:
                result.broken.append(str(error))
        return result

    return database.run(work)


def _look_at(transaction: Transaction, schedule: ScheduleRecord, now: datetime, result: TickResult) -> None:
    rule = DailyRule.of(schedule.local_time, schedule.timezone)
    latest = transaction.work.latest_slot(schedule.factory_id, schedule.kind)
    following: datetime | None = None
    if schedule.is_enabled:
        for slot in due_slots(rule, schedule, latest, now):
            _ensure(transaction, schedule, (slot, *span_of_daily(slot, rule.zone)), now, result)
            latest = slot
        following = next_slot(rule, latest, now)
        result.next_slot = min(filter(None, (result.next_slot, following)))
    if following != schedule.next_slot:
        transaction.work.record_next_slot(schedule.factory_id, schedule.kind, following)


def due_slots(rule: DailyRule, schedule: ScheduleRecord, latest: datetime | None, now: datetime) -> list[datetime]:
    """The slots of a schedule that have fallen due and have no row yet, oldest first, one per local date."""
    after = max(filter(None, (schedule.since, schedule.changed_at, latest, now - LIST_WITHIN)))
    used = rule.local_date(latest) if latest is not None else None
    return [slot for slot in rule.slots(after, now) if rule.local_date(slot) != used]


def next_slot(rule: DailyRule, latest: datetime | None, now: datetime) -> datetime:
    """When a schedule runs next: never twice on one local date, even when it was moved after it ran."""
    slot = rule.next_after(max(filter(None, (now, latest))))
    if latest is not None and rule.local_date(slot) == rule.local_date(latest):
        return rule.next_after(slot)
    return slot


def _look_at_rules(transaction: Transaction, now: datetime, result: TickResult) -> None:
    """One run per factory and moment at which any of its scheduled rules is due."""
    for planned in by_factory(transaction.planned_rules()):
        latest = transaction.work.latest_slot(planned.factory_id, planned.kind)
        after = max(filter(None, (latest, now - LIST_WITHIN)))
        try:
            slots, following = planned.slots(after, now)
        except InvalidInputError as error:
            result.broken.append(str(error))
            continue
        for slot in slots:
            _ensure(transaction, planned, (slot, slot - timedelta(days=1), slot), now, result)
        result.next_slot = min(filter(None, (result.next_slot, following)), default=None)


def _ensure(
    transaction: Transaction,
    schedule: ScheduleRecord | PlannedWork,
    slot_and_span: tuple[datetime, datetime, datetime],
    now: datetime,
    done: TickResult,
) -> None:
    slot, start, end = slot_and_span
    is_missed = now - slot > RUN_LATE_WITHIN
    made = transaction.work.ensure_slot(
        schedule.factory_id,
        schedule.kind,
        slot,
        start,
        end,
        state=RunState.MISSED if is_missed else RunState.QUEUED,
        message="The service was not running for more than a day after it was due. Start it by hand if it is needed."
        if is_missed
        else "",
    )
    if made is not None and is_missed:
        done.missed += 1
    elif made is not None:
        done.queued += 1


class JobClock:
    """Runs `look` every few seconds and at each slot, beside the engine.

    Attributes:
        problems: promises at risk, for the heartbeat.
    """

    def __init__(
        self,
        database: Database,
        *,
        heartbeat_folder: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._clock = clock
        self._heartbeat = HeartbeatFile(heartbeat_folder, "clock") if heartbeat_folder is not None else None
        self._scheduler: AsyncIOScheduler | None = None
        self._looking = asyncio.Lock()
        self._looked_at = time.monotonic()
        self._offset_s = time.time() - time.monotonic()
        self._restarts = 0
        self._queued = 0
        self._missed = 0
        self._next_slot: datetime | None = None
        self._found: dict[str, Problem] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Promises at risk."""
        return tuple(self._found.values())

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the clock until `stop` is set."""
        self._start_scheduler()
        try:
            await self._look()
            while not await is_set_within(stop, 1.0):
                self._watch()
                await self._beat()
        finally:
            self._stop_scheduler()
            if self._heartbeat is not None:
                await asyncio.to_thread(self._heartbeat.remove)

    def _start_scheduler(self) -> None:
        self._looked_at = time.monotonic()
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._scheduler.add_job(
            self._look, "interval", seconds=_TICK_S, id="look", misfire_grace_time=None, coalesce=True
        )
        self._scheduler.start()

    def _stop_scheduler(self) -> None:
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None

    async def _look(self) -> None:
        async with self._looking:
            try:
                result = await asyncio.to_thread(look, self._database, self._clock())
            except UnavailableError as error:
                self._raise("database_away", f"Scheduled work cannot be started: {error} Missed slots run late.")
                self._looked_at = time.monotonic()
                return
        self._found.pop("database_away", None)
        self._looked_at = time.monotonic()
        self._queued += result.queued
        self._missed += result.missed
        self._note_broken(result.broken)
        self._wake_at(result.next_slot)

    def _note_broken(self, broken: list[str]) -> None:
        if broken:
            self._raise("schedule_broken", f"A schedule cannot run: {broken[0]}")
        else:
            self._found.pop("schedule_broken", None)

    def _wake_at(self, slot: datetime | None) -> None:
        self._next_slot = slot
        if slot is not None and self._scheduler is not None and slot > self._clock():
            self._scheduler.add_job(
                self._look, "date", run_date=slot, id="slot", replace_existing=True, misfire_grace_time=None
            )

    def _watch(self) -> None:
        """Start the alarm clock anew when it has fallen silent, and notice a wall clock that jumped."""
        if time.monotonic() - self._looked_at > _SILENT_AFTER_S:
            logger.error("The alarm clock of scheduled work fell silent; it is started again.")
            self._restarts += 1
            self._stop_scheduler()
            self._start_scheduler()
        offset_s = time.time() - time.monotonic()
        if abs(offset_s - self._offset_s) > _JUMP_S:
            logger.warning("The wall clock jumped by %.1f s; slots run once all the same.", offset_s - self._offset_s)
        self._offset_s = offset_s

    def _raise(self, code: str, message: str) -> None:
        if code not in self._found:
            logger.warning("%s", message)
        since_us = self._found[code].since_us if code in self._found else now_us()
        self._found[code] = Problem(code, message, since_us)

    async def _beat(self) -> None:
        if self._heartbeat is None:
            return
        figures = {
            "queued": self._queued,
            "missed": self._missed,
            "restarts": self._restarts,
            "next_slot_us": to_us(self._next_slot) if self._next_slot is not None else None,
            "looked_s_ago": round(time.monotonic() - self._looked_at, 1),
        }
        await asyncio.to_thread(self._heartbeat.write, figures, self.problems)
