"""Ingest processes that end with their test, however it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.ingest_folder import IngestProcess
from tests.support.installation import Installation

Ingest = Callable[..., IngestProcess]


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    """Starts ingest processes; takes what `IngestProcess` takes."""
    with ExitStack() as stack:
        yield lambda *arguments, **named: stack.enter_context(IngestProcess(*arguments, **named))


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """The embedded installation: SQLite, history.db, the service's own endpoint."""
    made = Installation(tmp_path / "plant")
    yield made
    made.kill()
