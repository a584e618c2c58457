"""The strip under the banner while the workstation is locked: everything goes on, nothing can be changed."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton

from factoryops_app.page import plain_label
from factoryops_resources.words import say
from factoryops_widgets.appearance import Appearance


class LockBar(QFrame):
    """Asks for the password.

    Attributes:
        unlock_requested: the password.
        logout_requested: somebody else wants to log in.
    """

    unlock_requested = Signal(str)
    logout_requested = Signal()

    def __init__(self, look: Appearance) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        px = look.px
        self._icon = QLabel()
        self._icon.setPixmap(look.icon("lock").pixmap(px(18), px(18)))
        self._text = plain_label(role="section")
        self._problem = plain_label(role="error")
        self._password = QLineEdit()
        self._password.setEchoMode(QLineEdit.EchoMode.Password)
        self._password.setMaxLength(256)
        self._password.setPlaceholderText(say("Password"))
        self._password.setAccessibleName(say("Password"))
        self._password.setMinimumWidth(px(200))
        self._button = QPushButton(say("Unlock"))
        self._other = QPushButton(say("Log out"))
        row = QHBoxLayout(self)
        row.setContentsMargins(px(16), px(8), px(16), px(8))
        row.setSpacing(px(12))
        row.addWidget(self._icon)
        row.addWidget(self._text)
        row.addWidget(self._problem, 1)
        for widget in (self._password, self._button, self._other):
            row.addWidget(widget)
        self._button.clicked.connect(self._on_unlock)
        self._password.returnPressed.connect(self._on_unlock)
        self._other.clicked.connect(self.logout_requested)
        self.hide()

    def lock(self, user: str) -> None:
        """Show the strip."""
        self._text.setText(say("Locked by {user}: values and alarms go on, nothing can be changed.", user=user))
        self._problem.clear()
        self._password.clear()
        self._set_busy(is_busy=False)
        self.show()
        self._password.setFocus()

    @property
    def problem(self) -> str:
        """Why it stays locked."""
        return self._problem.text()

    def show_error(self, sentence: str) -> None:
        """Say why it stays locked."""
        self._set_busy(is_busy=False)
        self._problem.setText(sentence)
        self._password.clear()
        self._password.setFocus()

    def _set_busy(self, *, is_busy: bool) -> None:
        self._password.setEnabled(not is_busy)
        self._button.setEnabled(not is_busy)

    def _on_unlock(self) -> None:
        password = self._password.text()
        if password:
            self._set_busy(is_busy=True)
            self.unlock_requested.emit(password)
