"""One message: what it is, its text, its bytes, and what it decodes to."""

from __future__ import annotations

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QPlainTextEdit, QTabWidget, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops_app.models.payload import decoded, hex_lines, payload_bytes
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say


class PayloadView(QWidget):
    """Empty until a message is shown."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._topic = plain_label(role="section", is_wrapped=True)
        self._why = plain_label(is_wrapped=True)
        self._what = plain_label(role="secondary", is_wrapped=True)
        self._decoded, self._text, self._hex = (_reader(title) for title in self._titles())
        self._views = QTabWidget()
        for title, view in zip(self._titles(), (self._decoded, self._text, self._hex), strict=True):
            self._views.addTab(view, title)
        column = QVBoxLayout(self)
        column.setContentsMargins(place.look.px(8), 0, 0, 0)
        column.setSpacing(place.look.px(4))
        for label in (self._topic, self._why, self._what):
            column.addWidget(label)
        column.addWidget(self._views, 1)

    def _titles(self) -> tuple[str, str, str]:
        return say("Decoded"), say("Text"), say("Bytes")

    @property
    def sentence(self) -> str:
        """What the payload is."""
        return self._what.text()

    def show_message(self, message: http.QuarantinedMessage | None) -> None:
        """Show another message, or none."""
        found = decoded(message) if message is not None else None
        self._topic.setText(message.topic if message is not None else "")
        self._why.setText(message.detail if message is not None else "")
        self._what.setText(found.sentence if found is not None else say("Choose a message to look at it."))
        self._decoded.setPlainText(found.text if found is not None else "")
        self._text.setPlainText(message.payload if message is not None and not message.is_hex else "")
        self._hex.setPlainText(hex_lines(payload_bytes(message)) if message is not None else "")
        self._views.setCurrentWidget(self._decoded if found is not None and found.text else self._first_filled())

    def _first_filled(self) -> QPlainTextEdit:
        return self._text if self._text.toPlainText() else self._hex


def _reader(title: str) -> QPlainTextEdit:
    view = QPlainTextEdit()
    view.setReadOnly(True)
    view.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    view.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    view.setAccessibleName(title)
    view.setTabChangesFocus(True)
    return view
