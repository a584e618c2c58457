"""Pictures of every page, made by the program itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QWidget

from factoryops.domain.errors import SetupError
from factoryops_app.main_window import MainWindow
from factoryops_app.pages.alarms import AlarmsPage
from factoryops_app.pages.data import DataPage
from factoryops_app.pages.rules import RulesPage
from factoryops_app.shell import Shell
from factoryops_app.workplace import PageKey, Target

SIZE: Final = (1440, 900)
_DATA_WITHIN_S: Final = 30.0
_SHOWN: Final = {PageKey.SOURCES: Target(ids=("credentials",)), PageKey.FACTORY: Target(ids=("classes",))}
"""What there is to see where a page has several tabs."""
_SETTLE_S: Final = 2.0
"""Long enough for questions to be answered, skeletons to go and the redraw clock to come round several times."""


async def take_screenshots(shell: Shell, folder: Path) -> int:
    """Save login.png and one picture per page; returns the exit code.

    Raises:
        SetupError: nobody is logged in, no data came, or a picture cannot be written.
    """
    window = shell.window
    if window is None or shell.session is None:
        raise SetupError(f"No pictures: {shell.login.message or 'nobody is logged in'}")
    session = shell.session
    await _until(lambda: session.is_filled and session.samples.newest_us > 0, "No data came.")
    window.resize(*SIZE)
    _save(shell.login, folder / "login.png")
    for page in PageKey:
        window.go(page, _SHOWN.get(page))
        await _settled(window)
        _save(window, folder / f"{page.value}.png")
        if isinstance(window.current, AlarmsPage):
            window.current.show_history()
            await _settled(window)
            _save(window, folder / "alarm-history.png")
        elif isinstance(window.current, RulesPage):
            await window.current.try_rule(next((alarm.rule_id for alarm in session.alarms.active), None))
            await _settled(window)
            _save(window, folder / "back-test.png")
        elif isinstance(window.current, DataPage):
            window.current.try_calculated()
            await _settled(window)
            _save(window, folder / "data.png")
    return 0


async def _settled(window: MainWindow) -> None:
    page = window.current
    await _until(lambda: page is not None and page.is_loaded, "A page never finished loading.")
    await asyncio.sleep(_SETTLE_S)


async def _until(is_true: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + _DATA_WITHIN_S
    while not is_true():
        if time.monotonic() > deadline:
            raise SetupError(complaint)
        await asyncio.sleep(0.05)


def _save(widget: QWidget, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not widget.grab().save(str(path), "PNG"):
        raise SetupError(f"The picture {path} cannot be written.")
