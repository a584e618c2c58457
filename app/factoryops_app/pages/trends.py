"""Trends: any parameters, history and live in one line."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QPushButton, QSplitter, QVBoxLayout, QWidget

from factoryops.domain.time import US_PER_S, now_us
from factoryops_app.chart import ChartFeed
from factoryops_app.models.pens import MOST_PENS
from factoryops_app.page import Page
from factoryops_app.parameter_picker import PARAMETER_MIME, ParameterPicker
from factoryops_app.workplace import PageKey, Target, Workplace
from factoryops_resources.words import say
from factoryops_widgets.pen_table import PenTable
from factoryops_widgets.time_bar import TimeBar
from factoryops_widgets.trend import TrendView

_ROUND_EVENT_US: Final = 15 * 60 * US_PER_S
_FIRST_SPAN_US: Final = 30 * 60 * US_PER_S


class TrendsPage(Page):
    """Up to twenty pens over one time axis."""

    key = PageKey.TRENDS

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, say("Trends"))
        self.setAcceptDrops(True)
        self.trend = TrendView(place.look, place.clock)
        self.feed = ChartFeed(place, self.trend)
        self._time_bar = TimeBar(place.look, self.trend)
        self._pens = PenTable(place.look, self.trend, place.clock)
        self._picker = ParameterPicker(place)
        self._add = QPushButton(place.look.icon("add"), say("Add pens"))
        self._add.setCheckable(True)
        self._add.toggled.connect(self._picker.setVisible)
        self._picker.hide()
        self._picker.chosen.connect(self._on_chosen)
        self._pens.pen_removed.connect(place.pens.remove)
        self.header.addWidget(self._add)
        self._splitter = self._build()
        self.states.show_loading(say("Asking for the plant …"))
        self.states.action_requested.connect(self._on_start)
        self.trend.go_live(_FIRST_SPAN_US)

    def _build(self) -> QSplitter:
        charts = QSplitter(Qt.Orientation.Vertical)
        charts.setChildrenCollapsible(False)
        top = QWidget()
        column = QVBoxLayout(top)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(self.place.look.px(8))
        column.addWidget(self._time_bar)
        column.addWidget(self.trend, 1)
        charts.addWidget(top)
        charts.addWidget(self._pens)
        charts.setStretchFactor(0, 1)
        charts.setSizes([self.place.look.px(560), self.place.look.px(190)])
        across = QSplitter(Qt.Orientation.Horizontal)
        across.setChildrenCollapsible(False)
        across.addWidget(charts)
        across.addWidget(self._picker)
        across.setStretchFactor(0, 1)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(across)
        held = self.place.settings.value("trend.splitter")
        if held is not None:
            charts.restoreState(QByteArray.fromBase64(held.encode("ascii", "ignore")))
        return charts

    def enter(self, target: Target) -> None:
        """Show the pens of this user; parameters in `target` are added, its moment is looked at."""
        super().enter(target)
        session = self.place.session
        self.listen(session.plant.changed, self._show_pens)
        self.listen(self.place.pens.changed, self._show_pens)
        if target.ids:
            self._make_room_for(target.ids)
        self._show_pens()
        self.feed.open()
        if target.at_us is not None:
            end_us = min(target.at_us + _ROUND_EVENT_US, now_us())
            self.trend.set_span(target.at_us - _ROUND_EVENT_US, end_us)

    def leave(self) -> None:
        """Stop feeding the chart."""
        super().leave()
        self.feed.close()
        state = bytes(self._splitter.saveState().toBase64().data()).decode("ascii")
        self.place.settings.set_value("trend.splitter", state)

    def load(self) -> None:
        """Ask for the history again."""
        self._show_pens()

    def _make_room_for(self, ids: tuple[str, ...]) -> None:
        held = [one.parameter.id for one in self.place.pens.measured if one.parameter.id not in ids]
        self.place.pens.show_only([*ids, *held][:MOST_PENS])

    def _show_pens(self) -> None:
        session = self.place.session
        pens = list(self.place.pens.measured)
        if tuple(pens) != self.feed.pens or not pens:
            self.feed.set_pens(pens)
        if pens:
            self.states.show_content()
        elif session.plant.devices or session.connection.is_connected:
            self.states.show_empty(
                say("No pen is drawn"),
                say("Choose parameters to draw: up to {count} over one time axis.", count=MOST_PENS),
                say("Add pens"),
            )
        self.set_title(say("Trends"), say("{count} pens", count=len(pens)) if pens else "")
        self._picker.refresh()

    def _on_start(self) -> None:
        first = [one.parameter.id for one in self.place.session.plant.parameters[:1]]
        self._on_chosen(first)
        self._add.setChecked(True)

    def _on_chosen(self, ids: list[str]) -> None:
        if not self.place.pens.add(ids):
            self.place.navigator.say_briefly(
                say("At most {count} pens fit; the others were left out.", count=MOST_PENS)
            )

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Parameters may be dropped here."""
        if event.mimeData().hasFormat(PARAMETER_MIME):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Draw the dropped parameters."""
        data = bytes(event.mimeData().data(PARAMETER_MIME).data()).decode("ascii", "ignore")
        self._on_chosen([identity for identity in data.split() if self.place.session.plant.parameter(identity)])
        event.acceptProposedAction()
