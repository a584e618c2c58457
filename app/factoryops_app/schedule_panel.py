"""What runs by itself, and when."""

from __future__ import annotations

from PySide6.QtCore import QTime
from PySide6.QtWidgets import QCheckBox, QFrame, QGridLayout, QLabel, QTimeEdit, QVBoxLayout

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.identity import Permission
from factoryops_app.models.wording import job_name
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.formatting import moment


class _Row:
    """The widgets of one schedule."""

    def __init__(self, panel: SchedulePanel, schedule: http.Schedule) -> None:
        self.kind = schedule.kind
        self.switch = QCheckBox(job_name(schedule.kind))
        self.time = QTimeEdit()
        self.time.setDisplayFormat("HH:mm")
        self.time.setAccessibleName(say("Local time"))
        self.time.setKeyboardTracking(False)
        self.next: QLabel = plain_label(role="secondary")
        self.switch.clicked.connect(lambda: panel.send(self))
        self.time.editingFinished.connect(lambda: panel.send(self))

    def wanted(self) -> http.ScheduleChange:
        """What the widgets say."""
        return http.ScheduleChange(is_enabled=self.switch.isChecked(), local_time=self.time.time().toString("HH:mm"))


class SchedulePanel(QFrame):
    """One line per kind of work: on or off, the local time, and when it runs next."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self._place = place
        self._rows: dict[http.JobKind, _Row] = {}
        self._held: dict[http.JobKind, http.Schedule] = {}
        px = place.look.px
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(px(12))
        self._grid.setColumnStretch(2, 1)
        self._note = plain_label(role="error", is_wrapped=True)
        self._note.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(12), px(16), px(16))
        column.setSpacing(px(8))
        column.addWidget(plain_label(say("Runs by itself"), role="section"))
        zone = place.look.zone.key
        column.addWidget(plain_label(say("Daily, at local time of the factory ({zone})", zone=zone), role="secondary"))
        column.addLayout(self._grid)
        column.addWidget(self._note)

    def load(self) -> None:
        """Ask for the schedules."""
        self._place.tasks.start(self._fetch(), self._on_error)

    async def _fetch(self) -> None:
        schedules = await self._place.session.client.schedules()
        self._note.hide()
        for schedule in schedules:
            self._show(schedule)

    def _show(self, schedule: http.Schedule) -> None:
        row = self._rows.get(schedule.kind)
        if row is None:
            row = self._rows[schedule.kind] = _Row(self, schedule)
            place = len(self._rows) - 1
            for column, widget in enumerate((row.switch, row.time, row.next)):
                self._grid.addWidget(widget, place, column)
        self._held[schedule.kind] = schedule
        may = self._place.session.may(Permission.EDIT_RULES)
        row.switch.setChecked(schedule.is_enabled)
        row.time.setTime(QTime.fromString(schedule.local_time, "HH:mm"))
        row.switch.setEnabled(may)
        row.time.setEnabled(may and schedule.is_enabled)
        is_due = schedule.is_enabled and schedule.next_slot is not None
        row.next.setText(
            say("next {time}", time=moment(schedule.next_slot, self._place.look.zone)[:-3]) if is_due else ""
        )

    def send(self, row: _Row) -> None:
        """Tell the service, when something is different."""
        held, wanted = self._held[row.kind], row.wanted()
        if (held.is_enabled, held.local_time) != (wanted.is_enabled, wanted.local_time):
            self._place.tasks.start(self._change(row.kind, wanted), self._on_error)

    async def _change(self, kind: http.JobKind, wanted: http.ScheduleChange) -> None:
        session = self._place.session
        self._show(await session.change(session.client.change_schedule(kind, wanted)))

    def _on_error(self, error: FactoryOpsError) -> None:
        self._note.setText(str(error))
        self._note.show()
        for schedule in list(self._held.values()):
            self._show(schedule)
