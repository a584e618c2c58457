"""One line that says what is going on, how far it is, and lets it be cancelled."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from factoryops_resources.words import say
from factoryops_widgets.appearance import Appearance


class BusyLine(QWidget):
    """Hidden while nothing goes on.

    Attributes:
        cancel_requested: the button was pressed.
    """

    cancel_requested = Signal()

    def __init__(self, look: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(look.px(160))
        self._cancel = QPushButton()
        self._cancel.clicked.connect(self._on_cancel)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._bar)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._cancel)
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._text.text()

    def start(self, text: str, *, can_cancel: bool = False) -> None:
        """Something begins."""
        self._cancel.setText(say("Cancel"))
        self._cancel.setVisible(can_cancel)
        self._cancel.setEnabled(True)
        self._bar.show()
        self.set_progress(None, text)
        self.show()

    def set_progress(self, fraction: float | None, text: str = "") -> None:
        """How far it is, 0 to 1; None when nobody knows."""
        self._bar.setRange(0, 0 if fraction is None else 1000)
        if fraction is not None:
            self._bar.setValue(round(1000 * min(max(fraction, 0.0), 1.0)))
        if text:
            self._text.setText(text)

    def finish(self, text: str = "") -> None:
        """It is over; `text` stays to be read."""
        self._bar.hide()
        self._cancel.hide()
        self._text.setText(text)
        self.setVisible(bool(text))

    def _on_cancel(self) -> None:
        self._cancel.setEnabled(False)
        self._text.setText(say("Cancelling \N{HORIZONTAL ELLIPSIS}"))
        self.cancel_requested.emit()
