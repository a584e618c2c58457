"""A writer killed at any moment: what it was told is committed is there, and nothing is half there."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from factoryops.database.database import Database
from factoryops.database.transaction import Transaction
from tests.support.databases import Site, new_site
from tests.support.mariadb import MariaDb


@pytest.fixture(params=["sqlite", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "factoryops.db")
        return f"sqlite:///{tmp_path / 'factoryops.db'}"
    server: MariaDb = request.getfixturevalue("mariadb_server")
    made = server.new_schema("killed_writer")
    database = Database.open(made)
    database.migrate()
    database.close()
    return made


def _write_for_ever(url: str, site: Site, told: int) -> None:
    """Two rows per unit, each unit's number told once it is committed."""
    database = Database.open(url)
    for number in range(1_000_000):

        def work(tx: Transaction, number: int = number) -> None:
            trail = tx.audit(site.scope)
            trail.add("first", f"{os.getpid()}-{number}")
            trail.add("second", f"{os.getpid()}-{number}")

        database.run(work)
        os.write(told, f"{os.getpid()}-{number}\n".encode())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.timeout(120)
def test_kill_9_loses_nothing_confirmed_and_leaves_nothing_half(url: str) -> None:
    database = Database.open(url)
    site = new_site(database)
    database.close()
    confirmed: list[str] = []
    for kill_after in (3, 11, 24, 40):
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            try:
                _write_for_ever(url, site, writer)
            finally:
                os._exit(1)
        os.close(writer)
        with os.fdopen(reader) as lines:
            confirmed += [next(lines).strip() for _ in range(kill_after)]
            os.kill(child, signal.SIGKILL)
            confirmed += [line.strip() for line in lines if line.endswith("\n")]
        os.waitpid(child, 0)
    database = Database.open(url)
    entries = database.read(lambda tx: tx.audit(site.scope).list(most=100_000))
    check = database.read(lambda tx: tx.audit(site.scope).verify())
    database.close()
    first, second = ([entry.object_id for entry in entries if entry.action == action] for action in ("first", "second"))
    assert first == second
    assert len(first) == len(set(first))
    assert set(confirmed) <= set(first)
    assert check.first_bad is None
