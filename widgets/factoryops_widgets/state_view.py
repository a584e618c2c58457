"""What a view looks like while it has nothing to show, and why."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from factoryops_resources.words import say
from factoryops_widgets.appearance import Appearance

_SKELETON_AFTER_MS: Final = 150
_ICON_PX: Final = 20


class StateView(QWidget):
    """Wraps a content widget with its states: loading, empty, error, not permitted, stale.

    Attributes:
        retry_requested: the button of an error.
        action_requested: the one button of an empty view.
    """

    retry_requested = Signal()
    action_requested = Signal()

    def __init__(self, look: Appearance, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._content = content
        self._skeleton = _Skeleton(look)
        self._message = _Message(look)
        self._message.retry.clicked.connect(self.retry_requested)
        self._message.action.clicked.connect(self.action_requested)
        self._stale = QLabel(self)
        self._stale.setTextFormat(Qt.TextFormat.PlainText)
        self._stale.setWordWrap(True)
        self._stale.setContentsMargins(8, 4, 8, 4)
        self._stale.setFrameShape(QFrame.Shape.NoFrame)
        self._stale.hide()
        stack = QWidget(self)
        self._stack = QStackedLayout(stack)
        for page in (content, self._skeleton, self._message, QWidget()):
            self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._stale)
        layout.addWidget(stack, 1)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(_SKELETON_AFTER_MS)
        self._delay.timeout.connect(self._on_delay)

    @property
    def content(self) -> QWidget:
        """What is wrapped."""
        return self._content

    @property
    def is_content_shown(self) -> bool:
        """Whether the content can be seen."""
        return self._stack.currentIndex() == 0

    @property
    def message(self) -> str:
        """What the message says; empty while the content or the skeleton is shown."""
        return self._message.text if self._stack.currentIndex() == 2 else ""

    def show_content(self) -> None:
        """Show the content."""
        self._delay.stop()
        self._stack.setCurrentIndex(0)

    def show_loading(self, text: str = "") -> None:
        """Blank at first, a skeleton after 150 ms."""
        self._skeleton.set_text(text or say("Loading \N{HORIZONTAL ELLIPSIS}"))
        if self._stack.currentIndex() != 1 and not self._delay.isActive():
            self._stack.setCurrentIndex(3)
            self._delay.start()

    def show_empty(self, title: str, text: str, action: str = "") -> None:
        """Say what would be here, with the one button that starts it."""
        self._show_message("empty", title, text, action=action)

    def show_error(self, sentence: str, detail: str = "") -> None:
        """Say what happened and what to do, with a button to try again."""
        self._show_message("problem", sentence, detail, can_retry=True)

    def show_no_permission(self, text: str) -> None:
        """Say what may not be seen, and who may."""
        self._show_message("not_allowed", say("Not permitted"), text)

    def set_stale(self, sentence: str | None) -> None:
        """A line above the content that says since when it is out of date; None when it is current."""
        self._stale.setText(sentence or "")
        self._stale.setVisible(bool(sentence))
        theme = self._look.theme
        self._stale.setStyleSheet(
            f"background: {theme.raised}; color: {theme.text}; border: 1px dashed {theme.secondary};"
        )

    def _show_message(self, icon: str, title: str, text: str, *, action: str = "", can_retry: bool = False) -> None:
        self._delay.stop()
        self._message.show_text(icon, title, text, action=action, can_retry=can_retry)
        self._stack.setCurrentIndex(2)

    def _on_delay(self) -> None:
        self._stack.setCurrentIndex(1)


class _Message(QWidget):
    def __init__(self, look: Appearance) -> None:
        super().__init__()
        self._look = look
        self._icon, self._title, self._text = QLabel(), QLabel(), QLabel()
        self._title.setProperty("role", "section")
        self._text.setProperty("role", "secondary")
        for label in (self._title, self._text):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
        self.retry, self.action = QPushButton(), QPushButton()
        self.action.setProperty("role", "primary")
        column = QVBoxLayout()
        column.setSpacing(8)
        for widget in (self._icon, self._title, self._text):
            column.addWidget(widget)
        buttons = QHBoxLayout()
        for button in (self.action, self.retry):
            buttons.addWidget(button)
        buttons.addStretch(1)
        column.addSpacing(8)
        column.addLayout(buttons)
        box = QWidget()
        box.setLayout(column)
        box.setMaximumWidth(look.px(560))
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(box, 4)
        across.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addLayout(across)
        layout.addStretch(3)

    @property
    def text(self) -> str:
        """Title and text."""
        return f"{self._title.text()}\n{self._text.text()}".strip()

    def show_text(self, icon: str, title: str, text: str, *, action: str, can_retry: bool) -> None:
        """Change everything at once."""
        self._icon.setPixmap(self._look.icon(icon).pixmap(_ICON_PX, _ICON_PX))
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self.action.setText(action)
        self.action.setVisible(bool(action))
        self.retry.setText(say("Try again"))
        self.retry.setVisible(can_retry)


class _Skeleton(QWidget):
    """Grey bars where rows will be; nothing moves."""

    def __init__(self, look: Appearance) -> None:
        super().__init__()
        self._look = look
        self._text = ""

    def set_text(self, text: str) -> None:
        """What is being loaded."""
        self._text = text
        self.setAccessibleName(text)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the bars."""
        painter = QPainter(self)
        theme = self._look.theme
        painter.setPen(QColor(theme.secondary))
        painter.drawText(QRectF(16, 8, self.width() - 32, 24), Qt.AlignmentFlag.AlignVCenter, self._text)
        shade = QColor(theme.line)
        for row, top in enumerate(range(44, self.height() - 12, self._look.px(26))):
            shade.setAlphaF(max(0.08, 0.35 - 0.04 * row))
            width = (self.width() - 32) * (0.92, 0.78, 0.86, 0.66)[row % 4]
            painter.fillRect(QRectF(16, top, width, 10), shade)
        painter.end()
