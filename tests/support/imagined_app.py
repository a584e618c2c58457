"""The desktop client on an imagined plant, driven by a test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtWidgets import QApplication

from factoryops.client.fake import ACCOUNTS, FakePlant
from factoryops.client.http import HttpPlant
from factoryops.client.imagined import SLUG
from factoryops_app.event_loop import run_loop
from factoryops_app.login_window import LoginEntry, LoginWindow
from factoryops_app.main_window import MainWindow
from factoryops_app.models.session import Session
from factoryops_app.models.settings import Settings
from factoryops_app.models.tokens import MemoryTokens
from factoryops_app.page_list import PAGES
from factoryops_app.shell import Parts, Shell
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.redraw_clock import RedrawClock
from tests.support.waiting import until

SERVER = "http://127.0.0.1:8420"


@dataclass
class RecordingOpener:
    """Remembers what would have been shown to the person."""

    opened: list[Path] = field(default_factory=list)

    def open(self, path: Path) -> None:
        self.opened.append(path)


@dataclass
class ImaginedApp:
    """The client's parts, within reach of a test."""

    shell: Shell
    plant: FakePlant
    opener: RecordingOpener
    tokens: MemoryTokens
    settings: Settings
    look: Appearance

    async def log_in(self, user: str = "operator") -> MainWindow:
        """Log in and wait until the picture is complete."""
        entry = LoginEntry(SERVER, SLUG, user, ACCOUNTS[user][0], is_kept=False)
        assert await self.shell.log_in(entry)
        await until(lambda: self.session.connection.is_connected, what="the connection")
        return self.window

    @property
    def window(self) -> MainWindow:
        assert self.shell.window is not None
        return self.shell.window

    @property
    def session(self) -> Session:
        assert self.shell.session is not None
        return self.shell.session


def drive(
    qapp: QApplication,
    folder: Path,
    work: Callable[[ImaginedApp], Awaitable[None]],
    *,
    plant: FakePlant | HttpPlant | None = None,
) -> None:
    """Run the client on its own loop while `work` uses it, then end it as a person would."""
    look = Appearance()
    look.apply_to(qapp)
    settings = Settings(folder / "workstation.json")
    tokens, opener = MemoryTokens(), RecordingOpener()
    imagined = plant or FakePlant(tick_s=0.05)
    parts = Parts(look, RedrawClock(), settings, tokens, opener, lambda: folder, lambda _server: imagined, dict(PAGES))
    login = LoginWindow(look, server=SERVER)
    login.show()

    async def play() -> int:
        shell = Shell(parts, login)
        try:
            await work(ImaginedApp(shell, imagined, opener, tokens, settings, look))  # type: ignore[arg-type]  # a test of the real service does not touch `plant`
        finally:
            await shell.close()
        return 0

    try:
        assert run_loop(qapp, play()) == 0
    finally:
        qapp.setStyleSheet("")
