"""A page whose content is a row of tabs, each a widget of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from factoryops_app.page import Page
from factoryops_app.workplace import Target, Workplace


class Loads(Protocol):
    """What a tab can do."""

    def load(self) -> None:
        """Fetch what it shows; called whenever the tab comes into view."""
        ...


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab.

    Attributes:
        key: what `Target.ids` names to show it.
        title: what people read.
        make: builds it, once; what it answers is a QWidget with `load()`.
    """

    key: str
    title: str
    make: Callable[[Workplace], QWidget]


class TabbedPage(Page):
    """Shows the tab that a target names, else the one shown last."""

    def __init__(self, place: Workplace, title: str, tabs: Sequence[Tab]) -> None:
        super().__init__(place, title)
        self._bar = QTabWidget()
        self._bar.setProperty("role", "page")
        self._tabs: dict[str, QWidget] = {}
        for tab in tabs:
            widget = self._tabs[tab.key] = tab.make(place)
            self._bar.addTab(widget, tab.title)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._bar)
        self._bar.currentChanged.connect(lambda _: self.load())
        self.states.show_content()

    def tab(self, key: str) -> QWidget:
        """A tab by its key; KeyError when there is none."""
        return self._tabs[key]

    def show_tab(self, key: str) -> None:
        """Bring a tab into view."""
        self._bar.setCurrentWidget(self._tabs[key])

    def enter(self, target: Target) -> None:
        """Show the tab in `target`, up to date."""
        super().enter(target)
        if target.ids and target.ids[0] in self._tabs:
            self.show_tab(target.ids[0])
        self.load()

    def load(self) -> None:
        """Fetch what the tab in view shows."""
        shown: Loads | None = self._bar.currentWidget()  # type: ignore[assignment]  # every tab loads, see `Tab.make`
        if shown is not None:
            shown.load()
