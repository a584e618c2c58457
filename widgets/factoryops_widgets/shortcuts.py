"""Keys and what they do, in one map that can be shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QShortcut
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from factoryops_resources.words import say
from factoryops_widgets.appearance import Appearance


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One line of the map; `words` and `group` are English and translated when shown."""

    keys: str
    words: str
    group: str


class KeyMap(QObject):
    """The keys of a window.

    Attributes:
        changed: an entry came or went.
    """

    changed = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._bound: dict[KeyEntry, QShortcut | None] = {}

    def bind(self, keys: str, words: str, group: str, act: Callable[[], None]) -> Callable[[], None]:
        """Have `keys` (such as "Ctrl+K") call `act` anywhere in the window; returns what unbinds it."""
        shortcut = QShortcut(QKeySequence(keys), self._window)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(act)
        entry = KeyEntry(keys, words, group)
        self._bound[entry] = shortcut
        self.changed.emit()

        def unbind() -> None:
            bound = self._bound.pop(entry, None)
            if bound is not None:
                bound.setEnabled(False)
                bound.deleteLater()
                self.changed.emit()

        return unbind

    def describe(self, keys: str, words: str, group: str) -> None:
        """List keys that a widget handles itself."""
        self._bound[KeyEntry(keys, words, group)] = None
        self.changed.emit()

    def entries(self) -> list[KeyEntry]:
        """Everything bound, in the order it was bound."""
        return list(self._bound)


class KeyMapOverlay(QWidget):
    """The key map over the window; any key or click closes it."""

    def __init__(self, look: Appearance, key_map: KeyMap, parent: QWidget) -> None:
        super().__init__(parent)
        self._look = look
        self._map = key_map
        self._window = parent
        self._panel = QFrame(self)
        self._panel.setProperty("role", "panel")
        layout = QHBoxLayout(self)
        layout.addStretch(1)
        column = QVBoxLayout()
        column.addStretch(1)
        column.addWidget(self._panel)
        column.addStretch(2)
        layout.addLayout(column)
        layout.addStretch(1)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.hide()
        parent.installEventFilter(self)
        self._layout = QVBoxLayout(self._panel)
        self._layout.setContentsMargins(24, 16, 24, 20)
        self._body: QWidget | None = None

    def toggle(self) -> None:
        """Show or hide the map."""
        if self.isVisible():
            self.hide()
            return
        self._fill()
        self.setGeometry(self._window.rect())
        self.raise_()
        self.show()
        self.setFocus(Qt.FocusReason.PopupFocusReason)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Dim the window behind."""
        painter = QPainter(self)
        shade = QColor(self._look.theme.base)
        shade.setAlphaF(0.8)
        painter.fillRect(self.rect(), shade)
        painter.end()

    def keyPressEvent(self, _event: QKeyEvent) -> None:
        """Close."""
        self.hide()

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        """Close."""
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as the window."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._window.rect())
        return super().eventFilter(watched, event)

    def _fill(self) -> None:
        if self._body is not None:
            self._layout.removeWidget(self._body)
            self._body.deleteLater()
        self._body = self._filled()
        self._layout.addWidget(self._body)

    def _filled(self) -> QWidget:
        body = QWidget()
        columns = QHBoxLayout(body)
        columns.setContentsMargins(0, 0, 0, 0)
        columns.setSpacing(40)
        groups: dict[str, list[KeyEntry]] = {}
        for entry in self._map.entries():
            groups.setdefault(entry.group, []).append(entry)
        halves = _halves(list(groups.items()))
        for half in halves:
            column = QVBoxLayout()
            column.setSpacing(4)
            for group, entries in half:
                column.addWidget(_group(group, entries))
            column.addStretch(1)
            columns.addLayout(column)
        return body


def _halves(groups: list[tuple[str, list[KeyEntry]]]) -> list[list[tuple[str, list[KeyEntry]]]]:
    """Two columns of about the same height, in order."""
    total = sum(len(entries) + 2 for _, entries in groups)
    left: list[tuple[str, list[KeyEntry]]] = []
    height = 0
    for group in groups:
        if height and height + len(group[1]) / 2 > total / 2:
            break
        left.append(group)
        height += len(group[1]) + 2
    return [half for half in (left, groups[len(left) :]) if half]


def _group(title: str, entries: list[KeyEntry]) -> QWidget:
    box = QWidget()
    grid = QGridLayout(box)
    grid.setContentsMargins(0, 0, 0, 12)
    grid.setHorizontalSpacing(24)
    grid.setVerticalSpacing(4)
    heading = QLabel(say(title))
    heading.setProperty("role", "section")
    grid.addWidget(heading, 0, 0, 1, 2)
    for row, entry in enumerate(entries, start=1):
        keys = QLabel(entry.keys)
        keys.setProperty("role", "live")
        grid.addWidget(keys, row, 0)
        grid.addWidget(QLabel(say(entry.words)), row, 1)
    grid.setColumnMinimumWidth(0, 96)
    grid.setColumnStretch(1, 1)
    return box
