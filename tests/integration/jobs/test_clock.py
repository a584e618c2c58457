from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from factoryops.contracts.http import STARTED_APART, JobKind, Run, RunState, ScheduleChange
from factoryops.database.database import Database
from factoryops.domain.errors import UnavailableError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.time import to_us
from factoryops.jobs import clock
from factoryops.jobs.clock import JobClock, look
from factoryops.observability.heartbeat import read_heartbeats
from tests.support.waiting import until

BORN = datetime(2027, 3, 1, 12, tzinfo=UTC)
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo")


class Wall:
    """The database's clock, set by the test."""

    def __init__(self) -> None:
        self.now = BORN

    def __call__(self) -> int:
        return to_us(self.now)


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def empty(tmp_path: Path, wall: Wall) -> Iterator[Database]:
    database = Database.open(f"sqlite:///{tmp_path / 'factoryops.db'}", clock=wall)
    database.migrate()
    yield database
    database.close()


def add_factory(database: Database, slug: str = "riverside", zone: str = "Europe/Berlin") -> Scope:
    factory = database.run(lambda tx: tx.factories.create(slug, slug, zone))
    return Scope(factory.id, "anna", Role.ADMIN)


def runs_of(database: Database, scope: Scope) -> list[Run]:
    return database.read(lambda tx: tx.work.list(scope, 1_000))


def switch(database: Database, scope: Scope, kind: JobKind, change: ScheduleChange) -> None:
    database.run(lambda tx: tx.work.change_schedule(scope, kind, change))


def listed(database: Database, scope: Scope) -> list[tuple[datetime, RunState]]:
    return sorted((run.slot, run.state) for run in runs_of(database, scope) if run.slot is not None)


def test_a_slot_becomes_one_run_however_often_one_looks(empty: Database) -> None:
    scope = add_factory(empty)
    for minute in range(0, 60 * 24, 7):
        look(empty, BORN + timedelta(minutes=minute))
    assert listed(empty, scope) == [(datetime(2027, 3, 2, 5, tzinfo=UTC), RunState.QUEUED)]
    (run,) = empty.read(lambda tx: tx.work.list(scope, 10))
    zone = ZoneInfo("Europe/Berlin")
    assert run.start.astimezone(zone) == datetime(2027, 3, 1, tzinfo=zone)
    assert run.end.astimezone(zone) == datetime(2027, 3, 2, tzinfo=zone)


def test_nothing_is_due_from_before_the_factory_existed(empty: Database) -> None:
    scope = add_factory(empty)
    look(empty, BORN)
    assert listed(empty, scope) == []


def test_missed_slots_run_late_within_a_day_and_are_listed_as_missed_beyond(empty: Database) -> None:
    scope = add_factory(empty)
    look(empty, BORN)
    result = look(empty, BORN + timedelta(days=5))
    states = [state for _, state in listed(empty, scope)]
    assert states == [RunState.MISSED] * 4 + [RunState.QUEUED]
    assert (result.missed, result.queued) == (4, 1)


def test_moving_a_schedule_after_it_ran_does_not_run_it_twice_on_that_date(empty: Database, wall: Wall) -> None:
    scope = add_factory(empty)
    wall.now = datetime(2027, 3, 2, 7, tzinfo=UTC)
    look(empty, wall.now)
    switch(empty, scope, JobKind.DAILY_REPORT, ScheduleChange(is_enabled=True, local_time="20:00"))
    for hour in range(48):
        look(empty, wall.now + timedelta(hours=hour))
    slots = [slot for slot, _ in listed(empty, scope)]
    assert slots == [datetime(2027, 3, 2, 5, tzinfo=UTC), datetime(2027, 3, 3, 19, tzinfo=UTC)]


def test_a_schedule_that_is_off_makes_no_slots_and_those_of_the_time_off_are_not_due(
    empty: Database, wall: Wall
) -> None:
    scope = add_factory(empty)

    switch(empty, scope, JobKind.DAILY_REPORT, ScheduleChange(is_enabled=False, local_time="06:00"))
    look(empty, BORN + timedelta(days=3))
    wall.now = BORN + timedelta(days=3)
    switch(empty, scope, JobKind.DAILY_REPORT, ScheduleChange(is_enabled=True, local_time="06:00"))
    look(empty, BORN + timedelta(days=4))
    assert [slot for slot, _ in listed(empty, scope)] == [datetime(2027, 3, 5, 5, tzinfo=UTC)]


def test_the_clock_set_back_runs_nothing_twice(empty: Database) -> None:
    scope = add_factory(empty)
    for day in (2, 1, 2, 3, 1, 3):
        look(empty, BORN + timedelta(days=day))
    dates = Counter(slot.date() for slot, _ in listed(empty, scope))
    assert set(dates.values()) == {1}
    assert len(dates) == 3


def test_two_instances_make_each_of_600_slots_once_in_five_zones_across_daylight_saving(empty: Database) -> None:
    scopes = [add_factory(empty, f"plant-{number}", ZONES[number % 5]) for number in range(10)]
    for scope in scopes:
        change = ScheduleChange(is_enabled=True, local_time="02:30")
        for kind in set(JobKind) - STARTED_APART - {JobKind.SCHEDULED_RULES}:
            switch(empty, scope, kind, change)
    moments = [BORN + timedelta(hours=12 * step) for step in range(62)]

    def instance(_: int) -> int:
        return sum(look(empty, moment).queued for moment in moments)

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(instance, range(2))) >= 600
    for scope in scopes:
        zone = ZoneInfo(ZONES[scopes.index(scope) % 5])
        runs = runs_of(empty, scope)
        seen = Counter((run.kind, run.slot.astimezone(zone).date()) for run in runs if run.slot is not None)
        assert set(seen.values()) == {1}
        assert len(seen) >= 60
        assert all(run.state is RunState.QUEUED for run in runs)


async def test_the_running_clock_queues_a_slot_shows_the_next_one_and_stops_at_once(
    empty: Database, tmp_path: Path
) -> None:
    scope = add_factory(empty)
    stop = asyncio.Event()
    now = datetime(2027, 3, 2, 5, 0, 1, tzinfo=UTC)
    task = asyncio.create_task(JobClock(empty, heartbeat_folder=tmp_path / "beat", clock=lambda: now).run(stop))
    await until(lambda: listed(empty, scope), what="the slot")
    await until(lambda: "clock" in read_heartbeats(tmp_path / "beat"), what="the heartbeat")
    stop.set()
    await asyncio.wait_for(task, 5)
    schedule = next(one for one in empty.read(lambda tx: tx.work.schedules(scope)) if one.is_enabled)
    assert schedule.next_slot == datetime(2027, 3, 3, 5, tzinfo=UTC)
    assert read_heartbeats(tmp_path / "beat") == {}


async def test_a_clock_that_fell_silent_is_started_again(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_SILENT_AFTER_S", 0.5)
    ticking = JobClock(empty)
    stop = asyncio.Event()
    task = asyncio.create_task(ticking.run(stop))
    await until(lambda: ticking._scheduler is not None)
    scheduler = ticking._scheduler
    assert scheduler is not None
    scheduler.remove_all_jobs()  # what a dead scheduler looks like: it claims to run, and nothing fires
    await until(lambda: ticking._restarts >= 1, what="the watchdog")
    stop.set()
    await asyncio.wait_for(task, 5)


async def test_a_database_that_is_away_is_a_problem_and_not_the_end(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(database: Database, now: datetime) -> None:
        raise UnavailableError("The database is away.")

    monkeypatch.setattr(clock, "look", away)
    ticking = JobClock(empty)
    stop = asyncio.Event()
    task = asyncio.create_task(ticking.run(stop))
    await until(lambda: [one.code for one in ticking.problems] == ["database_away"])
    assert not task.done()
    monkeypatch.undo()
    stop.set()
    await asyncio.wait_for(task, 5)
