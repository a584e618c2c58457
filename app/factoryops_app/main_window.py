"""The main window: the permanent banner, the way to every page, and the pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.identity import Permission
from factoryops_app.alarm_lines import banner_counts, banner_line
from factoryops_app.geometry import restore_geometry, store_geometry
from factoryops_app.lock_bar import LockBar
from factoryops_app.models.alarms import PUT_ASIDE_STATES, answers_to
from factoryops_app.models.connection import Connection, LinkStatus
from factoryops_app.models.events import Unsubscribe
from factoryops_app.models.finding import Finding
from factoryops_app.models.session import ServiceStatus
from factoryops_app.models.trail import Trail
from factoryops_app.navigation import Navigation, page_titles, tab_titles
from factoryops_app.page import Page, plain_label
from factoryops_app.palette import Palette, plant_entries
from factoryops_app.workplace import AlarmDeed, PageKey, Target, Workplace
from factoryops_resources.words import say
from factoryops_widgets.alarm_banner import AlarmBanner, LinkState
from factoryops_widgets.shortcuts import KeyMap, KeyMapOverlay

PageMaker = Callable[[Workplace], Page]

PAGE_KEYS = {PageKey.OVERVIEW: "F4", PageKey.TRENDS: "F3", PageKey.ALARMS: "F2"}
_BRIEF_MS = 8_000
_LINKS = {
    LinkStatus.CONNECTING: LinkState.RECONNECTING,
    LinkStatus.CONNECTED: LinkState.CONNECTED,
    LinkStatus.LOST: LinkState.LOST,
    LinkStatus.RECONNECTING: LinkState.RECONNECTING,
}


class MainWindow(QMainWindow):
    """Shows one page at a time under the banner.

    Attributes:
        closed: the person closed the window.
        logout_requested: back to the login window.
        language_requested: everything is to be read in another language.
        unlock_requested: the password that was typed while locked.
    """

    closed = Signal()
    logout_requested = Signal()
    language_requested = Signal(str)
    unlock_requested = Signal(str)

    def __init__(self, place: Workplace, pages: dict[PageKey, PageMaker]) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle("FactoryOps")
        self.place = replace(place, navigator=self)
        self._makers = pages
        self._pages: dict[PageKey, Page] = {}
        self._frames: dict[PageKey, QScrollArea] = {}
        self._trail: Trail[tuple[PageKey, Target]] = Trail()
        self._ends: list[Unsubscribe] = []
        self.banner = AlarmBanner(place.look, place.clock)
        self.navigation = Navigation(place.look, PAGE_KEYS)
        self.lock_bar = LockBar(place.look)
        self._stack = QStackedWidget()
        self._status: QLabel = plain_label(role="secondary")
        self._brief = QTimer(self)
        self._brief.setSingleShot(True)
        self._brief.setInterval(_BRIEF_MS)
        self._brief.timeout.connect(self._status.clear)
        self.palette_box = Palette(place.look, self)
        self.keys = KeyMap(self)
        self._build()
        self._overlay = KeyMapOverlay(place.look, self.keys, self)
        self._bind_keys()
        self._connect()
        restore_geometry(self, place.settings)

    def _build(self) -> None:
        px = self.place.look.px
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.navigation)
        row.addWidget(self._stack, 1)
        central = QWidget()
        central.setObjectName("window")
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self.lock_bar)
        column.addLayout(row, 1)
        column.addWidget(self._status)
        self._status.setContentsMargins(px(16), 0, px(16), px(4))
        self._status.setFixedHeight(px(22))
        self.setCentralWidget(central)

    def _connect(self) -> None:
        session = self.place.session
        self._ends = [
            session.alarms.changed.subscribe(lambda _: self._show_alarms()),
            session.on.connection.subscribe(self._show_link),
            session.on.service.subscribe(self._show_service),
            self.place.clock.register(self.banner, lambda _: self._show_service(session.service), most_hz=1.0),
        ]
        if session.info is not None:
            self.banner.set_identity(session.info.user, session.info.factory.name)
            self.setWindowTitle(f"{session.info.factory.name} – FactoryOps")
        self._allow_acknowledging()
        self._show_link(session.connection)
        self._show_alarms()
        self.banner.line_activated.connect(lambda identity: self.go(PageKey.ALARMS, Target(ids=(identity,))))
        self.banner.acknowledge_requested.connect(self._acknowledge)
        self.banner.status_activated.connect(lambda: self.go(PageKey.HEALTH))
        self.navigation.page_chosen.connect(self.go)
        self.navigation.theme_chosen.connect(self._set_theme)
        self.navigation.language_chosen.connect(self.language_requested)
        self.navigation.lock_chosen.connect(self.lock)
        self.navigation.logout_chosen.connect(self.logout_requested)
        self.navigation.keys_chosen.connect(self._overlay.toggle)
        self.lock_bar.unlock_requested.connect(self.unlock_requested)
        self.lock_bar.logout_requested.connect(self.logout_requested)

    def _bind_keys(self) -> None:
        bind = self.keys.bind
        bind("F2", "Alarms", "Pages", lambda: self.go(PageKey.ALARMS))
        bind("F3", "Trends", "Pages", lambda: self.go(PageKey.TRENDS))
        bind("F4", "Overview", "Pages", lambda: self.go(PageKey.OVERVIEW))
        bind("Ctrl+K", "Go to anything", "Pages", self.open_palette)
        bind("Ctrl+H", "Overview", "Pages", lambda: self.go(PageKey.OVERVIEW))
        bind("Ctrl+Left", "Back", "Pages", self.back)
        bind("Ctrl+Right", "Forward", "Pages", self.forward)
        bind("F1", "What to do", "Alarms", lambda: self._on_page(AlarmDeed.RESPONSE))
        bind("F6", "Acknowledge the selection", "Alarms", self.acknowledge_selection)
        bind("F8", "Shelve the selection", "Alarms", lambda: self._on_page(AlarmDeed.SHELVE))
        bind("Shift+F8", "Take the selection out of service", "Alarms", lambda: self._on_page(AlarmDeed.TAKE_OUT))
        bind("Ctrl+F8", "Unshelve or return the selection", "Alarms", lambda: self._on_page(AlarmDeed.TAKE_UP))
        bind("Ctrl+Shift+F8", "Put alarms aside beforehand", "Alarms", lambda: self._on_page(AlarmDeed.PUT_ASIDE))
        bind("F9", "Reset the latched ones of the selection", "Alarms", lambda: self._on_page(AlarmDeed.RESET))
        bind("F11", "Full screen", "Window", self._toggle_full_screen)
        bind("Ctrl+=", "Larger", "Window", lambda: self._scale_by(0.1))
        bind("Ctrl+-", "Smaller", "Window", lambda: self._scale_by(-0.1))
        bind("Ctrl+0", "Usual size", "Window", lambda: self._scale_by(None))
        bind("Ctrl+L", "Lock", "Window", self.lock)
        bind("?", "This map", "Window", self._overlay.toggle)
        for keys, words in (("End", "Back to live"), ("C", "Cursor"), ("Ctrl+Drag", "Zoom into a box")):
            self.keys.describe(keys, words, "Trend")

    # --- navigating --------------------------------------------------------------------------------------------------

    def go(self, page: PageKey, target: Target | None = None) -> None:
        """Show a page; Ctrl+Left comes back, without filling in a second time what was offered."""
        there = target or Target()
        self._trail.visit((page, replace(there, offer=None)))
        self._show(page, there)

    def back(self) -> None:
        """Show the page before."""
        self._follow(self._trail.back())

    def forward(self) -> None:
        """Show the page after it again."""
        self._follow(self._trail.forward())

    def _follow(self, there: tuple[PageKey, Target] | None) -> None:
        if there is not None:
            self._show(*there)

    def _show(self, key: PageKey, target: Target) -> None:
        held = self.current
        if held is not None:
            held.leave()
        page = self._pages.get(key)
        if page is None:
            page = self._pages[key] = self._makers[key](self.place)
            self._frames[key] = _framed(page)
            self._stack.addWidget(self._frames[key])
        self._stack.setCurrentWidget(self._frames[key])
        self.navigation.show_page(key)
        page.enter(target)
        page.setFocus()

    @property
    def current(self) -> Page | None:
        """The page that is shown."""
        frame = self._stack.currentWidget()
        page = frame.widget() if isinstance(frame, QScrollArea) else None
        return page if isinstance(page, Page) else None

    def say_briefly(self, sentence: str) -> None:
        """Show a sentence in the status line for a while."""
        self._status.setText(sentence)
        self._status.setToolTip(sentence)
        self._brief.start()

    @property
    def status(self) -> str:
        """What the status line says."""
        return self._status.text()

    def open_palette(self) -> None:
        """Search for anything."""
        self.palette_box.open_with(self._entries())

    def _entries(self) -> list[Finding]:
        pages = [
            Finding(title, say("Page"), PAGE_KEYS.get(key, ""), self._way_to(key))
            for key, title in page_titles().items()
        ]
        tabs = [
            Finding(tab, title, "", self._way_to(key, Target(ids=(identity,))))
            for key, title in page_titles().items()
            for identity, tab in tab_titles(key).items()
        ]
        actions = [
            Finding(say("Put alarms aside beforehand"), say("Action"), "Ctrl+Shift+F8", self._put_aside, 3),
            Finding(say("Lock"), say("Action"), "Ctrl+L", self.lock, 3),
            Finding(say("Keys"), say("Action"), "?", self._overlay.toggle, 3),
            Finding(say("Full screen"), say("Action"), "F11", self._toggle_full_screen, 3),
            Finding(say("Log out"), say("Action"), "", self.logout_requested.emit, 3),
        ]
        return pages + tabs + plant_entries(self.place.session, self) + actions

    def _put_aside(self) -> None:
        self.go(PageKey.ALARMS)
        self._on_page(AlarmDeed.PUT_ASIDE)

    def _way_to(self, page: PageKey, target: Target | None = None) -> Callable[[], None]:
        return lambda: self.go(page, target)

    # --- acting ------------------------------------------------------------------------------------------------------

    def acknowledge_selection(self) -> None:
        """Acknowledge what is chosen on the page that is shown."""
        if self.current is not None:
            self.current.acknowledge_selection()

    def _on_page(self, deed: AlarmDeed) -> None:
        if self.current is not None:
            self.current.do_with_alarms(deed)

    def _acknowledge(self, ids: list[str]) -> None:
        session = self.place.session
        held = [session.alarms.get(identity) for identity in ids]
        requests = answers_to(alarm for alarm in held if alarm is not None)
        if requests:
            self.place.tasks.start(session.acknowledge(requests, self.say_briefly), self._mention)

    def _mention(self, error: FactoryOpsError) -> None:
        self.say_briefly(str(error))

    def lock(self) -> None:
        """Nothing can be changed until the password is typed; values and alarms go on."""
        session = self.place.session
        if session.info is None or session.is_locked:
            return
        session.is_locked = True
        self.banner.set_acknowledging(is_allowed=False)
        for dialog in self.findChildren(QDialog):
            dialog.reject()
        self._enter_again()
        self.lock_bar.lock(session.info.user)

    def unlock(self) -> None:
        """The password was right."""
        self.place.session.is_locked = False
        self._allow_acknowledging()
        self.lock_bar.hide()
        self._enter_again()

    def _allow_acknowledging(self) -> None:
        self.banner.set_acknowledging(is_allowed=self.place.session.may(Permission.ACKNOWLEDGE))

    def _enter_again(self) -> None:
        if self.current is not None:
            self.current.leave()
            self.current.enter(Target())

    def _set_theme(self, name: str) -> None:
        self.place.look.set_theme(name)
        self.place.settings.set_value("theme", name)

    def _scale_by(self, step: float | None) -> None:
        look = self.place.look
        look.set_scale(1.0 if step is None else round(look.scale + step, 2))
        self.place.settings.set_value("scale", str(look.scale))

    def _toggle_full_screen(self) -> None:
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    # --- the banner --------------------------------------------------------------------------------------------------

    def _show_alarms(self) -> None:
        alarms = self.place.session.alarms
        self.banner.set_lines([banner_line(alarm) for alarm in alarms.active])
        self.banner.set_counts(banner_counts(alarms))
        self.banner.set_put_aside(*(len(alarms.put_aside(state)) for state in PUT_ASIDE_STATES))
        flood = alarms.flood
        self.banner.set_flood(flood.count if flood.is_flood else 0)

    def _show_link(self, connection: Connection) -> None:
        since_us = connection.since_us if connection.status is not LinkStatus.CONNECTED else None
        self.banner.set_link(_LINKS[connection.status], since_us)
        if connection.is_lost and connection.reason:
            self.say_briefly(connection.reason)

    def _show_service(self, service: ServiceStatus) -> None:
        newest_us = self.place.session.samples.newest_us or None
        self.banner.set_service(service.status, service.problems, newest_us)

    # --- closing -----------------------------------------------------------------------------------------------------

    def release(self) -> None:
        """Stop listening and remember how the window stands."""
        if self.current is not None:
            self.current.leave()
        for end in self._ends:
            end()
        self._ends.clear()
        store_geometry(self, self.place.settings)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Tell that the person is done."""
        super().closeEvent(event)
        self.closed.emit()


def _framed(page: Page) -> QScrollArea:
    """A page in a frame that scrolls where the window is too small for it, as on small screens in a large scale."""
    frame = QScrollArea()
    frame.setWidget(page)
    frame.setWidgetResizable(True)
    frame.setFrameShape(QFrame.Shape.NoFrame)
    frame.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return frame
