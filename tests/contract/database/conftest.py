from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from factoryops.database.database import Database
from tests.support.databases import Clock, Site, empty, mariadb_server, migrated_mariadb, migrated_sqlite, new_site
from tests.support.mariadb import MariaDb

__all__ = ["mariadb_server", "migrated_mariadb", "migrated_sqlite"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty, migrated database of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "factoryops.db")
        return f"sqlite:///{tmp_path / 'factoryops.db'}"
    server: MariaDb = request.getfixturevalue("mariadb_server")
    migrated: str = request.getfixturevalue("migrated_mariadb")
    empty(server, "contract")
    return migrated


@pytest.fixture
def database(url: str, clock: Clock) -> Iterator[Database]:
    opened = Database.open(url, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def site(database: Database) -> Site:
    return new_site(database)


@pytest.fixture
def other_site(database: Database) -> Site:
    return new_site(database, "hillside")
