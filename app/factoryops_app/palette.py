"""Ctrl+K: go to any device, parameter, page or action by a few letters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from factoryops_app.models.finding import Finding, find
from factoryops_app.models.plant import device_title
from factoryops_app.models.session import Session
from factoryops_app.workplace import Navigator, PageKey, Target
from factoryops_resources.words import say
from factoryops_widgets.appearance import Appearance

_ENTRY: Final = int(Qt.ItemDataRole.UserRole)


class Palette(QDialog):
    """A search field and what it finds; Enter goes there, Escape closes."""

    def __init__(self, look: Appearance, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setObjectName("window")
        self._entries: list[Finding] = []
        self._found: list[Finding] = []
        self._look = look
        self._search = QLineEdit()
        self._search.setPlaceholderText(say("Go to a device, parameter, page or action"))
        self._search.setAccessibleName(say("Go to a device, parameter, page or action"))
        self._search.installEventFilter(self)
        self._list = QListWidget()
        self._list.setUniformItemSizes(True)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.addWidget(self._search)
        column.addWidget(self._list, 1)
        self._search.textChanged.connect(self._refresh)
        self._list.itemClicked.connect(lambda _item: self._choose())

    def open_with(self, entries: Sequence[Finding]) -> None:
        """Show the palette over its window."""
        self._entries = list(entries)
        self._search.clear()
        self._refresh()
        parent = self.parentWidget()
        width, height = self._look.px(560), self._look.px(420)
        self.resize(width, height)
        if parent is not None:
            corner = parent.mapToGlobal(parent.rect().topLeft())
            self.move(corner.x() + (parent.width() - width) // 2, corner.y() + parent.height() // 8)
        self.show()
        self._search.setFocus()

    @property
    def titles(self) -> list[str]:
        """What is listed now."""
        return [entry.title for entry in self._found]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows move in the list while the field keeps the focus."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose()
                return True
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 10, Qt.Key.Key_PageUp: -10}
            if event.key() in step:
                row = self._list.currentRow() + step[Qt.Key(event.key())]
                self._list.setCurrentRow(max(0, min(self._list.count() - 1, row)))
                return True
        return super().eventFilter(watched, event)

    def _refresh(self) -> None:
        self._found = find(self._entries, self._search.text())
        self._list.clear()
        for place, entry in enumerate(self._found):
            detail = " · ".join(part for part in (entry.kind, entry.detail) if part)
            item = QListWidgetItem(f"{entry.title}    {detail}")
            item.setData(_ENTRY, place)
            self._list.addItem(item)
        self._list.setCurrentRow(0)

    def _choose(self) -> None:
        row = self._list.currentRow()
        if 0 <= row < len(self._found):
            entry = self._found[row]
            self.hide()
            entry.go()


def plant_entries(session: Session, navigator: Navigator) -> list[Finding]:
    """Devices lead to their page, parameters to the trends."""

    def go_to(page: PageKey, identity: str) -> Callable[[], None]:
        return lambda: navigator.go(page, Target(ids=(identity,)))

    devices = [
        Finding(device_title(one), say("Device"), f"{one.key} {one.area}", go_to(PageKey.DEVICE, one.id), 1)
        for one in session.plant.devices
    ]
    parameters = [
        Finding(one.title, say("Parameter"), f"{one.device_title} {one.parameter.key}",
                go_to(PageKey.TRENDS, one.parameter.id), 2)
        for one in session.plant.parameters
    ]  # fmt: skip
    return devices + parameters
