"""Builds the client. Light at first, so that the login window is there at once; the rest is loaded behind it."""

from __future__ import annotations

import asyncio
import importlib
import logging
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QApplication

from factoryops.domain.errors import SetupError
from factoryops_app.login_file import read_login_file
from factoryops_app.login_window import LoginEntry, LoginWindow
from factoryops_app.models.settings import Settings
from factoryops_app.options import DEFAULT_SERVER, Options
from factoryops_resources.themes import THEME_NAMES
from factoryops_resources.words import LANGUAGES, set_language
from factoryops_widgets.appearance import Appearance

if TYPE_CHECKING:
    from factoryops.client.port import PlantClient
    from factoryops_app.shell import Parts, Shell

    Connector = Callable[[str], PlantClient]

logger = logging.getLogger(__name__)

_LOADED_BEHIND: Final = ("numpy", "factoryops.client.http", "factoryops.client.fake", "keyring")
_LOGIN_TRIES: Final = 30


def run(options: Options) -> int:
    """Show the login window and run until the last window is closed; returns the exit code."""
    started_s = time.perf_counter()
    _check(options)
    application = QApplication.instance() or QApplication(sys.argv[:1])
    if not isinstance(application, QApplication):
        raise SetupError("Qt runs without windows in this process.")
    application.setApplicationName("FactoryOps")
    settings = Settings(options.settings_file or _settings_path())
    set_language(options.language or _known(settings.value("language"), LANGUAGES, "en"))
    look = Appearance(options.theme or _known(settings.value("theme"), THEME_NAMES, "grey"))
    look.set_scale(settings.number("scale", 1.0))
    look.apply_to(application)
    window = _login_window(options, settings, look)
    window.show()
    from factoryops_app.event_loop import run_loop  # noqa: PLC0415 - after the window has been asked for

    return run_loop(application, _live(options, settings, look, window, started_s))


def _check(options: Options) -> None:
    if options.theme and options.theme not in THEME_NAMES:
        raise SetupError(f"There is no theme {options.theme}; choose one of {', '.join(THEME_NAMES)}.")
    if options.language and options.language not in LANGUAGES:
        raise SetupError(f"There is no language {options.language}; choose one of {', '.join(LANGUAGES)}.")


def _settings_path() -> Path:
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppConfigLocation)
    return Path(folder) / "workstation.json"


def _known(text: str | None, choices: Iterable[str], default: str) -> str:
    return text if text is not None and text in tuple(choices) else default


def _login_window(options: Options, settings: Settings, look: Appearance) -> LoginWindow:
    def first(given: str, key: str, default: str = "") -> str:
        return given or settings.value(key) or default

    return LoginWindow(
        look,
        server=first(options.server, "login.server", DEFAULT_SERVER),
        factory=first(options.factory, "login.factory"),
        user=first(options.user, "login.user"),
    )


async def _live(options: Options, settings: Settings, look: Appearance, window: LoginWindow, started_s: float) -> int:
    """From the first picture of the login window to the end."""
    painted = asyncio.Event()
    window.painted.connect(painted.set)
    await painted.wait()
    if options.is_until_painted:
        sys.stdout.write(f"painted {time.perf_counter() - started_s:.3f}\n")
        sys.stdout.flush()
        window.close()
        window.deleteLater()
        return 0
    await asyncio.to_thread(_load_behind)
    from factoryops_app.event_loop import EndSignals  # noqa: PLC0415 - already loaded by now
    from factoryops_app.shell import Shell  # noqa: PLC0415 - heavy, and nobody waits for it before the first picture

    shell = Shell(_parts(options, settings, look), window)
    signals = EndSignals(shell.done.set)
    try:
        return await _work(options, settings, shell)
    finally:
        await shell.close()
        signals.close()


async def _work(options: Options, settings: Settings, shell: Shell) -> int:
    server = options.server or settings.value("login.server") or DEFAULT_SERVER
    if options.login_file is not None or options.is_fake:
        await _log_in_by_itself(shell, _entry(options, server))
    else:
        factory, user = settings.value("login.factory"), settings.value("login.user")
        if factory and user and not options.factory and not options.user:
            await shell.resume(server, factory, user)
    if options.screenshots is not None:
        from factoryops_app.screenshots import take_screenshots  # noqa: PLC0415 - only for pictures

        return await take_screenshots(shell, options.screenshots)
    await shell.done.wait()
    return 0


def _entry(options: Options, server: str) -> LoginEntry:
    if options.login_file is not None:
        return read_login_file(options.login_file, server)
    from factoryops.client.fake import ACCOUNTS  # noqa: PLC0415 - the imagined plant is rarely wanted
    from factoryops.client.imagined import SLUG  # noqa: PLC0415 - as above

    user = options.user or "admin"
    return LoginEntry(server, SLUG, user, ACCOUNTS[user][0], is_kept=False)


async def _log_in_by_itself(shell: Shell, entry: LoginEntry) -> None:
    """A service that is just starting gets some seconds."""
    for _ in range(_LOGIN_TRIES):
        if shell.done.is_set() or await shell.log_in(entry):
            return
        try:
            async with asyncio.timeout(1.0):
                await shell.done.wait()
        except TimeoutError:
            continue


def _load_behind() -> None:
    for name in _LOADED_BEHIND:
        importlib.import_module(name)


def _parts(options: Options, settings: Settings, look: Appearance) -> Parts:
    from factoryops_app.models.tokens import KeyringTokens, MemoryTokens  # noqa: PLC0415 - as above
    from factoryops_app.opener import DesktopOpener, reports_folder  # noqa: PLC0415 - as above
    from factoryops_app.page_list import PAGES  # noqa: PLC0415 - as above
    from factoryops_app.shell import Parts  # noqa: PLC0415 - as above
    from factoryops_widgets.redraw_clock import RedrawClock  # noqa: PLC0415 - part of the window that comes next

    return Parts(
        look=look,
        clock=RedrawClock(),
        settings=settings,
        tokens=MemoryTokens() if options.is_fake or options.login_file else KeyringTokens(),
        opener=DesktopOpener(),
        reports_folder=reports_folder,
        connect=_connector(options),
        pages=dict(PAGES),
    )


def _connector(options: Options) -> Connector:
    if options.is_fake:
        from factoryops.client.fake import FakePlant  # noqa: PLC0415 - the imagined plant is rarely wanted

        return lambda _server: FakePlant()
    from factoryops.client.http import HttpPlant  # noqa: PLC0415 - loaded behind the login window

    return lambda server: HttpPlant(server, ca_file=options.ca_file)
