"""A small table whose cells are edited in place: rows of texts and choices, faults marked cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from factoryops_resources.stylesheet import ROW_PX
from factoryops_resources.words import say
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.edit_cells import EditCells

_HEADER_PX: Final = 34
_ROW_PX: Final = ROW_PX + 6
"""Rows hold boxes to choose from, which are higher than text."""

_ROOM_PX: Final = 6


@dataclass(frozen=True, slots=True)
class GridColumn:
    """One column.

    Attributes:
        choices: (value, what people read); empty for free text.
        default: what a new row holds.
        is_elastic: it takes the room that is left; the second column does where none says so.
    """

    key: str
    title: str
    width: int
    choices: tuple[tuple[str, str], ...] = ()
    default: str = ""
    is_elastic: bool = False


class EditGrid(QWidget):
    """Rows by column key; Tab goes from cell to cell and on from the last one, F2 or typing edits.

    Attributes:
        edited: a person changed a cell, types in one, added or removed a row.
    """

    edited = Signal()

    def __init__(
        self, look: Appearance, columns: Sequence[GridColumn], *, name: str, most_visible: int = 6,
        is_ordered: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self._look = look
        self._columns = tuple(columns)
        self._most_visible = most_visible
        self.table = EditCells(len(self._columns))
        self.table.setAccessibleName(name)
        self._add = QPushButton(look.icon("add"), say("Add a row"))
        self._remove = QPushButton(look.icon("remove"), say("Remove the row"))
        self._prepare()
        buttons = QHBoxLayout()
        for button in (self._add, self._remove, *(self._movers() if is_ordered else ())):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self.buttons = buttons
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.px(4))
        column.addWidget(self.table)
        column.addLayout(buttons)
        self.table.cellChanged.connect(lambda *_: self.edited.emit())
        self.table.typed.connect(self.edited)
        self._add.clicked.connect(self.add_row)
        self._remove.clicked.connect(self._on_remove)
        self._fit()

    def _movers(self) -> list[QToolButton]:
        buttons = []
        for sign, words, keys, by in (
            ("\N{UPWARDS ARROW}", say("Move up"), "Alt+Up", -1),
            ("\N{DOWNWARDS ARROW}", say("Move down"), "Alt+Down", 1),
        ):  # fmt: skip
            button = QToolButton()
            button.setText(sign)
            button.setAccessibleName(words)
            button.setToolTip(f"{words} ({keys})")
            button.clicked.connect(lambda _checked, step=by: self.move_row(step))
            key = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            key.activated.connect(lambda step=by: self.move_row(step))
            buttons.append(button)
        return buttons

    def _prepare(self) -> None:
        table = self.table
        self._entitle()
        table.verticalHeader().setVisible(False)
        table.verticalHeader().setDefaultSectionSize(self._look.px(_ROW_PX))
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.AllEditTriggers)
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def _entitle(self) -> None:
        self.table.setColumnCount(len(self._columns))
        self.table.setHorizontalHeaderLabels([column.title for column in self._columns])
        header = self.table.horizontalHeader()
        for place, column in enumerate(self._columns):
            header.setSectionResizeMode(place, QHeaderView.ResizeMode.Interactive)
            self.table.setColumnWidth(place, self._look.px(column.width))
        elastic = [place for place, column in enumerate(self._columns) if column.is_elastic]
        header.setSectionResizeMode(
            elastic[0] if elastic else min(1, len(self._columns) - 1), QHeaderView.ResizeMode.Stretch
        )

    def set_columns(self, columns: Sequence[GridColumn]) -> None:
        """Have other columns; what rows hold in those that stay, by key, stays."""
        rows = self.rows()
        self._columns = tuple(columns)
        blocker = QSignalBlocker(self.table)
        self.table.setRowCount(0)
        self._entitle()
        blocker.unblock()
        self.set_rows(rows)

    def offer(self, key: str, choices: Sequence[tuple[str, str]]) -> None:
        """What can be chosen in a column; what is chosen stays, be it among them or not."""
        columns = [replace(one, choices=tuple(choices)) if one.key == key else one for one in self._columns]
        if columns != [*self._columns]:
            self.set_columns(columns)

    def rows(self) -> list[dict[str, str]]:
        """What every row holds."""
        return [
            {column.key: self._text(row, place) for place, column in enumerate(self._columns)}
            for row in range(self.table.rowCount())
        ]

    def set_rows(self, rows: Sequence[Mapping[str, str]]) -> None:
        """Replace all rows."""
        blocker = QSignalBlocker(self.table)
        self.table.setRowCount(0)
        for row in rows:
            self._insert(row)
        blocker.unblock()
        self._fit()

    def set_text(self, row: int, key: str, text: str) -> None:
        """Fill in a cell as a person would."""
        place = next(place for place, column in enumerate(self._columns) if column.key == key)
        item = self.table.item(row, place)
        if item is not None:
            item.setText(text)

    def add_row(self) -> None:
        """Begin a new row and edit its first cell."""
        blocker = QSignalBlocker(self.table)
        self._insert({})
        blocker.unblock()
        self._fit()
        last = self.table.rowCount() - 1
        self.table.setCurrentCell(last, 0)
        self.table.setFocus()
        self.edited.emit()

    def move_row(self, step: int) -> None:
        """Move the current row up (-1) or down (1); the first and the last stay where they are."""
        here, place = self.table.currentRow(), self.table.currentColumn()
        there, rows = here + step, self.rows()
        if here < 0 or not 0 <= there < len(rows):
            return
        rows[here], rows[there] = rows[there], rows[here]
        self.set_rows(rows)
        self.table.setCurrentCell(there, max(0, place))
        self.edited.emit()

    def set_faults(self, faults: Mapping[tuple[int, str], str]) -> None:
        """Mark cells with what is wrong in them, shown as a tool tip; all others are in order."""
        blocker = QSignalBlocker(self.table)
        wrong = QColor(self._look.theme.selection)
        for row in range(self.table.rowCount()):
            for place, column in enumerate(self._columns):
                item = self.table.item(row, place)
                fault = faults.get((row, column.key), "")
                if item is not None:
                    item.setToolTip(fault)
                    item.setData(Qt.ItemDataRole.BackgroundRole, wrong if fault else None)
        blocker.unblock()

    def _text(self, row: int, place: int) -> str:
        box = self.table.cellWidget(row, place)
        if isinstance(box, QComboBox):
            return str(box.currentData())
        if isinstance(box, QLineEdit):
            return box.text().strip()
        item = self.table.item(row, place)
        return item.text().strip() if item is not None else ""

    def _insert(self, values: Mapping[str, str]) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        for place, column in enumerate(self._columns):
            text = values.get(column.key, column.default)
            if column.choices:
                self.table.setCellWidget(row, place, self._box(column, text))
            else:
                self.table.setItem(row, place, QTableWidgetItem(text))

    def _box(self, column: GridColumn, chosen: str) -> QComboBox:
        box = QComboBox()
        box.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        box.setAccessibleName(column.title)
        for value, words in column.choices:
            box.addItem(words, value)
        if chosen and box.findData(chosen) < 0:
            box.addItem(chosen, chosen)
        box.setCurrentIndex(max(0, box.findData(chosen)))
        box.activated.connect(lambda _: self.edited.emit())
        return box

    def _on_remove(self) -> None:
        row = self.table.currentRow()
        if row >= 0:
            self.table.removeRow(row)
            self._fit()
            self.edited.emit()

    def _fit(self) -> None:
        """Be as high as the rows, up to a bound."""
        shown = min(max(self.table.rowCount(), 1), self._most_visible)
        height = _HEADER_PX + shown * _ROW_PX + _ROOM_PX
        self.table.setFixedHeight(self._look.px(height))
