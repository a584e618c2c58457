"""Alarm performance: how many alarms reach an operator, which are a nuisance, and what would mend them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QPushButton, QSplitter, QVBoxLayout

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.time import from_us
from factoryops_app.models.outages import tab_title
from factoryops_app.models.performance import FIRST_SPAN_H, is_nothing_judged, nuisance_ids, span_titles
from factoryops_app.page import Page
from factoryops_app.performance.figures_view import FiguresView
from factoryops_app.performance.lists import Lists
from factoryops_app.performance.mends_view import MendsView
from factoryops_app.performance.outages_view import OutagesView
from factoryops_app.workplace import PageKey, Target, Workplace
from factoryops_resources.words import say


class PerformancePage(Page):
    """Position and span in the title line; figures above, lists and proposals below."""

    key = PageKey.PERFORMANCE

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, say("Alarm figures"))
        self.position, self.span_box = QComboBox(), QComboBox()
        self.refresh = QPushButton(say("Measure again"))
        self.targets = QPushButton(say("Targets …"))
        self.figures = FiguresView(place)
        self.lists = Lists(place)
        self.mends = MendsView(place, self.span, lambda: nuisance_ids(self._shown))
        self.outages = OutagesView(place)
        self._shown: http.AlarmPerformance | None = None
        self._asked = 0
        self._build()
        self._connect()
        self.states.show_loading(say("Measuring the alarms …"))

    def _build(self) -> None:
        px = self.place.look.px
        self.position.addItem(say("Whole factory"), None)
        for hours, words in span_titles().items():
            self.span_box.addItem(words, hours)
        self.span_box.setCurrentIndex(self.span_box.findData(FIRST_SPAN_H))
        self.position.setAccessibleName(say("Operating position"))
        self.span_box.setAccessibleName(say("Time the figures are of"))
        self.targets.setToolTip(say("What the figures are judged by: Factory, Targets of alarm figures"))
        for widget in (self.position, self.span_box, self.refresh, self.targets):
            self.header.addWidget(widget)
        self.lists.addTab(self.mends, say("Proposals"))
        self.lists.addTab(self.outages, tab_title(()))
        both = QSplitter(Qt.Orientation.Vertical)
        both.setChildrenCollapsible(False)
        both.addWidget(self.figures)
        both.addWidget(self.lists)
        both.setSizes([px(330), px(380)])
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(both)

    def _connect(self) -> None:
        self.position.activated.connect(lambda _: self._load_other())
        self.span_box.activated.connect(lambda _: self._load_other())
        self.refresh.clicked.connect(self.load)
        self.outages.changed.connect(self.load)
        self.outages.listed.connect(self._name_outages)
        self.targets.clicked.connect(lambda: self.place.navigator.go(PageKey.FACTORY, Target(ids=("targets",))))
        self.lists.currentChanged.connect(lambda _: self._make_room())
        self.lists.chattering.propose.clicked.connect(lambda: self._propose(self.lists.chattering.wanted()))
        self.lists.fleeting.propose.clicked.connect(lambda: self._propose(self.lists.fleeting.wanted()))

    def enter(self, target: Target) -> None:
        """Measure anew."""
        super().enter(target)
        for tab in (self.lists.chattering, self.lists.fleeting):
            tab.propose.setEnabled(self.mends.may_propose)
        if target.ids:
            self.show_tab(target.ids[0])
        self.load()

    def show_tab(self, key: str) -> None:
        """Bring a list into view, by what `tab_titles` calls it."""
        tabs = {tab.words.name: tab for tab in self.lists.tabs} | {"proposals": self.mends, "outages": self.outages}
        if key in tabs:
            self.lists.setCurrentWidget(tabs[key])

    def span(self) -> tuple[datetime, datetime]:
        """From when to when the figures are."""
        if self._shown is not None:
            figures = self._shown.figures
            return from_us(figures.start_us), from_us(figures.end_us)
        now = datetime.now(UTC)
        return now - timedelta(hours=int(self.span_box.currentData())), now

    def load(self) -> None:
        """Ask for the figures of the chosen position and span; answers to earlier questions are dropped."""
        self._asked += 1
        asked = self._asked
        self.refresh.setEnabled(False)
        self.place.tasks.start(self._fetch(asked), lambda error: self._on_failure(error, asked))

    def _load_other(self) -> None:
        """Figures of another position or span must not stand under the new one's name."""
        self.states.show_loading(say("Measuring the alarms …"))
        self.load()

    async def _fetch(self, asked: int) -> None:
        client = self.place.session.client
        hours, position = int(self.span_box.currentData()), self.position.currentData()
        positions, outages = await client.positions(), await client.outages()
        now = datetime.now(UTC)
        found = await client.alarm_performance(start=now - timedelta(hours=hours), end=now, position=position)
        if asked == self._asked:
            self._offer_positions(positions)
            self.outages.show_outages(outages)
            self.show_figures(found)

    def _offer_positions(self, positions: Sequence[http.Position]) -> None:
        chosen = self.position.currentData()
        self.position.clear()
        self.position.addItem(say("Whole factory"), None)
        for one in positions:
            self.position.addItem(one.content.name, one.id)
        self.position.setCurrentIndex(max(0, self.position.findData(chosen)))

    def show_figures(self, found: http.AlarmPerformance) -> None:
        """Show what was measured, or why nothing could be."""
        self._shown = found
        self.refresh.setEnabled(True)
        self.figures.show_figures(found)
        self.lists.show_figures(found)
        if is_nothing_judged(found.figures):
            self.states.show_empty(
                say("Nothing could be judged"),
                say("In all of this time nothing could be received: choose a longer one."),
            )
            return
        self.states.show_content()

    def _name_outages(self) -> None:
        title = tab_title(self.outages.table.rows())
        self.lists.setTabText(self.lists.indexOf(self.outages), title)

    def _make_room(self) -> None:
        """Proposals are tables of their own and take the place of the figures."""
        self.figures.setVisible(self.lists.currentWidget() is not self.mends)

    def _propose(self, alarm_ids: Sequence[str]) -> None:
        self.lists.setCurrentWidget(self.mends)
        self.mends.propose(alarm_ids)

    def _on_failure(self, error: FactoryOpsError, asked: int) -> None:
        if asked == self._asked:
            self.refresh.setEnabled(True)
            self.show_failure(error)
