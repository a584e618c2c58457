"""The pens of a trend with their figures: colour, name, value at the cursor, now, and over what is in view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QMenu, QStyledItemDelegate, QStyleOptionViewItem, QVBoxLayout, QWidget

from factoryops_resources.words import say
from factoryops_widgets import formatting
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.data_table import ColumnSpec, DataTable, TableSettings
from factoryops_widgets.redraw_clock import RedrawClock
from factoryops_widgets.trend import TrendView
from factoryops_widgets.trend_painter import pen_style
from factoryops_widgets.trend_types import Pen, PenStatistics

_SWATCH_COLUMN = 0
_SHOWN_COLUMN = 1


@dataclass(frozen=True, slots=True)
class PenLine:
    """One pen and its figures."""

    pen: Pen
    is_shown: bool
    at_cursor: float | None
    live: float | None
    view: PenStatistics

    def text(self, value: float | None) -> str:
        """A value with the pen's decimals, or the words that stand for it."""
        if value is not None and self.pen.words:
            return self.pen.words.get(value, formatting.NOTHING)
        return formatting.number(value, self.pen.decimals)


class PenTable(QWidget):
    """Reads its figures from the trend twice a second.

    Space shows or hides the selected pens, Delete asks to remove them.

    Attributes:
        pen_removed: a pen's id; the owner takes it out of the trend.
        pen_chosen: a pen's id, on double click or Enter.
    """

    pen_removed = Signal(str)
    pen_chosen = Signal(str)

    def __init__(
        self,
        look: Appearance,
        trend: TrendView,
        clock: RedrawClock,
        settings: TableSettings | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._trend = trend
        self.table: DataTable[PenLine] = DataTable(
            look, _columns(), name="pens", row_key=lambda line: line.pen.id, settings=settings, has_filter=False
        )
        view = self.table.view
        view.setItemDelegateForColumn(_SWATCH_COLUMN, SwatchDelegate(look, self))
        view.clicked.connect(self._on_clicked)
        view.customContextMenuRequested.disconnect()
        view.customContextMenuRequested.connect(self._on_menu)
        view.setAccessibleName(say("Pens"))
        self.table.row_activated.connect(lambda line: self.pen_chosen.emit(line.pen.id))
        self.table.selection_changed.connect(self._on_selection)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        clock.register(self, self._on_tick, most_hz=2.0)

    def refresh(self) -> None:
        """Read the figures now."""
        cursor = self._trend.cursor_us
        at_cursor = self._trend.readings(cursor) if cursor is not None else {}
        live, view = self._trend.live_values(), self._trend.statistics()
        self.table.set_rows(
            [
                PenLine(pen, self._trend.is_pen_shown(pen.id), at_cursor.get(pen.id), live.get(pen.id), view[pen.id])
                for pen in self._trend.pens
            ]
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space shows or hides, Delete removes."""
        if event.key() == Qt.Key.Key_Space:
            for line in self.table.selected_rows():
                self._toggle(line)
        elif event.key() == Qt.Key.Key_Delete:
            self._remove_selected()
        else:
            super().keyPressEvent(event)

    def _toggle(self, line: PenLine) -> None:
        self._trend.set_pen_shown(line.pen.id, not self._trend.is_pen_shown(line.pen.id))
        self.refresh()

    def _remove_selected(self) -> None:
        for line in self.table.selected_rows():
            self.pen_removed.emit(line.pen.id)

    def _on_clicked(self, index: QModelIndex) -> None:
        if index.column() in (_SHOWN_COLUMN, _SWATCH_COLUMN):
            self._toggle(self.table.model.rows[index.row()])

    def _on_selection(self) -> None:
        selected = self.table.selected_rows()
        self._trend.choose_pen(selected[0].pen.id if len(selected) == 1 else None)

    def _on_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(say("Remove"), self._remove_selected).setEnabled(bool(self.table.selected_rows()))
        menu.addAction(say("Copy"), self.table.copy_selection)
        menu.popup(self.table.view.viewport().mapToGlobal(at))

    def _on_tick(self, _moment_us: int) -> None:
        self.refresh()


def _columns() -> list[ColumnSpec[PenLine]]:
    return [
        ColumnSpec("colour", "", lambda line: line.pen.color_index, lambda _line: "", width=40),
        ColumnSpec("shown", "Shown", lambda line: line.is_shown, _shown_text, width=80),
        ColumnSpec("name", "Pen", lambda line: line.pen.label, width=220),
        ColumnSpec("description", "Description", lambda line: line.pen.description or None, is_elastic=True),
        _figure("cursor", "At cursor", lambda line: line.at_cursor),
        _figure("live", "Now", lambda line: line.live),
        _figure("minimum", "Minimum", lambda line: line.view.minimum),
        _figure("mean", "Mean", lambda line: line.view.mean),
        _figure("maximum", "Maximum", lambda line: line.view.maximum),
        ColumnSpec("unit", "Unit", lambda line: line.pen.unit or None, width=72),
    ]


def _figure(key: str, title: str, value: Callable[[PenLine], float | None]) -> ColumnSpec[PenLine]:
    return ColumnSpec(key, title, value, lambda line: line.text(value(line)), is_number=True, width=92)


def _shown_text(line: PenLine) -> str:
    return say("yes") if line.is_shown else say("no")


class SwatchDelegate(QStyledItemDelegate):
    """A short stroke in the pen's colour and dash."""

    def __init__(self, look: Appearance, parent: QObject) -> None:
        super().__init__(parent)
        self._look = look

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """The row's background, then the stroke."""
        super().paint(painter, option, QModelIndex())
        line = index.data(Qt.ItemDataRole.UserRole)
        if not isinstance(line, PenLine):
            return
        rect = QRectF(option.rect)
        painter.save()
        style = pen_style(self._look.theme, line.pen)
        style.setWidth(3 if line.is_shown else 1)
        painter.setPen(style)
        painter.setOpacity(1.0 if line.is_shown else 0.4)
        middle = rect.center().y()
        painter.drawLine(int(rect.left()) + 8, int(middle), int(rect.right()) - 8, int(middle))
        painter.restore()
