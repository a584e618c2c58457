"""The first window: which factory, who, and the password."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QGridLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from factoryops_resources.words import say
from factoryops_widgets.appearance import Appearance

_WIDTH_PX = 440


@dataclass(frozen=True, slots=True)
class LoginEntry:
    """What was typed; the password is never shown when this is printed."""

    server: str
    factory: str
    user: str
    password: str
    is_kept: bool

    def __repr__(self) -> str:
        return f"LoginEntry({self.user!r} of {self.factory!r} at {self.server!r})"


class LoginWindow(QWidget):
    """Asks for factory, user and password.

    Attributes:
        login_requested: `LoginEntry`, when everything is filled in.
        closed: the person closed the window.
        painted: shown for the first time.
    """

    login_requested = Signal(object)
    closed = Signal()
    painted = Signal()

    def __init__(self, look: Appearance, *, server: str, factory: str = "", user: str = "") -> None:
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle(say("FactoryOps: log in"))
        self._look = look
        self._is_painted = False
        self._server, self._factory, self._user = QLineEdit(server), QLineEdit(factory), QLineEdit(user)
        self._password = QLineEdit()
        self._password.setEchoMode(QLineEdit.EchoMode.Password)
        self._keep = QCheckBox(say("Stay logged in on this computer"))
        self._button = QPushButton(say("Log in"))
        self._button.setProperty("role", "primary")
        self._message = QLabel()
        self._build()
        self._button.clicked.connect(self._on_submit)
        for field in (self._server, self._factory, self._user, self._password):
            field.returnPressed.connect(self._on_submit)
            field.textEdited.connect(self._on_edited)
        self._first_empty().setFocus()

    def _build(self) -> None:
        px = self._look.px
        panel = QFrame()
        panel.setProperty("role", "panel")
        form = QGridLayout(panel)
        form.setContentsMargins(px(24), px(24), px(24), px(24))
        form.setHorizontalSpacing(px(16))
        form.setVerticalSpacing(px(8))
        labels = (say("Factory"), say("User"), say("Password"), say("Server"))
        fields = (self._factory, self._user, self._password, self._server)
        for row, (text, field) in enumerate(zip(labels, fields, strict=True)):
            label = QLabel(text)
            label.setBuddy(field)
            field.setAccessibleName(text)
            field.setMaxLength(256)
            form.addWidget(label, row, 0)
            form.addWidget(field, row, 1)
        self._message.setWordWrap(True)
        self._message.setTextFormat(Qt.TextFormat.PlainText)
        self._message.setProperty("role", "error")
        self._message.setAccessibleName(say("Why the login failed"))
        self._message.setMinimumHeight(px(36))
        form.addWidget(self._keep, 4, 1)
        form.addWidget(self._message, 5, 0, 1, 2)
        form.addWidget(self._button, 6, 1)
        form.setColumnStretch(1, 1)
        self._frame(panel)

    def _frame(self, panel: QFrame) -> None:
        px = self._look.px
        title, line = QLabel("FactoryOps"), QLabel(say("Control room"))
        title.setProperty("role", "title")
        line.setProperty("role", "secondary")
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(20), px(24), px(24))
        column.setSpacing(px(4))
        column.addWidget(title)
        column.addWidget(line)
        column.addSpacing(px(12))
        column.addWidget(panel)
        column.addStretch(1)
        self.setFixedWidth(px(_WIDTH_PX))

    def set_busy(self, *, is_busy: bool) -> None:
        """Show that the service is being asked."""
        for field in (self._server, self._factory, self._user, self._password, self._keep, self._button):
            field.setEnabled(not is_busy)
        if is_busy:
            self._button.setText(say("Logging in …"))
            self._message.clear()
        else:
            self._button.setText(say("Log in"))

    def show_error(self, sentence: str) -> None:
        """Say why it did not work; the password is to be typed again."""
        self.set_busy(is_busy=False)
        self._message.setText(sentence)
        self._password.clear()
        self._first_empty().setFocus()

    def show_note(self, sentence: str) -> None:
        """Say something that is no error."""
        self._message.setText(sentence)

    @property
    def message(self) -> str:
        """The sentence that is shown."""
        return self._message.text()

    def _first_empty(self) -> QLineEdit:
        fields = (self._factory, self._user, self._password)
        return next((field for field in fields if not field.text()), self._password)

    def _on_edited(self) -> None:
        self._message.clear()

    def _on_submit(self) -> None:
        entry = LoginEntry(
            self._server.text().strip().rstrip("/"),
            self._factory.text().strip(),
            self._user.text().strip(),
            self._password.text(),
            self._keep.isChecked(),
        )
        if not (entry.factory and entry.user and entry.password and entry.server):
            self._message.setText(say("Fill in factory, user, password and server."))
            self._first_empty().setFocus()
            return
        self.login_requested.emit(entry)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Warn about the caps lock while a password is typed."""
        super().keyPressEvent(event)
        if event.key() == Qt.Key.Key_CapsLock:
            self._message.setText(say("Caps lock was pressed: passwords tell capitals from small letters."))

    def event(self, event: QEvent) -> bool:
        """Notice the first time the window is really drawn."""
        done = super().event(event)
        if isinstance(event, QPaintEvent) and not self._is_painted:
            self._is_painted = True
            self.painted.emit()
        return done

    def closeEvent(self, event: QCloseEvent) -> None:
        """Tell that the person does not want to log in."""
        super().closeEvent(event)
        self.closed.emit()
