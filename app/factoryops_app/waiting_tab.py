"""Devices that publish and are not taken up yet: accept one, decline one, or let the factory take them up by itself."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QPushButton, QSplitter, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.identity import Permission
from factoryops.domain.naming import readable_name
from factoryops_app.page import plain_label
from factoryops_app.payload_view import PayloadView
from factoryops_app.plant_dialogs import PlantDialog
from factoryops_app.replay_dialog import ReplayDialog
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import moment
from factoryops_widgets.state_view import StateView


class WaitingTab(QWidget):
    """The list, with the newest message of the chosen device."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._automatic = QCheckBox(say("Take up unknown devices of this factory's publishers by themselves"))
        self._accept = QPushButton(say("Take up …"))
        self._accept.setProperty("role", "primary")
        self._decline = QPushButton(say("Decline for 7 days"))
        self._note = plain_label(role="secondary", is_wrapped=True)
        self.table: DataTable[http.WaitingDevice] = DataTable(
            place.look, self._columns(), name="waiting-devices", settings=place.settings, row_key=lambda one: one.key
        )
        self.payload = PayloadView(place)
        content = QWidget()
        self.states = StateView(place.look, content)
        self._build(content)
        self._connect()
        self.states.show_loading(say("Asking for waiting devices …"))

    def _columns(self) -> list[ColumnSpec[http.WaitingDevice]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("key", say("Key"), lambda one: one.key, width=110, is_elastic=True),
            ColumnSpec("client", say("Client"), lambda one: one.client, width=110),
            ColumnSpec("count", say("Messages"), lambda one: one.count, is_number=True, width=90),
            ColumnSpec("first", say("First"), lambda one: one.first_at, lambda one: moment(one.first_at, zone),
                       width=160),
            ColumnSpec("last", say("Last"), lambda one: one.last_at, lambda one: moment(one.last_at, zone),
                       width=160),
        ]  # fmt: skip

    def _build(self, content: QWidget) -> None:
        px = self._place.look.px
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.table)
        splitter.addWidget(self.payload)
        splitter.setSizes([px(740), px(440)])
        buttons = QHBoxLayout()
        for button in (self._accept, self._decline):
            buttons.addWidget(button)
        buttons.addWidget(self._note, 1)
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(splitter, 1)
        inner.addLayout(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, px(8), 0, 0)
        layout.setSpacing(px(8))
        layout.addWidget(self._automatic)
        layout.addWidget(self.states, 1)

    def _connect(self) -> None:
        self._automatic.clicked.connect(self._on_automatic)
        self._accept.clicked.connect(self.accept_chosen)
        self._decline.clicked.connect(self._on_decline)
        self.table.selection_changed.connect(self._show_chosen)
        self.table.row_activated.connect(lambda _: self.accept_chosen())
        self.states.retry_requested.connect(self.load)

    def load(self) -> None:
        """Ask for the setting and the list."""
        session = self._place.session
        self._automatic.setEnabled(session.may(Permission.EDIT_PLANT))
        self._place.tasks.start(self._fetch_setting(), self._on_error)
        if session.may(Permission.SEE_QUARANTINE):
            self._place.tasks.start(self._fetch(), self._on_error)
        else:
            self.states.show_no_permission(say("Your role may not see waiting devices; a supervisor may."))

    async def _fetch_setting(self) -> None:
        self._automatic.setChecked((await self._place.session.client.factory_settings()).adopts_automatically)

    async def _fetch(self) -> None:
        devices = await self._place.session.client.waiting_devices()
        self.table.set_rows(devices)
        if not devices:
            self.states.show_empty(
                say("No device waits"),
                say("A device that publishes and is not taken up yet appears here with its first message."),
            )
            return
        self.states.show_content()
        if not self.table.selected_rows():
            self.table.select(devices[0].key)
        self._show_chosen()

    def _chosen(self) -> http.WaitingDevice | None:
        rows = self.table.selected_rows()
        return rows[0] if rows else None

    def _show_chosen(self) -> None:
        chosen = self._chosen()
        may = self._place.session.may(Permission.EDIT_PLANT)
        for button in (self._accept, self._decline):
            button.setEnabled(may and chosen is not None)
        self._note.setText("" if may else say("Your role may look at waiting devices; an administrator takes them up."))
        self.payload.show_message(chosen.example if chosen is not None else None)

    def _on_automatic(self) -> None:
        change = http.FactoryChange(adopts_automatically=self._automatic.isChecked())
        self._place.tasks.start(self._change(change), self._on_error)

    async def _change(self, change: http.FactoryChange) -> None:
        session = self._place.session
        changed = await session.change(session.client.change_factory(change))
        self._automatic.setChecked(changed.adopts_automatically)

    def accept_chosen(self) -> None:
        """Ask for the name and place of the chosen device, take it up, and offer what it sent before."""
        chosen = self._chosen()
        if chosen is not None and self._place.session.may(Permission.EDIT_PLANT):
            dialog = AcceptDialog(self._place, self, chosen)
            dialog.accepted.connect(lambda: self._on_accepted(chosen))
            dialog.open()

    def _on_accepted(self, device: http.WaitingDevice) -> None:
        self._place.navigator.say_briefly(say("Taken up: {name}.", name=device.key))
        self.load()
        choice = http.QuarantineChoice(reason="unknown_device", origin=device.key)
        dialog = ReplayDialog(self._place, self, choice)
        dialog.open()

    def _on_decline(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            self._place.tasks.start(self._refuse(chosen.key), self._on_error)

    async def _refuse(self, key: str) -> None:
        await self._place.session.client.decline_device(key)
        self._place.navigator.say_briefly(say("{name} is not offered for 7 days.", name=key))
        await self._fetch()

    def _on_error(self, error: FactoryOpsError) -> None:
        if self.states.is_content_shown:
            self._note.setText(str(error))
        else:
            self.states.show_error(str(error))
        self._place.tasks.start(self._fetch_setting(), lambda _: None)


class AcceptDialog(PlantDialog):
    """What people call a device, and where it stands."""

    def __init__(self, place: Workplace, parent: QWidget, device: http.WaitingDevice) -> None:
        super().__init__(place, parent, say("Take up {key}", key=device.key))
        self._device = device
        titles = {"name": say("Name"), "kind": say("Kind"), "area": say("Area"), "line": say("Line")}
        self.fields = {key: QLineEdit(readable_name(device.key) if key == "name" else "") for key in titles}
        for key, title in titles.items():
            self.fields[key].setMaxLength(50 if key == "kind" else 100)
            self.form.add_row(key, title, self.fields[key])
        self.fields["name"].setFocus(Qt.FocusReason.OtherFocusReason)

    def save(self) -> None:
        """Take the device up."""
        texts = {key: field.text().strip() for key, field in self.fields.items()}
        acceptance = http.DeviceAcceptance.model_validate({"key": self._device.key, **texts})
        self.send(self.place.session.client.accept_device(acceptance))
