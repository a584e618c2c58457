from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
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
def emptied_sqlite(migrated_sqlite: Path, tmp_path: Path) -> partial[str]:
    """Makes an SQLite database as good as new with each call, and answers its URL."""
    return partial(_copied, migrated_sqlite, tmp_path / "life.db")


@pytest.fixture
def emptied_mariadb(mariadb_server: MariaDb, migrated_mariadb: str) -> partial[str]:
    """Empties the schema with each call, and answers its URL."""
    return partial(_emptied, mariadb_server, migrated_mariadb)


def _copied(template: Path, path: Path) -> str:
    shutil.copy(template, path)
    return f"sqlite:///{path}"


def _emptied(server: MariaDb, url: str) -> str:
    empty(server, "contract")
    return url


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
