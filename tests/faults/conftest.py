"""Ingest processes that end with their test, however it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.support.ingest_folder import IngestProcess

Ingest = Callable[..., IngestProcess]


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    """Starts ingest processes; takes what `IngestProcess` takes."""
    with ExitStack() as stack:
        yield lambda *arguments, **named: stack.enter_context(IngestProcess(*arguments, **named))
