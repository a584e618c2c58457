from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from factoryops.database.database import Database
from tests.support.job_plant import JobPlant, make_plant


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> JobPlant:
    return make_plant(tmp_path_factory.mktemp("job_plant"))


@pytest.fixture
def plant(template: JobPlant, tmp_path: Path) -> JobPlant:
    root = tmp_path / "data"
    shutil.copytree(template.root, root)
    return JobPlant(root)


@pytest.fixture
def database(plant: JobPlant) -> Iterator[Database]:
    opened = plant.open_database()
    yield opened
    opened.close()
