"""Marked incidents: what a rule should have seen, and whether it would have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.identity import Permission
from factoryops_app.models.back_test import EpisodeRow
from factoryops_app.models.typed import typed_moment
from factoryops_app.page import plain_label
from factoryops_app.rule_editor.choices import DeviceBox
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import moment

_SHORTEST_S = 60


class IncidentsView(QWidget):
    """The incidents of the span that was tried, and a line to mark another.

    Attributes:
        changed: one was marked or a mark was taken away.
    """

    changed = Signal()

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        zone = place.look.zone
        columns: list[ColumnSpec[http.BackTestIncident]] = [
            ColumnSpec("start", say("From"), lambda one: one.start, lambda one: moment(one.start, zone), width=150),
            ColumnSpec("end", say("To"), lambda one: one.end, lambda one: moment(one.end, zone), width=150),
            ColumnSpec("seen", say("Seen"), lambda one: one.seen_at,
                       lambda one: say("missed") if one.seen_at is None else moment(one.seen_at, zone), width=150),
            ColumnSpec("note", say("Note"), lambda one: one.note, width=120, is_elastic=True),
        ]  # fmt: skip
        self.table: DataTable[http.BackTestIncident] = DataTable(
            place.look, columns, name="back-test-incidents", settings=place.settings,
            row_key=lambda one: one.incident_id,
        )  # fmt: skip
        self.begin, self.end, self.note = QLineEdit(), QLineEdit(), QLineEdit()
        self.device = DeviceBox(place.session.plant, nothing=say("whole factory"))
        self.add = QPushButton(place.look.icon("add"), say("Mark"))
        self.remove = QPushButton(place.look.icon("remove"), say("Take the mark away"))
        self._problem = plain_label(role="error", is_wrapped=True)
        self._build()
        self.add.clicked.connect(self._on_add)
        self.remove.clicked.connect(self._on_remove)
        self.table.selection_changed.connect(self.show_buttons)
        self.show_buttons()

    def _build(self) -> None:
        px = self._place.look.px
        line = QHBoxLayout()
        line.setSpacing(px(6))
        for field, words, share in (
            (self.begin, say("From, such as 2026-03-31 14:30"), 2), (self.end, say("To"), 2),
            (self.device, say("Device"), 1), (self.note, say("What happened"), 2),
        ):  # fmt: skip
            field.setAccessibleName(words)
            if isinstance(field, QLineEdit):
                field.setPlaceholderText(words)
                field.setToolTip(words)
            line.addWidget(field, share)
        line.addWidget(self.add)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, px(8), 0, 0)
        column.setSpacing(px(6))
        column.addLayout(line)
        column.addWidget(self._problem)
        column.addWidget(self.table, 1)
        self.table.add_tool(self.remove)
        self._problem.hide()

    def show_outcome(self, outcome: http.BackTestOutcome | None) -> None:
        """Show how the incidents of the span fared."""
        self.table.set_rows(outcome.incidents if outcome is not None else [])
        self.show_buttons()

    def mark(self, row: EpisodeRow) -> None:
        """Mark the time of an alarm as an incident."""
        end = row.cleared_at or row.raised_at + timedelta(seconds=_SHORTEST_S)
        self._send(row.raised_at, end, [row.device_key], "")

    def _on_add(self) -> None:
        zone = self._place.look.zone
        begin, end = typed_moment(self.begin.text(), zone), typed_moment(self.end.text(), zone)
        if begin is None or end is None:
            self._complain(say("Write both moments as 2026-03-31 14:30."))
            return
        devices = [self.device.value] if self.device.value else []
        self._send(begin.astimezone(UTC), end.astimezone(UTC), devices, self.note.text().strip())

    def _send(self, begin: datetime, end: datetime, devices: list[str], note: str) -> None:
        if end < begin:
            self._complain(say("An incident ends after it begins."))
            return
        content = http.IncidentContent(start=begin, end=end, device_keys=devices, note=note)
        self._place.tasks.start(self._marked(content), self._on_failure)

    async def _marked(self, content: http.IncidentContent) -> None:
        session = self._place.session
        await session.change(session.client.mark_incident(content))
        self._complain("")
        self.note.clear()
        self._place.navigator.say_briefly(say("The incident is marked."))
        self.changed.emit()

    def _on_remove(self) -> None:
        for one in self.table.selected_rows():
            self._place.tasks.start(self._removed(one.incident_id), self._on_failure)

    async def _removed(self, identity: str) -> None:
        session = self._place.session
        await session.change(session.client.delete_incident(identity))
        self.changed.emit()

    def _on_failure(self, error: FactoryOpsError) -> None:
        self._complain(str(error))

    @property
    def complaint(self) -> str:
        """Why nothing was marked."""
        return self._problem.text()

    def _complain(self, sentence: str) -> None:
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))

    def show_buttons(self) -> None:
        """Enable what can be done now."""
        may = self._place.session.may(Permission.EDIT_RULES)
        self.add.setEnabled(may)
        self.remove.setEnabled(may and bool(self.table.selected_rows()))
