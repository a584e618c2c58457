"""What is on the screen from start to end: the login window, then the main window, and back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from factoryops.client.port import PlantClient
from factoryops.domain.errors import FactoryOpsError, NotLoggedInError, SetupError
from factoryops_app.login_window import LoginEntry, LoginWindow
from factoryops_app.main_window import MainWindow, PageMaker
from factoryops_app.models.pens import PenList
from factoryops_app.models.session import Session
from factoryops_app.models.settings import Settings
from factoryops_app.models.spans import zone_of
from factoryops_app.models.tokens import TokenKeeper, account_name
from factoryops_app.opener import Opener
from factoryops_app.tasks import Tasks
from factoryops_app.workplace import Navigator, PageKey, Workplace
from factoryops_resources.words import say
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.redraw_clock import RedrawClock

logger = logging.getLogger(__name__)

_LOGIN_WITHIN_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What the shell is made of; tests hand in fakes."""

    look: Appearance
    clock: RedrawClock
    settings: Settings
    tokens: TokenKeeper
    opener: Opener
    reports_folder: Callable[[], Path]
    connect: Callable[[str], PlantClient]
    pages: dict[PageKey, PageMaker]


class Shell:
    """Owns the windows, the session and its tasks.

    Args:
        parts: what it is made of.
        login: the login window, already on the screen.

    Attributes:
        done: set when the person closed the last window.
        window: the main window while somebody is logged in.
        session: theirs.
    """

    def __init__(self, parts: Parts, login: LoginWindow) -> None:
        self.done = asyncio.Event()
        self.window: MainWindow | None = None
        self.session: Session | None = None
        self.login = login
        self._parts = parts
        self._server = ""
        self._tasks = Tasks(self._mention)
        self._errands = Tasks(self._mention)
        login.login_requested.connect(self._on_login)
        login.closed.connect(self._on_closed)

    # --- logging in --------------------------------------------------------------------------------------------------

    async def resume(self, server: str, factory: str, user: str) -> bool:
        """Take up a kept session; False when there is none that still holds."""
        account = account_name(server, factory, user)
        token = await self._parts.tokens.load(account)
        if token is None:
            return False
        self.login.set_busy(is_busy=True)
        try:
            session = Session(self._parts.connect(server))
        except SetupError as error:
            self.login.show_error(str(error))
            return False
        try:
            await session.resume(token)
        except FactoryOpsError as error:
            await session.client.close()
            if isinstance(error, NotLoggedInError):
                await self._parts.tokens.forget(account)
            self.login.show_error(str(error))
            return False
        self._begin(session, server)
        return True

    async def log_in(self, entry: LoginEntry) -> bool:
        """Open a session; False when it was refused, and the login window says why."""
        self.login.set_busy(is_busy=True)
        session: Session | None = None
        try:
            session = Session(self._parts.connect(entry.server))
            async with asyncio.timeout(_LOGIN_WITHIN_S):
                await session.login(entry.factory, entry.user, entry.password)
        except (FactoryOpsError, TimeoutError) as error:
            if session is not None:
                await session.client.close()
            self.login.show_error(str(error) or say("The service does not answer; try again."))
            return False
        settings = self._parts.settings
        for key, text in (("login.server", entry.server), ("login.factory", entry.factory), ("login.user", entry.user)):
            settings.set_value(key, text)
        is_kept = await self._keep(entry, session)
        self._begin(session, entry.server)
        if entry.is_kept and not is_kept and self.window is not None:
            self.window.say_briefly(
                say("This computer has no keyring: you will be asked for the password at the next start.")
            )
        return True

    async def _keep(self, entry: LoginEntry, session: Session) -> bool:
        token = session.client.token
        if not entry.is_kept or token is None:
            return False
        return await self._parts.tokens.save(account_name(entry.server, entry.factory, entry.user), token)

    def _on_login(self, entry: LoginEntry) -> None:
        self._errands.start(self.log_in(entry))

    # --- working -----------------------------------------------------------------------------------------------------

    def _begin(self, session: Session, server: str) -> None:
        if session.info is None:
            return
        self.session, self._server = session, server
        self._parts.look.set_zone(zone_of(session.info.factory.timezone))
        session.on.ended.subscribe(lambda sentence: self._errands.start(self._end_session(sentence)))
        self._tasks.start(session.run())
        self._open_window(PageKey.OVERVIEW)
        self.login.set_busy(is_busy=False)
        self.login.hide()

    def _open_window(self, page: PageKey) -> None:
        if self.session is None or self.session.info is None:
            return
        window = MainWindow(self._workplace(self.session), self._parts.pages)
        window.closed.connect(self._on_closed)
        window.logout_requested.connect(self._on_logout)
        window.language_requested.connect(self._on_language)
        window.unlock_requested.connect(self._on_unlock)
        self.window = window
        window.go(page)
        window.show()

    def _workplace(self, session: Session) -> Workplace:
        parts = self._parts
        user = session.info.user if session.info is not None else ""
        return Workplace(
            session=session,
            look=parts.look,
            clock=parts.clock,
            settings=parts.settings,
            tasks=self._tasks,
            pens=PenList(session.plant, parts.settings, user),
            navigator=_Nowhere(),
            opener=parts.opener,
            reports_folder=parts.reports_folder,
        )

    def _mention(self, error: FactoryOpsError) -> None:
        if self.window is not None:
            self.window.say_briefly(str(error))
        elif self.login.isVisible():
            self.login.show_error(str(error))
        else:
            logger.warning("%s", error)

    def _on_language(self, code: str) -> None:
        """Everything that is read is made anew, in the other language."""
        self._parts.settings.set_value("language", code)
        self._parts.look.set_language(code)
        held = self.window
        page = held.current.key if held is not None and held.current is not None else PageKey.OVERVIEW
        self._drop_window()
        self._open_window(page)

    def _on_unlock(self, password: str) -> None:
        self._errands.start(self._unlock(password))

    async def _unlock(self, password: str) -> None:
        """Ask the service whether the password is right, with a session of its own."""
        session, window = self.session, self.window
        if session is None or session.info is None or window is None:
            return
        asker = self._parts.connect(self._server)
        try:
            await asker.login(session.info.factory.slug, session.info.user, password)
            await asker.logout()
        except FactoryOpsError as error:
            window.lock_bar.show_error(str(error))
            return
        finally:
            await asker.close()
        window.unlock()

    # --- leaving -----------------------------------------------------------------------------------------------------

    def _on_logout(self) -> None:
        self._errands.start(self._log_out())

    async def _log_out(self) -> None:
        session = self.session
        if session is None:
            return
        if session.info is not None:
            await self._parts.tokens.forget(account_name(self._server, session.info.factory.slug, session.info.user))
        await self._tasks.stop()
        await session.logout()
        await self._end_session("")

    async def _end_session(self, sentence: str) -> None:
        """Back to the login window, which says why."""
        await self._leave()
        self.login.set_busy(is_busy=False)
        if sentence:
            self.login.show_error(sentence)
        self.login.show()
        self.login.raise_()

    async def _leave(self) -> None:
        session, self.session = self.session, None
        self._drop_window()
        await self._tasks.stop()
        if session is not None:
            await session.client.close()
            session.forget()

    def _drop_window(self) -> None:
        window, self.window = self.window, None
        if window is not None:
            window.release()
            window.closed.disconnect(self._on_closed)
            window.close()
            window.deleteLater()

    def _on_closed(self) -> None:
        self.done.set()

    async def close(self) -> None:
        """End everything: tasks, connections, windows. The session at the service goes on."""
        self.login.closed.disconnect(self._on_closed)
        await self._errands.stop()
        await self._leave()
        self.login.close()
        self.login.deleteLater()


class _Nowhere(Navigator):
    """Stands in until the window takes over."""

    def go(self, page: PageKey, target: object = None) -> None:
        """There is no window yet."""

    def say_briefly(self, sentence: str) -> None:
        """There is no window yet."""
