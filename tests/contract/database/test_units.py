from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from factoryops.contracts import http
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


def _retained(tx: Transaction, site: Site, place: int) -> None:
    rules = [http.RetentionRule(name=f"All {place}", raw_days=30)]
    tx.retention(site.scope).replace(http.RetentionChange(version=0, rules=rules))


def _mapped(tx: Transaction, site: Site, place: int) -> None:
    content = {"name": f"M {place}", "topic": "hall2/{device}/state", "values": [{"parameter": "force", "path": "$"}]}
    tx.mappings(site.scope).create(http.MappingContent.model_validate(content | {"is_enabled": True}))


@pytest.mark.parametrize("change", [_retained, _mapped])
def test_what_is_checked_over_several_rows_still_holds_when_two_change_it_at_once(
    site: Site, change: Callable[[Transaction, Site, int], None]
) -> None:
    """Two sets of retention rules, or two mappings of the same topic, must not both come into force."""
    has_changed, may_end = threading.Event(), threading.Event()

    def slowly(tx: Transaction) -> None:
        change(tx, site, 1)
        has_changed.set()
        may_end.wait(0.5)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(site.database.run, slowly)
        assert has_changed.wait(10)
        second = pool.submit(site.database.run, lambda tx: change(tx, site, 2))
        assert isinstance(second.exception(20), ConflictError)
        assert first.exception(20) is None
    assert [one.name for one in site.database.read(lambda tx: tx.retention(site.scope).get()).rules] in ([], ["All 1"])
    assert len(site.database.read(lambda tx: tx.mappings(site.scope).list())) <= 1


def test_of_two_rotations_at_once_the_later_keeps_the_secret_of_the_earlier(site: Site) -> None:
    def rotate(tx: Transaction, secret: str) -> None:
        until = datetime(2030, 1, 1, tzinfo=UTC)
        tx.credentials.rotate(site.factory.id, "gateway", secret, broker_hash=secret, until=until)

    site.database.run(lambda tx: tx.credentials.create(site.factory.id, "gateway", "first"))
    has_changed = threading.Event()

    def slowly(tx: Transaction) -> None:
        rotate(tx, "second")
        has_changed.set()
        threading.Event().wait(0.5)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(site.database.run, slowly)
        assert has_changed.wait(10)
        pool.submit(site.database.run, lambda tx: rotate(tx, "third")).result(20)
        first.result(20)
    (held,) = site.database.read(lambda tx: tx.credentials.list(site.scope))
    assert (held.secret_sha256, held.previous_sha256) == ("third", "second")
