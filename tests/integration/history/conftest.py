"""A data folder with journals, for the historian."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.historian_plant import HistorianPlant


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[HistorianPlant]:
    with HistorianPlant(tmp_path) as plant:
        yield plant
