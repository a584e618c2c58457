"""Everything that happened to alarms."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.conditions.checking import own_parameters
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.time import to_us
from factoryops_app.models.wording import event_name, priority_name
from factoryops_app.page import plain_label
from factoryops_app.workplace import PageKey, Target, Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import NOTHING, instant, moment, number

_PER_PAGE: Final = 200


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
            ColumnSpec("at", say("Time"), lambda one: one.at, lambda one: moment(one.at, zone), width=160,
                       tooltip=lambda one: instant(one.at, zone)),
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
