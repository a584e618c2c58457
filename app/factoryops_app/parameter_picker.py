"""Choosing parameters: a searchable list from which pens are added or dragged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QByteArray, QMimeData, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from factoryops_app.models.finding import Finding, find
from factoryops_app.models.plant import Measured
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say

PARAMETER_MIME: Final = "application/x-factoryops-parameters"
_MOST_LISTED: Final = 300
_ID_ROLE: Final = int(Qt.ItemDataRole.UserRole)


class ParameterList(QListWidget):
    """A list whose entries can be dragged onto a chart."""

    def mimeTypes(self) -> list[str]:
        """Parameters only."""
        return [PARAMETER_MIME]

    def mimeData(self, items: Sequence[QListWidgetItem]) -> QMimeData:
        """The ids of what is dragged."""
        data = QMimeData()
        data.setData(PARAMETER_MIME, QByteArray(" ".join(str(item.data(_ID_ROLE)) for item in items).encode("ascii")))
        return data


class ParameterPicker(QWidget):
    """Search, then Enter or double-click to add, or drag.

    Attributes:
        chosen: list of parameter ids.
    """

    chosen = Signal(list)

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._search = QLineEdit()
        self._search.setPlaceholderText(say("Find a parameter or device"))
        self._search.setAccessibleName(say("Find a parameter or device"))
        self._search.setClearButtonEnabled(True)
        self._list = ParameterList()
        self._list.setAccessibleName(say("Parameters"))
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._list.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self._list.setUniformItemSizes(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._search)
        column.addWidget(self._list, 1)
        self.setMinimumWidth(place.look.px(280))
        self._search.textChanged.connect(self.refresh)
        self._search.returnPressed.connect(self._on_return)
        self._list.itemActivated.connect(self._on_activated)

    def refresh(self) -> None:
        """List what the plant has and the search leaves."""
        drawn = {one.parameter.id for one in self._place.pens.measured}
        self._list.clear()
        for measured in self._found()[:_MOST_LISTED]:
            unit = f" ({measured.parameter.unit})" if measured.parameter.unit else ""
            text = f"{measured.device_title} · {measured.title}{unit}"
            item = QListWidgetItem(text)
            item.setToolTip(f"{measured.device.key} / {measured.parameter.key}")
            item.setData(_ID_ROLE, measured.parameter.id)
            if measured.parameter.id in drawn:
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
            self._list.addItem(item)

    def _found(self) -> Sequence[Measured]:
        text = self._search.text().strip()
        parameters = self._place.session.plant.parameters
        if not text:
            return parameters
        by_entry = {
            Finding(one.title, one.device_title, f"{one.device.key} {one.parameter.key}", _nothing, place): one
            for place, one in enumerate(parameters)
        }
        return [by_entry[entry] for entry in find(by_entry, text)]

    def _on_return(self) -> None:
        for row in range(self._list.count()):
            item = self._list.item(row)
            if item.flags() & Qt.ItemFlag.ItemIsEnabled:
                self.chosen.emit([str(item.data(_ID_ROLE))])
                return

    def _on_activated(self, _item: QListWidgetItem) -> None:
        self.chosen.emit([str(item.data(_ID_ROLE)) for item in self._list.selectedItems()])


def _nothing() -> None:
    """Finding an entry here chooses nothing by itself."""
