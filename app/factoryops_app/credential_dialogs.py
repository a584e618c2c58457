"""Making and rotating a credential, and showing its secret once, as text and as a QR code."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from factoryops.contracts import http
from factoryops.domain.credentials import CredentialKind
from factoryops_app.page import plain_label
from factoryops_app.plant_dialogs import PlantDialog
from factoryops_app.qr_picture import qr_picture
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.form import Form

_OVERLAP_H = 24
_LONGEST_OVERLAP_H = 720
_AROUND_TEXT_PX = 32


def kind_name(kind: CredentialKind) -> str:
    """What people call a kind of credential."""
    names = {
        CredentialKind.DEVICE: say("Device"),
        CredentialKind.GATEWAY: say("Gateway"),
        CredentialKind.TOOL: say("Tool"),
    }
    return names[kind]


class CreateCredentialDialog(PlantDialog):
    """What a credential is for.

    Attributes:
        made: the answer, once the dialog was accepted.
    """

    def __init__(self, place: Workplace, parent: QWidget) -> None:
        super().__init__(place, parent, say("New credential"))
        self.made: http.NewSecret | None = None
        self.kind = QComboBox()
        for kind in CredentialKind:
            self.kind.addItem(kind_name(kind), kind)
        self.device = QComboBox()
        self.device.setEditable(True)
        self.device.addItems(sorted(device.key for device in place.session.plant.devices))
        self.device.setCurrentText("")
        self.name = QLineEdit()
        self.name.setMaxLength(60)
        self.name.setPlaceholderText(say("a random one"))
        self._hint = plain_label(role="secondary", is_wrapped=True)
        self.form.add_row("kind", say("For"), self.kind)
        self.form.add_row("device_key", say("Key of the device"), self.device)
        self.form.add_row("name", say("Name"), self.name)
        self.form.add_row("hint", "", self._hint)
        self.kind.currentIndexChanged.connect(self._show_kind)
        self._show_kind()

    def _kind(self) -> CredentialKind:
        return CredentialKind(self.kind.currentData())

    def _show_kind(self) -> None:
        kind = self._kind()
        self.device.setEnabled(kind is CredentialKind.DEVICE)
        hints = {
            CredentialKind.DEVICE: say("A device may publish for itself alone."),
            CredentialKind.GATEWAY: say("A gateway may publish for every device of this factory."),
            CredentialKind.TOOL: say("A tool may look at this factory's messages and publish nothing."),
        }
        self._hint.setText(hints[kind])

    def save(self) -> None:
        """Have it made."""
        kind, key, name = self._kind(), self.device.currentText().strip(), self.name.text().strip()
        faults: dict[str, str] = {}
        if kind is CredentialKind.DEVICE and not key:
            faults["device_key"] = say("Give the key of the device, as in its topic.")
        if (name and not name.replace(".", "").replace("_", "").replace("-", "").isalnum()) or not name.isascii():
            faults["name"] = say("Take letters, digits, dots, underscores and hyphens.")
        self.form.set_errors(faults)
        if not faults:
            wanted = key if kind is CredentialKind.DEVICE else None
            self.send(self._create(http.CredentialRequest(kind=kind, name=name, device_key=wanted)))

    async def _create(self, request: http.CredentialRequest) -> None:
        self.made = await self.place.session.client.create_credential(request)


class RotateDialog(PlantDialog):
    """For how long the old password stays good.

    Attributes:
        made: the answer, once the dialog was accepted.
    """

    def __init__(self, place: Workplace, parent: QWidget, credential: http.Credential) -> None:
        super().__init__(place, parent, say("New password for {name}", name=credential.username))
        self.made: http.NewSecret | None = None
        self._credential = credential
        self.overlap = QSpinBox()
        self.overlap.setRange(0, _LONGEST_OVERLAP_H)
        self.overlap.setValue(_OVERLAP_H)
        self.form.add_row("overlap_h", say("The old one stays good for"), self.overlap, unit=say("hours"))

    def save(self) -> None:
        """Have it rotated."""
        request = http.RotationRequest(overlap_h=float(self.overlap.value()))
        self.send(self._rotate(request))

    async def _rotate(self, request: http.RotationRequest) -> None:
        self.made = await self.place.session.client.rotate_credential(self._credential.id, request)


class SecretDialog(QDialog):
    """A secret, shown once."""

    def __init__(self, place: Workplace, parent: QWidget, made: http.NewSecret) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(say("Password of {name}", name=made.credential.username))
        self._place = place
        form = Form(place.look)
        self.username, self.secret = (_shown(place, text) for text in (made.credential.username, made.secret))
        form.add_row("username", say("User name"), self.username)
        form.add_row("secret", say("Password"), self.secret)
        column = QVBoxLayout(self)
        column.addWidget(plain_label(say("This password is shown once and cannot be read again."), role="section",
                                     is_wrapped=True))  # fmt: skip
        column.addWidget(form)
        self._add_copy(column, say("Copy the password"), made.secret)
        self._add_copy(column, say("Copy all a device must know (JSON)"), made.provisioning)
        self.picture = QLabel()
        picture = qr_picture(made.provisioning, place.look.px(280))
        self.picture.setPixmap(picture)
        self.picture.setFixedSize(picture.size())
        self.picture.setAccessibleName(say("QR code with all a device must know"))
        column.addWidget(self.picture, 0, Qt.AlignmentFlag.AlignHCenter)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setText(say("Close"))
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)

    def _add_copy(self, column: QVBoxLayout, title: str, text: str) -> None:
        button = QPushButton(title)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: self._copy(text))
        column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)

    def _copy(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self._place.navigator.say_briefly(say("Copied."))


def _shown(place: Workplace, text: str) -> QLineEdit:
    """A field in which nothing of `text` is cut off."""
    field = QLineEdit(text)
    field.setReadOnly(True)
    field.setCursorPosition(0)
    field.ensurePolished()
    field.setMinimumWidth(field.fontMetrics().horizontalAdvance(text) + place.look.px(_AROUND_TEXT_PX))
    return field
