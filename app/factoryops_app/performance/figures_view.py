"""The figures with what they are compared with, beside a picture of the load."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.time import from_us
from factoryops_app.models.performance import FigureRow, figure_rows, summary
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.appearance import BODY_PT
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import moment
from factoryops_widgets.load_chart import LoadChart, LoadPicture

_BEYOND_PEN = 3
"""A chart colour that is far from those that alarms have."""


class FigureTable(DataTable[FigureRow]):
    """One line per figure; what is beyond its target has a sign, weight and colour."""

    def __init__(self, place: Workplace) -> None:
        columns: list[ColumnSpec[FigureRow]] = [
            ColumnSpec("name", say("Figure"), lambda row: row.name, width=180, is_elastic=True),
            ColumnSpec("value", say("Value"), lambda row: row.value, lambda row: row.text, is_number=True, width=70),
            ColumnSpec("target", say("Target"), lambda row: row.target, width=165),
            ColumnSpec("verdict", say("Compared"), lambda row: row.verdict, width=216),
        ]
        super().__init__(
            place.look, columns, name="performance-figures", settings=place.settings, row_key=lambda row: row.key
        )
        self.model.font_of = self._font_of
        self.model.colour_of = self._colour

    def _font_of(self, row: FigureRow) -> QFont | None:
        return self._look.font(BODY_PT, is_bold=True) if row.is_beyond else None

    def _colour(self, column: ColumnSpec[FigureRow], row: FigureRow) -> QColor | None:
        theme = self._look.theme
        if row.is_beyond and column.key in ("value", "verdict"):
            return QColor(theme.pen(_BEYOND_PEN))
        return QColor(theme.live) if column.is_number else None


class FiguresView(QWidget):
    """Sentences on top, figures on the left, load on the right."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        px = place.look.px
        self._zone = place.look.zone
        self.summary = plain_label(role="section", is_wrapped=True)
        self.span = plain_label(role="secondary")
        self.remarks = plain_label(role="secondary", is_wrapped=True)
        self.table = FigureTable(place)
        self.chart = LoadChart(place.look)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(px(8), 0, 0, 0)
        column.setSpacing(px(6))
        column.addWidget(plain_label(say("Alarms in each ten minutes"), role="secondary"))
        column.addWidget(self.chart, 1)
        both = QSplitter(Qt.Orientation.Horizontal)
        both.setChildrenCollapsible(False)
        both.addWidget(self.table)
        both.addWidget(right)
        both.setSizes([px(590), px(500)])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(px(6))
        layout.addWidget(self.summary)
        layout.addWidget(self.span)
        layout.addWidget(self.remarks)
        layout.addWidget(both, 1)

    def show_figures(self, found: http.AlarmPerformance) -> None:
        """Show what was measured."""
        begin, end = (moment(from_us(at_us), self._zone) for at_us in (found.figures.start_us, found.figures.end_us))
        self.span.setText(say("From {begin} to {end}", begin=begin, end=end))
        first, *others = [*summary(found), ""]
        self.summary.setText(first)
        self.summary.setVisible(bool(first))
        self.remarks.setText(" ".join(one for one in others if one))
        self.remarks.setVisible(any(others))
        self.table.set_rows(figure_rows(found.figures))
        load = found.figures.load
        self.chart.show_load(LoadPicture(load.start_us, load.width_us, load.counts, found.figures.limits.busy_interval))
