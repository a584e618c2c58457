"""What devices, gateways and tools log in with: make, rotate, revoke; a secret is shown once."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.credentials import CredentialKind
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.identity import Permission
from factoryops_app.credential_dialogs import CreateCredentialDialog, RotateDialog, SecretDialog, kind_name
from factoryops_app.page import plain_label
from factoryops_app.question import ask_first
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import NOTHING, moment
from factoryops_widgets.state_view import StateView


class CredentialsTab(QWidget):
    """The list, and what can be done to the chosen one."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self.create_button = QPushButton(say("New credential …"))
        self.create_button.setProperty("role", "primary")
        self.rotate_button = QPushButton(say("New password …"))
        self.settle_button = QPushButton(say("End the old password"))
        self.revoke_button = QPushButton(place.look.icon("remove"), say("Revoke …"))
        self.note = plain_label(role="secondary", is_wrapped=True)
        self.table: DataTable[http.Credential] = DataTable(
            place.look, self._columns(), name="credentials", settings=place.settings, row_key=lambda one: one.id
        )
        content = QWidget()
        self.states = StateView(place.look, content)
        self._build(content)
        self._connect()
        self.states.show_loading(say("Asking for the credentials …"))

    def _columns(self) -> list[ColumnSpec[http.Credential]]:
        return [
            ColumnSpec("username", say("User name"), lambda one: one.username, width=170, is_elastic=True),
            ColumnSpec("kind", say("For"), lambda one: kind_name(one.kind), width=84),
            ColumnSpec("device", say("Device"), lambda one: one.device_key or "", _device_text, width=110),
            ColumnSpec("created", say("Made"), lambda one: one.created_at, lambda one: self._at(one.created_at),
                       width=160),
            ColumnSpec("used", say("Last used"), lambda one: one.last_used_at, lambda one: self._at(one.last_used_at),
                       width=160),
            ColumnSpec("heard", say("Device last heard"), self._heard_at, self._heard_text, width=160),
            ColumnSpec("previous", say("Old password good until"), lambda one: one.previous_until,
                       lambda one: self._at(one.previous_until), width=165),
        ]  # fmt: skip

    def _at(self, at: datetime | None) -> str:
        return NOTHING if at is None else moment(at, self._place.look.zone)

    def _heard_at(self, one: http.Credential) -> datetime | None:
        devices = self._place.session.plant.devices
        found = next((device for device in devices if device.key == one.device_key), None)
        return found.last_received_at if found is not None else None

    def _heard_text(self, one: http.Credential) -> str:
        """A broker may refuse a device's messages and tell it they were taken: then the device was never heard."""
        if one.device_key is None:
            return NOTHING
        heard_at = self._heard_at(one)
        return say("never") if heard_at is None else self._at(heard_at)

    def _build(self, content: QWidget) -> None:
        px = self._place.look.px
        buttons = QHBoxLayout()
        for button in (self.create_button, self.rotate_button, self.settle_button, self.revoke_button):
            buttons.addWidget(button)
        buttons.addWidget(self.note, 1)
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.table, 1)
        inner.addLayout(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, px(8), 0, 0)
        layout.addWidget(self.states, 1)

    def _connect(self) -> None:
        self.create_button.clicked.connect(self.begin_new)
        self.rotate_button.clicked.connect(self._on_rotate)
        self.settle_button.clicked.connect(self._on_settle)
        self.revoke_button.clicked.connect(self._on_revoke)
        self.table.selection_changed.connect(self._show_buttons)
        self.states.retry_requested.connect(self.load)
        self.states.action_requested.connect(self.begin_new)

    def load(self) -> None:
        """Ask for the list."""
        if self._place.session.may(Permission.EDIT_PLANT):
            self._place.tasks.start(self._fetch(), self._on_error)
        else:
            self.states.show_no_permission(say("Your role may not see credentials; an administrator may."))

    async def _fetch(self) -> None:
        credentials = await self._place.session.client.credentials()
        self.table.set_rows(credentials)
        if not credentials:
            self.states.show_empty(
                say("No device can log in yet"),
                say("A credential is a user name and a password with which a device may publish."),
                say("New credential …"),
            )
            return
        self.states.show_content()
        self._show_buttons()

    def _chosen(self) -> http.Credential | None:
        rows = self.table.selected_rows()
        return rows[0] if rows else None

    def _show_buttons(self) -> None:
        chosen = self._chosen()
        self.rotate_button.setEnabled(chosen is not None)
        self.revoke_button.setEnabled(chosen is not None)
        self.settle_button.setEnabled(chosen is not None and chosen.previous_until is not None)

    def begin_new(self) -> None:
        """Ask what it is for, make it, show its secret once."""
        dialog = CreateCredentialDialog(self._place, self)
        dialog.accepted.connect(lambda: self._show_secret(dialog.made))
        dialog.open()

    def _on_rotate(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            dialog = RotateDialog(self._place, self, chosen)
            dialog.accepted.connect(lambda: self._show_secret(dialog.made))
            dialog.open()

    def _show_secret(self, made: http.NewSecret | None) -> None:
        if made is not None:
            SecretDialog(self._place, self, made).open()
        self.load()

    def _on_settle(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            question = say("Is the new password of {name} in use everywhere? Who still has the old one is sent away.",
                           name=chosen.username)  # fmt: skip
            self._ask(say("End the old password"), question, lambda: self._end_overlap(chosen.id))

    def _on_revoke(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            question = say("Revoke {name}? Who uses it is sent away, and cannot come back with it.",
                           name=chosen.username)  # fmt: skip
            self._ask(say("Revoke"), question, lambda: self._remove(chosen.id))

    def _ask(self, deed: str, question: str, work: Callable[[], Coroutine[object, object, object]]) -> None:
        ask_first(self, deed, question, deed, lambda: self._place.tasks.start(work(), self._on_error))

    async def _remove(self, credential_id: str) -> None:
        session = self._place.session
        await session.change(session.client.revoke_credential(credential_id))
        await self._fetch()

    async def _end_overlap(self, credential_id: str) -> None:
        await self._place.session.client.settle_credential(credential_id)
        await self._fetch()

    def _on_error(self, error: FactoryOpsError) -> None:
        if self.states.is_content_shown:
            self.note.setText(str(error))
        else:
            self.states.show_error(str(error))


def _device_text(one: http.Credential) -> str:
    if one.device_key is not None:
        return one.device_key
    return say("none") if one.kind is CredentialKind.TOOL else say("any")
