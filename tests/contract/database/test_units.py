from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from factoryops.contracts.http import JobKind, RunRequest
from factoryops.database import tables
from factoryops.database.database import Database
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import ConflictError
from factoryops.domain.identity import Role
from tests.support.databases import Site


def test_a_unit_that_raises_leaves_nothing(database: Database) -> None:
    def fails(tx: Transaction) -> None:
        tx.factories.create("riverside", "Riverside", "UTC")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.run(fails)
    assert database.read(lambda tx: tx.factories.list()) == []


def test_a_reading_unit_cannot_write(database: Database) -> None:
    with pytest.raises(AssertionError, match="reading unit"):
        database.read(lambda tx: tx.factories.create("riverside", "Riverside", "UTC"))


def test_units_at_the_same_time_lose_no_update(site: Site) -> None:
    def add(number: int) -> None:
        site.database.run(lambda tx: tx.audit(site.scope).add("test", str(number)))

    before = site.database.read(lambda tx: tx.audit(site.scope).verify()).count
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(64)))
    check = site.database.read(lambda tx: tx.audit(site.scope).verify())
    assert (check.count - before, check.first_bad) == (64, None)


def test_the_same_thing_added_twice_at_once_is_added_once(site: Site) -> None:
    together = threading.Barrier(6)

    def add(_number: int) -> bool:
        together.wait()
        return site.database.run(lambda tx: tx.devices(site.scope).ensure(fan))

    fan = site.add_device("fan-1")
    with site.database._engine.begin() as connection:
        connection.execute(sa.delete(tables.device).where(tables.device.c.id == fan.id), execution_options=EVERY)
    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(add, range(6))) == [False] * 5 + [True]


EVERY = {"every_factory": True}


def test_one_claim_per_run_among_many_workers(site: Site) -> None:
    for _ in range(10):
        site.database.run(lambda tx: tx.work.queue(site.scope, RunRequest(kind=JobKind.DAILY_REPORT)))

    def claim(number: int) -> list[str]:
        mine: list[str] = []
        while run := site.database.run(lambda tx: tx.work.claim(f"worker-{number}", 30)):
            mine.append(run.id)
        return mine

    with ThreadPoolExecutor(4) as pool:
        claimed = [run for mine in pool.map(claim, range(4)) for run in mine]
    assert len(claimed) == len(set(claimed)) == 10


def test_two_who_take_the_same_name_at_once_get_one_refusal(site: Site) -> None:
    together = threading.Barrier(2)

    def add(_number: int) -> bool:
        together.wait()
        try:
            site.database.run(lambda tx: tx.users.create(site.factory.id, "anna", "hash", Role.VIEWER))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(add, range(2))) == [False, True]
