"""A list whose entries can be ticked, with a filter above it where it is long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from factoryops_app.page import plain_label
from factoryops_resources.words import say

_KEY: Final = int(Qt.ItemDataRole.UserRole)
_FEW: Final = 8
"""Up to this number of entries nobody needs a filter."""


class CheckedList(QWidget):
    """Ticks keys by what people read.

    Attributes:
        edited: a person ticked or unticked one.
    """

    edited = Signal()

    def __init__(self, title: str, empty: str, *, has_title: bool = True) -> None:
        super().__init__()
        self.list = QListWidget()
        self.list.setAccessibleName(title)
        self.list.setUniformItemSizes(True)
        self._filter = QLineEdit()
        self._filter.setPlaceholderText(say("Filter"))
        self._filter.setAccessibleName(say("Filter {what}", what=title))
        self._filter.setClearButtonEnabled(True)
        self._empty = plain_label(empty, role="label", is_wrapped=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        if has_title:
            column.addWidget(plain_label(title, role="secondary", is_wrapped=True))
        column.addWidget(self._filter)
        column.addWidget(self._empty)
        column.addWidget(self.list, 1)
        self.list.itemChanged.connect(lambda _: self.edited.emit())
        self._filter.textChanged.connect(self._show_matching)

    def fill(self, names: Mapping[str, str], chosen: frozenset[str]) -> None:
        """Offer keys by name; those that are chosen and not offered stand at the end, by their key."""
        blocker = QSignalBlocker(self.list)
        self.list.clear()
        for key, name in {**names, **{one: one for one in sorted(chosen) if one not in names}}.items():
            item = QListWidgetItem(name)
            item.setToolTip(key)
            item.setData(_KEY, key)
            item.setCheckState(Qt.CheckState.Checked if key in chosen else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        blocker.unblock()
        self._filter.setVisible(self.list.count() > _FEW)
        self._empty.setVisible(self.list.count() == 0)
        self._show_matching(self._filter.text())

    def chosen(self) -> frozenset[str]:
        """The keys that are ticked."""
        items = [self.list.item(row) for row in range(self.list.count())]
        return frozenset(str(item.data(_KEY)) for item in items if item.checkState() is Qt.CheckState.Checked)

    def _show_matching(self, text: str) -> None:
        wanted = text.strip().casefold()
        for row in range(self.list.count()):
            item = self.list.item(row)
            item.setHidden(wanted not in f"{item.text()} {item.data(_KEY)}".casefold())
