"""The response sheet of an alarm: why it exists, what it means, what to do, and what happened to it so far."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops_app.dialog_tasks import DialogTasks
from factoryops_app.models.wording import event_name, priority_name
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import NOTHING, moment

_MOST_EVENTS = 100


class ResponseSheetDialog(QDialog):
    """Not modal to the plant: alarms go on behind it."""

    def __init__(self, place: Workplace, parent: QWidget, alarm: http.Alarm) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(False)
        self.setWindowTitle(say("What to do: {name}", name=alarm.rule_name))
        self._place = place
        self._alarm = alarm
        self._tasks = DialogTasks(place.tasks, self._on_error)
        self._sheet = QVBoxLayout()
        self._problem = plain_label(role="error", is_wrapped=True)
        self.events: DataTable[http.AlarmEvent] = DataTable(
            place.look, self._columns(), name="alarm-sheet-events", settings=place.settings, row_key=lambda one: one.id
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setText(say("Close"))
        buttons.rejected.connect(self.reject)
        px = place.look.px
        column = QVBoxLayout(self)
        column.addWidget(plain_label(f"{alarm.device_name or alarm.device_key}: {alarm.message}", role="section",
                                     is_wrapped=True))  # fmt: skip
        column.addLayout(self._sheet)
        column.addWidget(plain_label(say("What happened"), role="label"))
        column.addWidget(self.events, 1)
        column.addWidget(self._problem)
        column.addWidget(buttons)
        self.resize(px(760), px(620))
        self._tasks.start(self._load())

    def _columns(self) -> list[ColumnSpec[http.AlarmEvent]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("at", say("Time"), lambda one: one.at, lambda one: moment(one.at, zone), width=172),
            ColumnSpec("kind", say("What"), lambda one: event_name(one.kind), width=170),
            ColumnSpec("actor", say("By"), lambda one: one.actor or NOTHING, width=110),
            ColumnSpec("comment", say("Comment"), lambda one: one.comment or "", width=200, is_elastic=True),
        ]

    async def _load(self) -> None:
        client = self._place.session.client
        sheet = await client.response_sheet(self._alarm.id)
        page = await client.alarm_events(most=_MOST_EVENTS, alarm_id=self._alarm.id)
        for title, text in lines_of(sheet):
            self._sheet.addWidget(plain_label(title, role="label"))
            shown = plain_label(text, is_wrapped=True)
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._sheet.addWidget(shown)
        self.events.set_rows(page.events)

    def _on_error(self, error: FactoryOpsError) -> None:
        self._problem.setText(str(error))

    def done(self, result: int) -> None:
        """Nothing goes on behind a closed sheet."""
        self._tasks.end()
        super().done(result)


def lines_of(sheet: http.ResponseSheet) -> list[tuple[str, str]]:
    """Titles and texts of what was written down; what was not is left out, but for what to do."""
    minutes = f"{sheet.time_to_respond_s / 60:.3g}"
    lines = [
        (say("What to do"), sheet.action or say("No instruction was written for this rule.")),
        (say("Time to respond"), say("{count} min", count=minutes) if sheet.time_to_respond_s else ""),
        (say("What happens otherwise"), sheet.consequence),
        (say("Possible causes"), sheet.cause),
        (say("Priority"), " · ".join(part for part in (priority_name(sheet.priority), sheet.severity) if part)),
        (say("Owner"), sheet.owner),
    ]
    return [(title, text) for title, text in lines if text]
