"""What a unit of work does when the server restarts, hangs, deadlocks or goes silent in the middle of a commit."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pymysql
import pytest
import sqlalchemy as sa

from factoryops.database.database import Database
from factoryops.database.transaction import Transaction
from factoryops.database.unit import Unit
from factoryops.domain.errors import FactoryOpsError, SetupError, UnavailableError
from tests.support.databases import Site, new_site
from tests.support.mariadb import MariaDb, free_port


@pytest.fixture
def site(mariadb_server: MariaDb) -> Iterator[Site]:
    url = mariadb_server.new_schema("outage")
    database = Database.open(url)
    database.migrate()
    yield new_site(database)
    database.close()


def _note(site: Site, text: str) -> None:
    site.database.run(lambda tx: tx.audit(site.scope).add("test", text))


def _noted(site: Site) -> list[str]:
    entries = site.database.read(lambda tx: tx.audit(site.scope).list(most=10_000))
    return [entry.object_id for entry in entries if entry.action == "test"]


def test_a_restart_of_the_server_is_not_noticed_by_the_next_unit(mariadb_server: MariaDb, site: Site) -> None:
    _note(site, "before")
    mariadb_server.stop()
    with pytest.raises(UnavailableError, match="away"):
        _note(site, "during")
    mariadb_server.start()
    _note(site, "after")
    assert sorted(_noted(site)) == ["after", "before"]


def test_restarts_under_load_lose_nothing_confirmed_and_repeat_nothing(mariadb_server: MariaDb, site: Site) -> None:
    confirmed: list[str] = []
    refused: list[str] = []
    over = threading.Event()

    def write(worker: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            text = f"{worker}-{number}"
            try:
                _note(site, text)
            except UnavailableError:
                refused.append(text)
                over.wait(0.02)
            else:
                confirmed.append(text)

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, worker) for worker in range(3)]
        for end in (mariadb_server.kill, mariadb_server.stop, mariadb_server.kill):
            _wait_for_growth(confirmed)
            end()
            mariadb_server.start()
        _wait_for_growth(confirmed)
        over.set()
        for writer in writers:
            writer.result()
    noted = _noted(site)
    assert len(noted) == len(set(noted))
    assert set(confirmed) <= set(noted)
    assert set(noted) <= set(confirmed) | set(refused)
    assert site.database.read(lambda tx: tx.audit(site.scope).verify()).first_bad is None


def _wait_for_growth(items: list[str], timeout_s: float = 20.0) -> None:
    pause, end, wanted = threading.Event(), time.monotonic() + timeout_s, len(items) + 20
    while len(items) < wanted:
        assert time.monotonic() < end, "nothing was confirmed any more"
        pause.wait(0.02)


@pytest.mark.parametrize("arrives", [True, False])
def test_a_connection_lost_in_the_commit_is_settled_exactly_once(
    site: Site, monkeypatch: pytest.MonkeyPatch, arrives: bool
) -> None:
    dialect = site.database._engine.dialect
    commit = dialect.do_commit
    calls: list[int] = []

    def lose_the_first(connection: object) -> None:
        calls.append(1)
        if len(calls) == 1:
            if arrives:
                commit(connection)  # type: ignore[arg-type] # what SQLAlchemy hands in
            connection._force_close()  # type: ignore[attr-defined] # PyMySQL's hard way to end a connection
            raise pymysql.err.OperationalError(2013, "Lost connection to MySQL server during query")
        commit(connection)  # type: ignore[arg-type] # what SQLAlchemy hands in

    monkeypatch.setattr(dialect, "do_commit", lose_the_first)
    runs: list[int] = []

    def work(tx: Transaction) -> None:
        runs.append(1)
        tx.audit(site.scope).add("test", "once")

    site.database.run(work)
    assert _noted(site) == ["once"]
    assert len(runs) == (1 if arrives else 2)


def test_a_deadlock_repeats_the_whole_unit(site: Site) -> None:
    together = threading.Barrier(2, timeout=10)
    tries: list[str] = []
    first, second = site.device, site.add_device("pump-2")

    def swap(order: list[str]) -> None:
        def work(tx: Transaction) -> None:
            tries.append(order[0])
            for number, device in enumerate(order):
                tx.devices(site.scope).change(device, area=f"{order[0]}-{len(tries)}-{number}")
                if number == 0 and len(tries) <= 2:
                    together.wait()

        # Straight at the rows, so that the two meet at them and not at a counter both need first.
        site.database.run(_without_counters(work))

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(swap, [first.id, second.id]), pool.submit(swap, [second.id, first.id])]:
            done.result(timeout=30)
    assert len(tries) == 3
    areas = {device.area.split("-")[0] for device in site.database.read(lambda tx: tx.devices(site.scope).list())}
    assert len(areas) == 1


def _without_counters(work: Callable[[Transaction], None]) -> Callable[[Transaction], None]:
    def bare(tx: Transaction) -> None:
        unit: Unit = tx._unit
        write = unit.write

        def only_devices(statement: sa.Insert | sa.Update | sa.Delete, *, every_factory: bool = False) -> int:
            is_device = getattr(statement.table, "name", "") == "device"
            return write(statement, every_factory=every_factory) if is_device else 0

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(unit, "write", only_devices)
            patch.setattr(unit, "insert", lambda _table, _rows: None)
            work(tx)

    return bare


@pytest.mark.timeout(60)
def test_a_hanging_server_is_given_up_within_15_seconds(mariadb_server: MariaDb, site: Site) -> None:
    mariadb_server.signal(signal.SIGSTOP)
    started = time.monotonic()
    try:
        with pytest.raises(UnavailableError):
            site.database.read(lambda tx: tx.factories.list())
    finally:
        mariadb_server.signal(signal.SIGCONT)
    assert time.monotonic() - started < 15
    assert site.database.read(lambda tx: tx.factories.list()) == [site.factory]


def test_a_server_that_was_never_there_is_away_and_not_a_fault() -> None:
    database = Database.open(f"mysql+pymysql://root@127.0.0.1:{free_port()}/none")
    for act in (database.check_schema, database.migrate, lambda: database.read(lambda tx: tx.factories.list())):
        with pytest.raises(UnavailableError):
            act()
    database.close()


def test_a_wrong_password_and_a_missing_schema_say_so(mariadb_server: MariaDb) -> None:
    for url in (
        f"mysql+pymysql://nobody:wrong@127.0.0.1:{mariadb_server.port}/outage",
        mariadb_server.url("no_such_schema"),
    ):
        database = Database.open(url)
        with pytest.raises(SetupError) as raised:
            database.check_schema()
        assert isinstance(raised.value, FactoryOpsError)
        assert "wrong" not in str(raised.value)
        database.close()


def test_a_database_that_begins_to_refuse_a_running_service_is_away_not_the_end(mariadb_server: MariaDb) -> None:
    database = Database.open(mariadb_server.url("no_such_schema"))
    for ask in (database.read, database.run):
        with pytest.raises(UnavailableError, match="refuses"):
            ask(lambda tx: tx.factories.list())
    database.close()
