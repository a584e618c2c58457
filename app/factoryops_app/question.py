"""Asking before something that cannot be taken back."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from factoryops_resources.words import say


def ask_first(parent: QWidget, title: str, question: str, deed: str, act: Callable[[], object]) -> None:
    """Ask `question`; `act` when the button that says `deed` is pressed. Returns at once."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setWindowTitle(title)
    box.setText(question)
    box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel)
    box.button(QMessageBox.StandardButton.Yes).setText(deed)
    box.button(QMessageBox.StandardButton.Cancel).setText(say("Cancel"))
    box.accepted.connect(act)
    box.open()
