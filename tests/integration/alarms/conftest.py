from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from factoryops.database.database import Database
from tests.support.databases import migrated_sqlite, new_site
from tests.support.engine_site import EngineSite

__all__ = ["migrated_sqlite"]


@pytest.fixture
def database(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(migrated_sqlite, tmp_path / "factoryops.db")
    opened = Database.open(f"sqlite:///{tmp_path / 'factoryops.db'}")
    yield opened
    opened.close()


@pytest.fixture
def plant(database: Database, tmp_path: Path) -> Iterator[EngineSite]:
    made = EngineSite(new_site(database), tmp_path)
    yield made
    made.close()
