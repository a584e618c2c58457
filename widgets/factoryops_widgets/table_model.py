"""The rows behind every table: columns as data, order and filter of our own, rows that keep their identity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFont

from factoryops_resources.words import say
from factoryops_widgets import formatting

Row = TypeVar("Row")
Index = QModelIndex | QPersistentModelIndex
_NO_INDEX: Final = QModelIndex()


@dataclass(frozen=True)  # no slots: with them Python 3.11 cannot make a ColumnSpec[Row] of a named Row
class ColumnSpec(Generic[Row]):
    """One column.

    Attributes:
        key: names the column in settings; never shown.
        title: English; translated when shown.
        value: what it sorts by.
        text: what it shows; by default the value as text.
        is_number: right-aligned, in the live colour.
        is_elastic: takes the room that is left.
        tooltip: in full what the cell may cut; by default its text.
    """

    key: str
    title: str
    value: Callable[[Row], object]
    text: Callable[[Row], str] | None = None
    is_number: bool = False
    width: int = 120
    tooltip: Callable[[Row], str] | None = None
    is_elastic: bool = False

    def shown(self, row: Row) -> str:
        """The cell's text."""
        if self.text is not None:
            return self.text(row)
        value = self.value(row)
        return formatting.NOTHING if value is None else str(value)


def sort_key(value: object) -> tuple[int, Any]:
    """Orders anything: what is not there last, numbers by size, text without regard to case."""
    if value is None:
        return 2, 0
    if isinstance(value, str):
        return 1, value.casefold()
    return 0, value


class TableModel(QAbstractTableModel, Generic[Row]):
    """Rows in the order and through the filter that were chosen; text is plain text always."""

    def __init__(self, columns: Sequence[ColumnSpec[Row]], row_key: Callable[[Row], str]) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self.row_key = row_key
        self._all: list[Row] = []
        self.rows: list[Row] = []
        self._filter = ""
        self._order: tuple[ColumnSpec[Row], bool] | None = None
        self._natural: Callable[[Row], Any] | None = None
        self._is_held = False
        self.font_of: Callable[[Row], QFont | None] | None = None
        self.colour_of: Callable[[ColumnSpec[Row], Row], QColor | None] | None = None

    def set_natural_order(self, key: Callable[[Row], Any]) -> None:
        """The order while no column is chosen."""
        self._natural = key

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Replace all rows; rows whose key stays keep their selection and place on screen."""
        self._all = list(rows)
        self._show()

    def hold(self, *, is_held: bool) -> None:
        """While held no row comes, goes or moves; values in the rows shown stay current."""
        if is_held != self._is_held:
            self._is_held = is_held
            self._show()

    @property
    def held_back(self) -> int:
        """How many rows would be shown if nothing were held."""
        if not self._is_held:
            return 0
        shown = {self.row_key(row) for row in self.rows}
        return sum(self.row_key(row) not in shown for row in self._all if self._passes(row))

    def set_filter(self, text: str) -> None:
        """Show only rows in which every word of `text` occurs somewhere."""
        self._filter = text.casefold()
        self._show()

    def order_by(self, column: ColumnSpec[Row] | None, *, is_descending: bool = False) -> None:
        """Sort by a column; None for the natural order."""
        self._order = None if column is None else (column, is_descending)
        self._show()

    @property
    def is_filtered(self) -> bool:
        """Whether the filter hides rows."""
        return len(self.rows) != len(self._all)

    @property
    def total(self) -> int:
        """Rows, hidden ones included."""
        return len(self._all)

    def position_of(self, key: str) -> int | None:
        """Where the row with this key stands; None when it is not shown."""
        return next((at for at, row in enumerate(self.rows) if self.row_key(row) == key), None)

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        """Rows shown."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NO_INDEX) -> int:
        """Columns."""
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Text, tool tip, alignment, and the row itself as UserRole."""
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row, column = self.rows[index.row()], self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.shown(row).replace("\n", " ")
        if role == Qt.ItemDataRole.ToolTipRole:
            return formatting.plain(column.tooltip(row) if column.tooltip else column.shown(row))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.FontRole:
            return self.font_of(row) if self.font_of else None
        if role == Qt.ItemDataRole.ForegroundRole:
            return self.colour_of(column, row) if self.colour_of else None
        return row if role == Qt.ItemDataRole.UserRole else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Titles, over numbers right-aligned."""
        if orientation is not Qt.Orientation.Horizontal or section >= len(self.columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return say(self.columns[section].title)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            is_number = self.columns[section].is_number
            return int(
                (Qt.AlignmentFlag.AlignRight if is_number else Qt.AlignmentFlag.AlignLeft)
                | Qt.AlignmentFlag.AlignVCenter
            )
        return None

    def retitle(self) -> None:
        """Show titles and texts anew, after a change of language or zone."""
        if self.columns:
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.columns) - 1)
        self._announce_values()

    def _show(self) -> None:
        if self._is_held:
            newest = {self.row_key(row): row for row in self._all}
            self.rows = [newest.get(self.row_key(row), row) for row in self.rows]
            self._announce_values()
            return
        fresh = [row for row in self._all if self._passes(row)]
        if self._natural is not None:
            fresh.sort(key=self._natural)
        if self._order is not None:
            column, is_descending = self._order
            fresh.sort(key=lambda row: sort_key(column.value(row)), reverse=is_descending)
        same_keys = [self.row_key(row) for row in fresh] == [self.row_key(row) for row in self.rows]
        if same_keys:
            self.rows = fresh
            self._announce_values()
        else:
            self._rearrange(fresh)

    def _rearrange(self, fresh: list[Row]) -> None:
        """New rows or a new order: what was selected and current stays so."""
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        keys = [self.row_key(self.rows[index.row()]) for index in before]
        self.rows = fresh
        place = {self.row_key(row): at for at, row in enumerate(fresh)}
        after = [
            self.index(place[key], index.column()) if key in place else QModelIndex()
            for key, index in zip(keys, before, strict=True)
        ]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _announce_values(self) -> None:
        if self.rows:
            last = self.index(len(self.rows) - 1, len(self.columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def _passes(self, row: Row) -> bool:
        if not self._filter:
            return True
        text = " ".join(column.shown(row) for column in self.columns).casefold()
        return all(word in text for word in self._filter.split())
