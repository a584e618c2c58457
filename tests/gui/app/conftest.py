from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from factoryops.client.fake import FakePlant
from tests.support.imagined_app import ImaginedApp, drive

Drive = Callable[..., None]


@pytest.fixture
def client(qapp: QApplication, tmp_path: Path, english: None) -> Drive:
    """Runs a coroutine function with the client on an imagined plant."""

    def run(work: Callable[[ImaginedApp], Awaitable[None]], plant: FakePlant | None = None) -> None:
        drive(qapp, tmp_path, work, plant=plant)

    return run
