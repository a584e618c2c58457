"""Active alarms with acknowledge, and the history of everything that happened to alarms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSplitter, QTabWidget, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.alarms import AlarmState
from factoryops.domain.conditions.checking import own_parameters
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.identity import Permission
from factoryops.domain.time import to_us
from factoryops_app.alarm_detail import AlarmDetail
from factoryops_app.alarm_lines import alarm_line
from factoryops_app.models.alarms import answer_to
from factoryops_app.models.wording import event_name, priority_name
from factoryops_app.page import Page, plain_label
from factoryops_app.workplace import PageKey, Target, Workplace
from factoryops_resources.words import say
from factoryops_widgets.alarm_table import AlarmLine, AlarmTable
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import NOTHING, moment, number

_PER_PAGE: Final = 200


class AlarmsPage(Page):
    """Tabs: what is active now, and what happened."""

    key = PageKey.ALARMS

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, say("Alarms"))
        self._tabs = QTabWidget()
        self._active = _ActiveTab(self)
        self._history = AlarmHistory(place)
        self._tabs.addTab(self._active, say("Active"))
        self._tabs.addTab(self._history, say("History"))
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._tabs)
        self._tabs.currentChanged.connect(self._on_tab)
        self.states.show_loading(say("Asking for the alarms …"))

    @property
    def table(self) -> AlarmTable:
        """The active alarms."""
        return self._active.table

    @property
    def history(self) -> AlarmHistory:
        """The events."""
        return self._history

    def enter(self, target: Target) -> None:
        """Show what is active; an alarm in `target` is chosen."""
        super().enter(target)
        self.listen(self.place.session.alarms.changed, self._show)
        self._show()
        self._on_tab()
        if target.ids:
            self._tabs.setCurrentIndex(0)
            self._active.select(target.ids[0])

    def show_history(self) -> None:
        """Bring the history to the front."""
        self._tabs.setCurrentIndex(1)

    def acknowledge_selection(self) -> None:
        """Acknowledge the chosen alarms."""
        self._active.acknowledge_selected()

    def _show(self) -> None:
        alarms = self.place.session.alarms
        if not alarms.is_known:
            return
        active = alarms.active
        self._tabs.setTabText(0, say("Active ({count})", count=len(active)))
        self._active.show_lines([alarm_line(alarm, self.place.session.plant) for alarm in active])
        self.states.show_content()

    def _on_tab(self) -> None:
        if self._tabs.currentWidget() is self._history:
            self._history.load()


class _ActiveTab(QWidget):
    """The table of active alarms, its buttons, and the chosen alarm in full."""

    def __init__(self, page: AlarmsPage) -> None:
        super().__init__()
        self._page = page
        place = page.place
        self.table = AlarmTable(place.look, place.clock, place.settings)
        self._detail = AlarmDetail(place)
        self._comment = QLineEdit()
        self._comment.setPlaceholderText(say("Comment (optional)"))
        self._comment.setAccessibleName(say("Comment of the acknowledgement"))
        self._comment.setMaxLength(1_000)
        self._selected = QPushButton(place.look.icon("acknowledge"), say("Acknowledge selected (F6)"))
        self._visible = QPushButton(place.look.icon("acknowledge_all"), say("Acknowledge all visible"))
        self._empty = plain_label(say("No alarm is active. This is the normal state."), role="secondary")
        self._build(place)
        self.table.selection_changed.connect(self._on_selection)
        self.table.acknowledge_requested.connect(self._on_requested)
        self.table.activated.connect(self._on_activated)
        self._selected.clicked.connect(self.acknowledge_selected)
        self._visible.clicked.connect(self._acknowledge_visible)

    def _build(self, place: Workplace) -> None:
        px = place.look.px
        buttons = QHBoxLayout()
        buttons.addWidget(self._selected)
        buttons.addWidget(self._visible)
        buttons.addWidget(self._comment, 1)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.table)
        splitter.addWidget(self._detail)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([px(420), px(230)])
        column = QVBoxLayout(self)
        column.setContentsMargins(px(8), px(8), px(8), px(8))
        column.setSpacing(px(8))
        column.addLayout(buttons)
        column.addWidget(self._empty)
        column.addWidget(splitter, 1)

    def show_lines(self, lines: Sequence[AlarmLine]) -> None:
        """Show these alarms."""
        self.table.set_lines(lines)
        self._empty.setVisible(not lines)
        if lines and not self.table.selected():
            self.table.select(lines[0].id)
        self._on_selection()

    def select(self, alarm_id: str) -> None:
        """Choose an alarm and show it in full."""
        self.table.select(alarm_id)
        self._detail.show_alarm(self._page.place.session.alarms.get(alarm_id))

    def acknowledge_selected(self) -> None:
        """Acknowledge the chosen rows."""
        self._acknowledge([line.id for line in self.table.selected()])

    def _acknowledge_visible(self) -> None:
        self._acknowledge([line.id for line in self.table.visible_lines()])

    def _on_requested(self, _ids: list[str]) -> None:
        self.acknowledge_selected()

    def _acknowledge(self, ids: Sequence[str]) -> None:
        place = self._page.place
        held = [place.session.alarms.get(identity) for identity in ids]
        request = answer_to([alarm for alarm in held if alarm is not None], self._comment.text())
        if request is None:
            place.navigator.say_briefly(say("Choose an alarm that waits for an acknowledgement."))
            return
        place.tasks.start(self._send(request), self._page.mention)

    async def _send(self, request: http.AcknowledgeRequest) -> None:
        place = self._page.place
        await place.session.acknowledge(request)
        self._comment.clear()
        place.navigator.say_briefly(say("Acknowledged: {count}.", count=len(request.items)))

    def _on_selection(self) -> None:
        place = self._page.place
        lines = self.table.selected()
        self._detail.show_alarm(place.session.alarms.get(lines[0].id) if lines else None)
        may = place.session.may(Permission.ACKNOWLEDGE)
        waits = any(line.state in (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED) for line in lines)
        self._selected.setEnabled(may and waits)
        self._visible.setEnabled(may and bool(place.session.alarms.unanswered()))
        self._comment.setEnabled(may)
        if not may:
            self._selected.setToolTip(say("Your role does not permit acknowledging."))

    def _on_activated(self, alarm_id: str) -> None:
        self._detail.show_alarm(self._page.place.session.alarms.get(alarm_id))
        self._detail.show_trend()


class AlarmHistory(QWidget):
    """Everything that happened to alarms, newest first, page by page."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._events: list[http.AlarmEvent] = []
        self._next_before: str | None = None
        self.table: DataTable[http.AlarmEvent] = DataTable(
            place.look, self._columns(), name="alarm-events", settings=place.settings, row_key=lambda event: event.id
        )
        self._note = plain_label(role="secondary")
        self._older = QPushButton(say("Load older"))
        self._again = QPushButton(place.look.icon("refresh"), say("Refresh"))
        row = QHBoxLayout()
        row.addWidget(self._again)
        row.addWidget(self._older)
        row.addWidget(self._note, 1)
        px = place.look.px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(8), px(8), px(8), px(8))
        column.addWidget(self.table, 1)
        column.addLayout(row)
        self._older.clicked.connect(self._on_older)
        self._again.clicked.connect(self.load)
        self.table.row_activated.connect(self._on_activated)

    def _columns(self) -> list[ColumnSpec[http.AlarmEvent]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("at", say("Time"), lambda one: one.at, lambda one: moment(one.at, zone), width=160),
            ColumnSpec("kind", say("What"), lambda one: event_name(one.kind), width=150),
            ColumnSpec("priority", say("Priority"), lambda one: int(one.priority),
                       lambda one: priority_name(one.priority), width=90),
            ColumnSpec("device", say("Device"), lambda one: one.device_name, width=160),
            ColumnSpec("rule", say("Alarm"), lambda one: one.rule_name, width=200, is_elastic=True),
            ColumnSpec("value", say("Value"), lambda one: one.value, lambda one: number(one.value, 2),
                       is_number=True, width=90),
            ColumnSpec("actor", say("By"), lambda one: one.actor or NOTHING, width=120),
            ColumnSpec("comment", say("Comment"), lambda one: one.comment or "", width=220),
        ]  # fmt: skip

    def load(self) -> None:
        """Ask for the newest events."""
        self._place.tasks.start(self._fetch(None), self._on_error)

    def _on_older(self) -> None:
        if self._next_before is not None:
            self._place.tasks.start(self._fetch(self._next_before), self._on_error)

    async def _fetch(self, before: str | None) -> None:
        page = await self._place.session.client.alarm_events(before=before, most=_PER_PAGE)
        self._events = page.events if before is None else self._events + page.events
        self._next_before = page.next_before
        self.table.set_rows(self._events)
        self._older.setEnabled(page.next_before is not None)
        more = say("older ones can be loaded") if page.next_before else say("that is all there is")
        self._note.setText(say("{count} events; {more}", count=len(self._events), more=more))

    def _on_error(self, error: FactoryOpsError) -> None:
        self._note.setText(str(error))

    def _on_activated(self, event: http.AlarmEvent) -> None:
        """Show the trend at that time, where the parameter is still known."""
        ids: tuple[str, ...] = ()
        alarm = self._place.session.alarms.get(event.alarm_id)
        rule = next((one for one in self._place.session.plant.rules if one.content.name == event.rule_name), None)
        if alarm is not None:
            measured = self._place.session.plant.of_series(alarm.series_id)
            ids = (measured.parameter.id,) if measured is not None else ids
        elif rule is not None:
            watched = own_parameters(rule.content.condition)
            ids = tuple(
                one.parameter.id
                for one in self._place.session.plant.parameters
                if one.parameter.key in watched and one.device_title == event.device_name
            )
        at_us = to_us(event.at)
        self._place.navigator.go(PageKey.TRENDS, Target(ids=ids, at_us=at_us))
