"""The way to every page, on the left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFrame, QMenu, QPushButton, QToolButton, QVBoxLayout

from factoryops_app.workplace import PageKey
from factoryops_resources.themes import THEME_NAMES
from factoryops_resources.words import LANGUAGES, language, say
from factoryops_widgets.appearance import Appearance

_WIDTH_PX: Final = 168


def page_titles() -> dict[PageKey, str]:
    """The pages by name, in order."""
    return {
        PageKey.OVERVIEW: say("Overview"),
        PageKey.DEVICE: say("Devices"),
        PageKey.TRENDS: say("Trends"),
        PageKey.ALARMS: say("Alarms"),
        PageKey.RULES: say("Rules"),
        PageKey.PERFORMANCE: say("Alarm figures"),
        PageKey.NOTIFICATIONS: say("Notifications"),
        PageKey.JOBS: say("Jobs"),
        PageKey.SOURCES: say("Sources"),
        PageKey.DATA: say("Data"),
        PageKey.FACTORY: say("Factory"),
        PageKey.HEALTH: say("Health"),
    }


def tab_titles(page: PageKey) -> dict[str, str]:
    """The tabs of a page by what `Target.ids` names to show them, in order; empty for a page without."""
    titles = {
        PageKey.FACTORY: {
            "shifts": say("Shifts"),
            "classes": say("Classes and priorities"),
            "targets": say("Targets of alarm figures"),
            "positions": say("Operating positions"),
            "scheduled": say("Scheduled rules"),
        },
        PageKey.NOTIFICATIONS: {
            "ledger": say("Who was told"),
            "policies": say("Policies"),
            "contacts": say("Contacts"),
            "rosters": say("Rosters"),
            "hooks": say("Hooks"),
        },
        PageKey.PERFORMANCE: {
            "top": say("Most frequent"),
            "chattering": say("Chattering"),
            "fleeting": say("Fleeting"),
            "stale": say("Stale"),
            "proposals": say("Proposals"),
            "outages": say("Outages"),
        },
        PageKey.SOURCES: {
            "waiting": say("Waiting devices"),
            "mappings": say("Mappings"),
            "quarantine": say("Quarantine"),
            "credentials": say("Credentials"),
        },
        PageKey.DATA: {
            "calculated": say("Calculated"),
            "retention": say("Retention"),
            "transfers": say("Import and export"),
        },
    }
    return titles.get(page, {})


class Navigation(QFrame):
    """One button per page, and the menu of the workstation.

    Attributes:
        page_chosen: `PageKey`.
        theme_chosen / language_chosen: their names.
        lock_chosen / logout_chosen / keys_chosen: from the menu.
    """

    page_chosen = Signal(object)
    theme_chosen = Signal(str)
    language_chosen = Signal(str)
    lock_chosen = Signal()
    logout_chosen = Signal()
    keys_chosen = Signal()

    def __init__(self, look: Appearance, keys: dict[PageKey, str]) -> None:
        super().__init__()
        self._look = look
        self._buttons: dict[PageKey, QPushButton] = {}
        px = look.px
        self.setFixedWidth(px(_WIDTH_PX))
        column = QVBoxLayout(self)
        column.setContentsMargins(px(8), px(12), px(0), px(12))
        column.setSpacing(px(4))
        for page, title in page_titles().items():
            button = QPushButton(title)
            button.setProperty("role", "navigation")
            button.setCheckable(True)
            button.setAutoExclusive(True)
            button.setIconSize(QSize(px(18), px(18)))
            button.setToolTip(f"{title} ({keys[page]})" if page in keys else title)
            button.clicked.connect(lambda _checked, chosen=page: self.page_chosen.emit(chosen))
            self._buttons[page] = button
            column.addWidget(button)
        column.addStretch(1)
        self._menu_button = self._make_menu_button()
        column.addWidget(self._menu_button)
        look.changed.connect(self._show_icons)
        self._show_icons()

    def show_page(self, page: PageKey) -> None:
        """Mark the page that is shown."""
        self._buttons[page].setChecked(True)

    def _show_icons(self) -> None:
        for page, button in self._buttons.items():
            button.setIcon(self._look.icon(page.value))
        self._menu_button.setIcon(self._look.icon("settings"))

    def _make_menu_button(self) -> QToolButton:
        button = QToolButton()
        button.setText(say("Workstation"))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(self._make_menu())
        return button

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        names = {"grey": say("Grey"), "dark": say("Dark"), "light": say("Light")}
        themes = menu.addMenu(say("Look"))
        self._add_choices(
            themes, {name: names[name] for name in THEME_NAMES}, self._look.theme.name, self.theme_chosen.emit
        )
        languages = menu.addMenu(say("Language"))
        self._add_choices(languages, LANGUAGES, language(), self.language_chosen.emit)
        menu.addSeparator()
        menu.addAction(say("Keys (?)"), self.keys_chosen.emit)
        menu.addAction(say("Lock (Ctrl+L)"), self.lock_chosen.emit)
        menu.addAction(say("Log out"), self.logout_chosen.emit)
        return menu

    def _add_choices(self, menu: QMenu, choices: dict[str, str], chosen: str, tell: Callable[[str], None]) -> None:
        group = QActionGroup(menu)
        for code, words in choices.items():
            action = QAction(words, menu)
            action.setCheckable(True)
            action.setChecked(code == chosen)
            action.triggered.connect(lambda _checked, wanted=code: tell(wanted))
            group.addAction(action)
            menu.addAction(action)
