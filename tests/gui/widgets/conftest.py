"""One look and one clock per test."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from PySide6.QtWidgets import QApplication

from factoryops_widgets.appearance import Appearance
from factoryops_widgets.redraw_clock import RedrawClock


@pytest.fixture
def look(qapp: QApplication, english: None) -> Appearance:
    made = Appearance("grey", ZoneInfo("Europe/Berlin"))
    made.apply_to(qapp)
    return made


@pytest.fixture
def clock(qapp: QApplication) -> RedrawClock:
    return RedrawClock(10)
