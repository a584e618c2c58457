"""Putting alarms aside that are in no list: before work that is known to raise them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.alarm_classes import DEFAULT_PHILOSOPHY
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.identity import Permission
from factoryops.domain.system_alarms import SERVICE_KIND
from factoryops_app.alarm_dialogs import ShelveDialog, TakeOutDialog
from factoryops_app.dialog_tasks import DialogTasks
from factoryops_app.models.foreseen import ForeseenAlarm, foreseen, why_not_shelved
from factoryops_app.models.plant import device_title
from factoryops_app.models.site import fetch_philosophy
from factoryops_app.models.wording import priority_name
from factoryops_app.page import plain_label
from factoryops_app.rule_editor.choices import ChoiceBox
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.form import Form


class PutAsideDialog(QDialog):
    """A device, the alarms it can raise, and the two ways to put the chosen ones aside."""

    def __init__(self, place: Workplace, parent: QWidget, device_id: str = "") -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(say("Put alarms aside beforehand"))
        self._place = place
        self._tasks = DialogTasks(place.tasks, self._on_error)
        self._philosophy = DEFAULT_PHILOSOPHY
        self._fault = ""
        self._is_busy = False
        devices = (one for one in place.session.plant.devices if one.kind != SERVICE_KIND)
        self.device = ChoiceBox({one.id: device_title(one) for one in devices})
        self.table: DataTable[ForeseenAlarm] = DataTable(
            place.look, _columns(), name="foreseen", settings=place.settings, row_key=lambda one: one.rule.id
        )
        self._problem = plain_label(role="error", is_wrapped=True)
        self.shelve = QPushButton(say("Shelve …"))
        self.take_out = QPushButton(say("Out of service …"))
        self.cancel = QPushButton(say("Cancel"))
        self._build()
        self._connect()
        if place.session.plant.device(device_id) is not None:
            self.device.choose(device_id)
        self._show_device()
        self._tasks.start(self._fetch_classes())

    def _build(self) -> None:
        px = self._place.look.px
        form = Form(self._place.look)
        form.add_row("device", say("&Device"), self.device)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.shelve, self.take_out, self.cancel):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setSpacing(px(8))
        explanation = say("Before work on a device: choose the alarms it will raise, whether they ever were or not.")
        column.addWidget(plain_label(explanation, role="secondary", is_wrapped=True))
        column.addWidget(form)
        column.addWidget(self.table, 1)
        column.addWidget(self._problem)
        column.addLayout(buttons)
        self.resize(px(760), px(480))

    def _connect(self) -> None:
        self.device.activated.connect(lambda _: self._show_device())
        self.table.selection_changed.connect(self._show_buttons)
        self.shelve.clicked.connect(lambda: self._begin(ShelveDialog))
        self.take_out.clicked.connect(lambda: self._begin(TakeOutDialog))
        self.cancel.clicked.connect(self.reject)

    @property
    def remark(self) -> str:
        """Why something cannot be done."""
        return self._problem.text()

    async def _fetch_classes(self) -> None:
        self._philosophy = await fetch_philosophy(self._place.session.client)
        self._show_alarms()

    def _chosen_device(self) -> http.Device | None:
        return self._place.session.plant.device(self.device.value)

    def _show_device(self) -> None:
        """Another device: nothing of it is chosen yet."""
        self.table.clear_selection()
        self._fault = ""
        self._show_alarms()

    def _show_alarms(self) -> None:
        device, session = self._chosen_device(), self._place.session
        if device is not None:
            known = session.alarms.by_rule(device.id)
            self.table.set_rows(foreseen(session.plant.rules, device, self._philosophy, known))
        self._show_buttons()

    def _show_buttons(self) -> None:
        may, chosen = self._place.session.may, self.table.selected_rows()
        is_ready = bool(chosen) and not self._is_busy
        hindrance = why_not_shelved(chosen)
        self.shelve.setEnabled(is_ready and may(Permission.SHELVE) and not hindrance)
        self.take_out.setEnabled(is_ready and may(Permission.OUT_OF_SERVICE))
        nothing = "" if self.table.rows() else say("No live rule watches this device.")
        self._problem.setText(self._fault or hindrance or nothing)
        self._problem.setVisible(bool(self._problem.text()))

    def _begin(self, make: type[ShelveDialog | TakeOutDialog]) -> None:
        device, chosen = self._chosen_device(), self.table.selected_rows()
        if device is None or not chosen or self._is_busy:
            return
        self._is_busy, self._fault = True, ""
        self._show_buttons()
        self._tasks.start(self._prepare(make, device.id, [one.rule.id for one in chosen]))

    async def _prepare(self, make: type[ShelveDialog | TakeOutDialog], device_id: str, rule_ids: list[str]) -> None:
        """Have the alarms there, then ask for how long and why as for any other."""
        session = self._place.session
        prepared = [await session.change(session.client.prepare_alarms(one, [device_id])) for one in rule_ids]
        alarms = [alarm for some in prepared for alarm in some]
        self._is_busy = False
        self._show_buttons()
        dialog = make(self._place, self, alarms)
        dialog.accepted.connect(lambda: self._on_done(len(alarms)))
        dialog.open()

    def _on_done(self, count: int) -> None:
        self._place.navigator.say_briefly(say("Put aside: {count}.", count=count))
        self.accept()

    def done(self, result: int) -> None:
        """What is still asked for is not needed any more."""
        self._tasks.end()
        super().done(result)

    def _on_error(self, error: FactoryOpsError) -> None:
        self._is_busy, self._fault = False, str(error)
        self._show_buttons()


def _columns() -> list[ColumnSpec[ForeseenAlarm]]:
    return [
        ColumnSpec("priority", say("Priority"), lambda one: int(one.rule.content.priority),
                   lambda one: priority_name(one.rule.content.priority), width=90),
        ColumnSpec("name", say("Alarm"), lambda one: one.rule.content.name, width=200, is_elastic=True),
        ColumnSpec("class", say("Class"), lambda one: one.of_class.name, width=110),
        ColumnSpec("shelving", say("May be shelved"), lambda one: one.shelving_words, width=130),
        ColumnSpec("state", say("State"), lambda one: one.state_words, width=150),
    ]  # fmt: skip
