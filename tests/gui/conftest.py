"""Qt tests: no screen needed, nothing left behind, no unexpected word from Qt."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from factoryops_resources.words import set_language
from tests.support.qt import QtMessages, active_timers, close_windows, open_windows


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close what the test opened; fail when a window or a running timer without an owner remains."""
    if "qapp" not in request.fixturenames:
        yield
        return
    gc.freeze()  # what other tests left in memory need not be looked through after each of these
    before = open_windows()
    with QtMessages() as messages:
        yield
        close_windows(except_for=before)
    gc.collect()
    leaked = [type(widget).__name__ for widget in open_windows() - before]
    assert not leaked, f"windows left open: {leaked}"
    timers = active_timers()
    assert not timers, f"timers still running: {timers}"
    assert not messages.complaints, f"Qt complained: {messages.complaints}"


@pytest.fixture
def english() -> Iterator[None]:
    """Speak English whatever a test before has chosen."""
    set_language("en")
    yield
    set_language("en")
