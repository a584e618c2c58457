"""Installations that the tests of the whole service run against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import mariadb_server
from tests.support.installation import Installation

__all__ = ["mariadb_server"]


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """The embedded installation: SQLite, history.db, the service's own endpoint."""
    made = Installation(tmp_path / "plant")
    yield made
    made.kill()
