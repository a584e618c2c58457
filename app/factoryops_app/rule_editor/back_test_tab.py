"""Trying the rule on recorded history, as it stands in the editor: nothing needs to be saved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from PySide6.QtCore import QDateTime, Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QDateTimeEdit,
    QHBoxLayout,
    QPushButton,
    QSplitter,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from factoryops.contracts import http
from factoryops_app.deciding_leaves import leaf_table
from factoryops_app.followed_run import FollowedRun
from factoryops_app.models.back_test import EpisodeRow, figure_sentences, span_names
from factoryops_app.models.rule_draft import RuleDraft
from factoryops_app.page import plain_label
from factoryops_app.rule_editor.back_test_incidents import IncidentsView
from factoryops_app.rule_editor.back_test_results import EpisodeTable, device_table
from factoryops_app.rule_editor.back_test_sweep import SweepView
from factoryops_app.rule_editor.back_test_trend import BackTestTrend
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.busy import BusyLine
from factoryops_widgets.formatting import number

_OWN: Final = 0
_FIRST_SPAN_H: Final = 24


class BackTestTab(QWidget):
    """Span and start on top; alarms, sweep, incidents and devices below, beside the curve.

    Args:
        draft: the rule as it stands in the editor.
        take: puts a changed draft into the editor.
    """

    def __init__(self, place: Workplace, draft: Callable[[], RuleDraft], take: Callable[[RuleDraft], object]) -> None:
        super().__init__()
        self._place = place
        self._draft = draft
        self.outcome: http.BackTestOutcome | None = None
        self._spans = QButtonGroup(self)
        self.begin, self.end = QDateTimeEdit(), QDateTimeEdit()
        self.start = QPushButton(say("Try it"))
        self.busy = BusyLine(place.look)
        self._followed = FollowedRun(place, self.busy)
        self.figures = plain_label(is_wrapped=True)
        self.trend = BackTestTrend(place)
        self.events = EpisodeTable(place)
        self.why = leaf_table(place, "back-test-why")
        self.devices = device_table(place)
        self.sweep = SweepView(place, draft, take)
        self.incidents = IncidentsView(place)
        self.results = QTabWidget()
        self.results.setProperty("role", "page")
        self._build()
        self._connect()

    def _build(self) -> None:
        px = self._place.look.px
        head = QHBoxLayout()
        head.setSpacing(px(4))
        for hours, words in {**span_names(), _OWN: say("own span")}.items():
            button = QToolButton()
            button.setText(words)
            button.setCheckable(True)
            button.setChecked(hours == _FIRST_SPAN_H)
            self._spans.addButton(button, hours)
            head.addWidget(button)
        for field, words in ((self.begin, say("From")), (self.end, say("To"))):
            field.setDisplayFormat("yyyy-MM-dd HH:mm")
            field.setAccessibleName(words)
            head.addWidget(field)
        self.start.setProperty("role", "primary")
        head.addWidget(self.start)
        head.addStretch(1)
        for widget, title in (
            (self.events, say("Alarms")), (self.why, say("Why it was raised")), (self.sweep, say("Sweep")),
            (self.incidents, say("Incidents")), (self.devices, say("Devices")),
        ):  # fmt: skip
            self.results.addTab(widget, title)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(px(8), 0, 0, 0)
        column.setSpacing(px(6))
        column.addWidget(self.figures)
        column.addWidget(self.trend, 1)
        both = QSplitter(Qt.Orientation.Horizontal)
        both.setChildrenCollapsible(False)
        both.addWidget(self.results)
        both.addWidget(right)
        both.setSizes([px(520), px(520)])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(2), px(8), px(2), px(2))
        layout.setSpacing(px(8))
        layout.addLayout(head)
        layout.addWidget(self.busy)
        layout.addWidget(both, 1)
        self._show_own()

    def _connect(self) -> None:
        self._spans.idClicked.connect(lambda _: self._show_own())
        self.start.clicked.connect(self.run_now)
        self.events.chosen.connect(self.trend.show_episode)
        self.events.chosen.connect(self._on_alarm)
        self.devices.selection_changed.connect(self._on_device)
        self.events.incident_wanted.connect(self.incidents.mark)
        self.incidents.changed.connect(self._on_incidents)

    # --- the span ----------------------------------------------------------------------------------------------------

    def choose_span(self, hours: int) -> None:
        """The last so many hours."""
        button = self._spans.button(hours)
        if button is not None:
            button.setChecked(True)
        self._show_own()

    def span(self) -> tuple[datetime, datetime]:
        """From when to when it is tried."""
        hours = self._spans.checkedId()
        if hours == _OWN:
            return self._moment(self.begin), self._moment(self.end)
        now = datetime.now(UTC)
        return now - timedelta(hours=hours), now

    def _moment(self, field: QDateTimeEdit) -> datetime:
        wall = field.dateTime()
        date, time = wall.date(), wall.time()
        local = datetime(date.year(), date.month(), date.day(), time.hour(), time.minute(),
                         tzinfo=self._place.look.zone)  # fmt: skip
        return local.astimezone(UTC)

    def _show_own(self) -> None:
        is_own = self._spans.checkedId() == _OWN
        if not is_own:
            zone = self._place.look.zone
            for field, at in zip((self.begin, self.end), self.span(), strict=True):
                local = at.astimezone(zone)
                field.setDateTime(QDateTime(local.year, local.month, local.day, local.hour, local.minute, 0))
        for field in (self.begin, self.end):
            field.setVisible(is_own)

    def show_buttons(self) -> None:
        """Enable what can be done now: a locked workstation starts and marks nothing."""
        self.start.setEnabled(not self._place.session.is_locked)
        self.events.show_buttons()
        self.incidents.show_buttons()

    # --- running -----------------------------------------------------------------------------------------------------

    def run_now(self) -> None:
        """Try the rule as it stands."""
        draft = self._draft()
        errors = draft.errors() | self.sweep.errors()
        if "name" in errors:
            draft = draft.with_(name=say("Unnamed rule"))
            errors = draft.errors() | self.sweep.errors()
        if errors:
            self.busy.finish(say("It cannot be tried yet: {reason}", reason=next(iter(errors.values()))))
            return
        begin, end = self.span()
        request = http.BackTestRequest.model_construct(
            rule=http.RuleContent.of(draft.definition()), start=begin, end=end, sweep=self.sweep.wanted(),
            rule_id=draft.rule_id,
        )  # fmt: skip
        session = self._place.session
        client = session.client

        async def ask(run_id: str) -> http.Run | None:
            found = await client.back_test(run_id)
            if found.outcome is None:
                return found.run
            self.show_outcome(found.outcome, draft)
            return None

        self._followed.follow(say("Trying it …"), lambda: session.change(client.start_back_test(request)), ask)

    async def run_and_wait(self) -> None:
        """Try the rule as it stands and wait for what comes of it."""
        self.run_now()
        await self._followed.wait()

    # --- showing -----------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Another rule is in the editor: what was tried before does not belong to it."""
        self._followed.give_up()
        self.outcome = None
        self.busy.finish()
        self.figures.setText("")
        self.events.show_events([])
        self.why.set_rows([])
        self.devices.set_rows([])
        self.sweep.show_trials([])
        self.incidents.show_outcome(None)
        self.trend.clear()

    def show_outcome(self, outcome: http.BackTestOutcome, draft: RuleDraft) -> None:
        """Show what it came to."""
        self.outcome = outcome
        self.busy.finish(say("Tried {samples} samples in {seconds} s.", samples=number(outcome.samples, 0),
                             seconds=number(outcome.took_s, 1)))  # fmt: skip
        self.figures.setText("\n".join(figure_sentences(outcome)))
        self.events.show_events(outcome.events)
        self.why.set_rows([])
        self.devices.set_rows(outcome.devices)
        self.sweep.show_trials(outcome.trials)
        self.incidents.show_outcome(outcome)
        self.trend.show_outcome(outcome, draft)

    def _on_alarm(self, row: EpisodeRow) -> None:
        self.why.set_rows(row.leaves)

    def _on_device(self) -> None:
        chosen = self.devices.selected_rows()
        if chosen:
            self.trend.show_device(chosen[0].device_key)

    def _on_incidents(self) -> None:
        """Hits and misses have changed: try it again where it was tried before."""
        if self.outcome is not None:
            self.run_now()
