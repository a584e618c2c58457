"""The response sheet of an alarm: why it exists, what it means, what to do, and what happened to it so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTabWidget, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError, NotFoundError
from factoryops.domain.time import to_us
from factoryops_app.deciding_leaves import leaf_table
from factoryops_app.dialog_tasks import DialogTasks
from factoryops_app.models.wording import delivery_state_name, event_name, priority_name
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import NOTHING, clock_time, moment

Row = TypeVar("Row")
_MOST: Final = 100


class ResponseSheetDialog(QDialog):
    """Not modal to the plant: alarms go on behind it.

    Attributes:
        events / why / told: what happened to the alarm, what its newest raise was decided by, and who was told.
    """

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
        self._why_note = plain_label(role="secondary", is_wrapped=True)
        self.events = self._table("alarm-sheet-events", self._event_columns(), lambda one: one.id)
        self.why = leaf_table(place, "alarm-sheet-why")
        self.told = self._table("alarm-sheet-told", self._told_columns(), lambda one: one.id)
        px = place.look.px
        column = QVBoxLayout(self)
        column.addWidget(plain_label(f"{alarm.device_name or alarm.device_key}: {alarm.message}", role="section",
                                     is_wrapped=True))  # fmt: skip
        column.addWidget(self._tabs(), 1)
        column.addWidget(self._problem)
        column.addWidget(self._close_button())
        self.resize(px(820), px(560))
        for part in (self._load_sheet(), self._load_why(), self._load_events(), self._load_told()):
            self._tasks.start(part)

    def _tabs(self) -> QTabWidget:
        sheet, why = QWidget(), QWidget()
        self._sheet.addStretch(1)
        sheet.setLayout(self._sheet)
        beside = QVBoxLayout(why)
        beside.addWidget(self.why, 1)
        beside.addWidget(self._why_note)
        tabs = QTabWidget()
        tabs.addTab(sheet, say("What to do"))
        tabs.addTab(why, say("Why it was raised"))
        tabs.addTab(self.events, say("What happened"))
        tabs.addTab(self.told, say("Who was told"))
        return tabs

    def _close_button(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setText(say("Close"))
        buttons.rejected.connect(self.reject)
        return buttons

    def _table(self, name: str, columns: list[ColumnSpec[Row]], key: Callable[[Row], str]) -> DataTable[Row]:
        return DataTable(self._place.look, columns, name=name, settings=self._place.settings, row_key=key)

    def _event_columns(self) -> list[ColumnSpec[http.AlarmEvent]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("at", say("Time"), lambda one: one.at, lambda one: moment(one.at, zone), width=172),
            ColumnSpec("kind", say("What"), lambda one: event_name(one.kind), width=170),
            ColumnSpec("actor", say("By"), lambda one: one.actor or NOTHING, width=110),
            ColumnSpec("comment", say("Comment"), lambda one: one.comment or "", width=200, is_elastic=True),
        ]

    def _told_columns(self) -> list[ColumnSpec[http.Delivery]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("at", say("Time"), lambda one: one.created_at, lambda one: moment(one.created_at, zone),
                       width=172),
            ColumnSpec("recipient", say("To"), lambda one: one.recipient, width=130),
            ColumnSpec("channel", say("By"), lambda one: f"{one.channel.value} {one.address}".strip(), width=170),
            ColumnSpec("state", say("State"), lambda one: delivery_state_name(one.state), width=110),
            ColumnSpec("reason", say("Reason"), lambda one: one.reason, width=200, is_elastic=True),
        ]  # fmt: skip

    async def _load_sheet(self) -> None:
        sheet = await self._place.session.client.response_sheet(self._alarm.id)
        for place, (title, text) in enumerate(lines_of(sheet)):
            shown = plain_label(text, is_wrapped=True)
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._sheet.insertWidget(2 * place, plain_label(title, role="label"))
            self._sheet.insertWidget(2 * place + 1, shown)

    async def _load_why(self) -> None:
        if not self._alarm.annunciation:
            return
        try:
            why = await self._place.session.client.alarm_why(self._alarm.id, self._alarm.annunciation)
        except NotFoundError as error:
            self._why_note.setText(str(error))
            return
        self.why.set_rows(why.leaves)
        zone = self._place.look.zone
        turned = say("The condition turned true at {time}.", time=clock_time(to_us(why.at), zone, with_date=True))
        self._why_note.setText(turned if why.is_whole else f"{turned} {say('There were more parts and samples.')}")

    async def _load_events(self) -> None:
        page = await self._place.session.client.alarm_events(most=_MOST, alarm_id=self._alarm.id)
        self.events.set_rows(page.events)

    async def _load_told(self) -> None:
        page = await self._place.session.client.deliveries(most=_MOST, alarm_id=self._alarm.id)
        self.told.set_rows(page.deliveries)

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
