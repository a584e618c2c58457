from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from factoryops.database.database import Database
from factoryops.identity.administration import NewFactory, create_factory
from tests.support.databases import Clock, migrated_sqlite

__all__ = ["migrated_sqlite"]

PASSWORD = "correct horse battery"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(migrated_sqlite: Path, tmp_path: Path, clock: Clock) -> Iterator[Database]:
    shutil.copy(migrated_sqlite, tmp_path / "factoryops.db")
    opened = Database.open(f"sqlite:///{tmp_path / 'factoryops.db'}", clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def made(database: Database) -> NewFactory:
    return create_factory(
        database, slug="riverside", name="Riverside", timezone="Europe/Berlin", admin_password=PASSWORD
    )
