"""Watching Qt in tests: windows, timers and what Qt itself has to say."""

from __future__ import annotations

import gc
from types import TracebackType
from typing import Final, Self

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QWidget

_HARMLESS: Final = (
    "propagateSizeHints",  # the screenless platform has no window manager to tell
    "does not support",  # as above, for raising and for masks
)


class QtMessages:
    """Collects Qt's warnings while it is open."""

    def __init__(self) -> None:
        self.complaints: list[str] = []

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._before = qInstallMessageHandler(self._on_message)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        qInstallMessageHandler(self._before)

    def _on_message(self, kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        is_serious = kind in (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg)
        if is_serious and not any(part in text for part in _HARMLESS):
            self.complaints.append(text)


def open_windows() -> set[QWidget]:
    """Top-level widgets that are visible."""
    return {widget for widget in QApplication.topLevelWidgets() if shiboken6.isValid(widget) and widget.isVisible()}


def close_windows(*, except_for: set[QWidget]) -> None:
    """Close and delete every top-level widget that a test made."""
    for widget in QApplication.topLevelWidgets():
        if shiboken6.isValid(widget) and widget not in except_for:
            widget.close()
            widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def active_timers() -> list[str]:
    """Running timers whose owner is not Qt's own."""
    running = [one for one in gc.get_objects() if isinstance(one, QTimer) and shiboken6.isValid(one) and one.isActive()]
    return [f"every {timer.interval()} ms, of {type(timer.parent()).__name__}" for timer in running]
