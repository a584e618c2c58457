"""The one table of the client: sort, filter, copy, export, columns as you left them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QColor, QGuiApplication, QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from factoryops.domain.errors import FactoryOpsError
from factoryops_resources.stylesheet import ROW_PX
from factoryops_resources.words import say
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.file_dialog import ask_where_to_save
from factoryops_widgets.table_export import to_tsv, write_csv
from factoryops_widgets.table_model import ColumnSpec, TableModel

__all__ = ["ColumnSpec", "DataTable", "TableSettings"]

Row = TypeVar("Row")
_SHORTEST_COLUMN_PX: Final = 48
_THE_ROW: Final = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows


class TableSettings(Protocol):
    """Where a table remembers its columns."""

    def value(self, key: str) -> str | None:
        """What was stored under `key`."""
        ...

    def set_value(self, key: str, text: str) -> None:
        """Store `text` under `key`."""
        ...


class DataTable(QWidget, Generic[Row]):
    """Rows of anything, in columns described by ColumnSpec.

    Attributes:
        row_activated: the row, on double click or Enter.
        selection_changed: other rows are selected.
        failed: a sentence, when an export could not be written.
    """

    row_activated = Signal(object)
    selection_changed = Signal()
    failed = Signal(str)

    def __init__(
        self,
        look: Appearance,
        columns: Sequence[ColumnSpec[Row]],
        *,
        name: str,
        row_key: Callable[[Row], str],
        settings: TableSettings | None = None,
        has_filter: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._look = look
        self._settings = settings
        self._name = name
        self.model: TableModel[Row] = TableModel(columns, row_key)
        self.model.setParent(self)
        self.model.colour_of = self._colour_of
        self._is_stretching = False
        self._elastic: set[str] = {column.key for column in columns if column.is_elastic}
        self.view = QTableView(self)
        self._filter = QLineEdit(self)
        self._count = QLabel(self)
        self._count.setProperty("role", "secondary")
        self._export = QToolButton(self)
        self._head = QWidget(self)
        self._head.setVisible(has_filter)
        self._place(has_filter=has_filter)
        self._prepare_view()
        self._restore_columns()
        self._connect()
        self._on_look_changed()

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Replace all rows; selection and scroll position stay with rows whose key stays."""
        self.model.set_rows(rows)
        self._say_count()

    def rows(self) -> list[Row]:
        """The rows shown, in order."""
        return list(self.model.rows)

    def selected_rows(self) -> list[Row]:
        """The selected rows, in order."""
        picked = sorted({index.row() for index in self.view.selectionModel().selectedRows()})
        return [self.model.rows[at] for at in picked if at < len(self.model.rows)]

    def rows_on_screen(self) -> list[Row]:
        """The rows that can be seen now, without scrolling."""
        first = self.view.rowAt(0)
        last = self.view.rowAt(self.view.viewport().height() - 1)
        if first < 0:
            return []
        return self.model.rows[first : (last + 1) if last >= 0 else None]

    def select(self, key: str) -> None:
        """Select the row with this key, whatever keys are held down, and scroll to it."""
        at = self.model.position_of(key)
        if at is not None:
            index = self.model.index(at, 0)
            self.view.selectionModel().setCurrentIndex(index, _THE_ROW)
            self.view.scrollTo(index)

    def set_filter(self, text: str) -> None:
        """Show only rows that contain every word."""
        self._filter.setText(text)

    def sort_by(self, key: str, *, is_descending: bool = False) -> None:
        """Sort by the column with this key."""
        at = next(index for index, column in enumerate(self.model.columns) if column.key == key)
        order = Qt.SortOrder.DescendingOrder if is_descending else Qt.SortOrder.AscendingOrder
        self.view.horizontalHeader().setSortIndicator(at, order)

    def copy_selection(self) -> None:
        """Put the selected rows on the clipboard, tab-separated, with titles."""
        QGuiApplication.clipboard().setText(to_tsv(self._cells(self.selected_rows())))

    def export_csv(self, path: Path) -> None:
        """Write exactly what is shown, in the order it is shown; raises StorageError."""
        write_csv(path, self._cells(self.model.rows))

    def _cells(self, rows: list[Row]) -> list[list[str]]:
        header = self.view.horizontalHeader()
        columns = [self.model.columns[header.logicalIndex(at)] for at in range(header.count())]
        return [[say(column.title) for column in columns]] + [[c.shown(row) for c in columns] for row in rows]

    def _place(self, *, has_filter: bool) -> None:
        head = QHBoxLayout(self._head)
        head.setContentsMargins(0, 0, 0, 8)
        head.setSpacing(8)
        self._filter.setClearButtonEnabled(True)
        self._filter.setMaximumWidth(self._look.px(280))
        head.addWidget(self._filter, 1)
        head.addWidget(self._count)
        head.addStretch(1)
        head.addWidget(self._export)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        if has_filter:
            layout.addWidget(self._head)
        layout.addWidget(self.view, 1)

    def add_tool(self, widget: QWidget) -> None:
        """Put a button of the page into the line above the table."""
        layout = self._head.layout()
        if isinstance(layout, QHBoxLayout):
            layout.insertWidget(layout.count() - 1, widget)

    def _prepare_view(self) -> None:
        view = self.view
        view.setModel(self.model)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setTextElideMode(Qt.TextElideMode.ElideRight)
        view.setWordWrap(False)
        view.setShowGrid(True)
        view.setTabKeyNavigation(False)
        view.verticalHeader().hide()
        view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = view.horizontalHeader()
        header.setSectionsMovable(True)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(_SHORTEST_COLUMN_PX)
        header.setSortIndicatorClearable(True)
        header.setSortIndicatorShown(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSectionsClickable(True)
        for at, column in enumerate(self.model.columns):
            header.resizeSection(at, self._look.px(column.width))
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)

    def _connect(self) -> None:
        header = self.view.horizontalHeader()
        header.sortIndicatorChanged.connect(self._on_sort_changed)
        header.sectionMoved.connect(self._store_columns)
        header.sectionResized.connect(self._store_columns)
        self.view.selectionModel().selectionChanged.connect(self._on_selection_changed)
        self.view.activated.connect(self._on_activated)
        self.view.customContextMenuRequested.connect(self._on_menu)
        self._filter.textChanged.connect(self._on_filter)
        self._export.clicked.connect(self._on_export)
        self._copy = QAction(self.view)
        self._copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        self._copy.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._copy.triggered.connect(self.copy_selection)
        self.view.addAction(self._copy)
        self._look.changed.connect(self._on_look_changed)

    def _colour_of(self, column: ColumnSpec[Row], _row: Row) -> QColor | None:
        return QColor(self._look.theme.live) if column.is_number else None

    def _on_sort_changed(self, section: int, order: Qt.SortOrder) -> None:
        column = self.model.columns[section] if 0 <= section < len(self.model.columns) else None
        self.model.order_by(column, is_descending=order is Qt.SortOrder.DescendingOrder)
        self._store_columns()

    def _on_selection_changed(self) -> None:
        self.selection_changed.emit()

    def _on_activated(self, index: QModelIndex) -> None:
        self.row_activated.emit(self.model.rows[index.row()])

    def _on_filter(self, text: str) -> None:
        self.model.set_filter(text)
        self._say_count()

    def _on_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(say("Copy"), self.copy_selection).setEnabled(bool(self.selected_rows()))
        menu.addAction(say("Select all"), self.view.selectAll)
        menu.addAction(say("Export as CSV \N{HORIZONTAL ELLIPSIS}"), self._on_export)
        menu.popup(self.view.viewport().mapToGlobal(at))

    def _on_export(self) -> None:
        ask_where_to_save(self, say("Export as CSV"), f"{self._name}.csv", self._export_to)

    def _export_to(self, path: Path) -> None:
        try:
            self.export_csv(path)
        except FactoryOpsError as error:
            self.failed.emit(str(error))

    def _say_count(self) -> None:
        shown, total = len(self.model.rows), self.model.total
        if self.model.is_filtered:
            self._count.setText(say("{shown} of {total}", shown=shown, total=total))
        else:
            self._count.setText(say("{total} rows", total=total) if total != 1 else say("1 row"))

    def _on_look_changed(self) -> None:
        self._filter.setPlaceholderText(say("Filter"))
        self._filter.setAccessibleName(say("Filter the table"))
        self._export.setText(say("Export"))
        self._export.setToolTip(say("Save what the table shows as a CSV file"))
        self.view.verticalHeader().setDefaultSectionSize(self._look.px(ROW_PX))
        self.view.setAccessibleName(say("Table"))
        self.model.retitle()
        self._say_count()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the elastic columns the room that is left."""
        super().resizeEvent(event)
        self._stretch()

    def showEvent(self, event: QShowEvent) -> None:
        """As after a resize: only now the size is final."""
        super().showEvent(event)
        self._stretch()

    def _stretch(self) -> None:
        """Elastic columns share what the others leave, but never get narrower than their own width."""
        header, columns = self.view.horizontalHeader(), self.model.columns
        elastic = [at for at, column in enumerate(columns) if column.key in self._elastic]
        if not elastic or self._is_stretching:
            return
        self._is_stretching = True
        taken = sum(header.sectionSize(at) for at in range(len(columns)) if at not in elastic)
        share = (self.view.viewport().width() - taken) // len(elastic)
        for at in elastic:
            header.resizeSection(at, max(share, self._look.px(columns[at].width)))
        self._is_stretching = False

    def _store_columns(self, *_: object) -> None:
        self._stretch()
        if self._settings is None:
            return
        header = self.view.horizontalHeader()
        columns = self.model.columns
        state = {
            "order": [columns[header.logicalIndex(at)].key for at in range(len(columns))],
            "width": {column.key: header.sectionSize(at) for at, column in enumerate(columns)},
            "sort": self._stored_sort(),
        }
        self._settings.set_value(f"table/{self._name}", json.dumps(state))

    def _stored_sort(self) -> list[Any] | None:
        header = self.view.horizontalHeader()
        section = header.sortIndicatorSection()
        if not 0 <= section < len(self.model.columns):
            return None
        return [self.model.columns[section].key, header.sortIndicatorOrder() is Qt.SortOrder.DescendingOrder]

    def _restore_columns(self) -> None:
        """Columns as they were left; what no longer exists or cannot be read is passed over."""
        stored = self._settings.value(f"table/{self._name}") if self._settings is not None else None
        state = _parsed(stored)
        header = self.view.horizontalHeader()
        index_of = {column.key: at for at, column in enumerate(self.model.columns)}
        wanted = [key for key in state.get("order", []) if key in index_of]
        for place, key in enumerate(wanted):
            header.moveSection(header.visualIndex(index_of[key]), place)
        for key, width in state.get("width", {}).items():
            if key in index_of and key not in self._elastic and isinstance(width, int):
                header.resizeSection(index_of[key], max(_SHORTEST_COLUMN_PX, width))
        sort = state.get("sort")
        if isinstance(sort, list) and len(sort) == 2 and sort[0] in index_of:
            self.sort_by(sort[0], is_descending=bool(sort[1]))
            self.model.order_by(self.model.columns[index_of[sort[0]]], is_descending=bool(sort[1]))

    def clear_selection(self) -> None:
        """Select nothing."""
        self.view.selectionModel().clear()
        self.view.selectionModel().setCurrentIndex(QModelIndex(), QItemSelectionModel.SelectionFlag.NoUpdate)


def _parsed(stored: str | None) -> dict[str, Any]:
    try:
        state = json.loads(stored or "{}")
    except json.JSONDecodeError:
        return {}
    return state if isinstance(state, dict) else {}
