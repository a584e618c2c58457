"""One shared timer paints everything that shows live data, and only what can be seen."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget

from factoryops.domain.time import now_us

logger = logging.getLogger(__name__)

Paint = Callable[[int], None]


@dataclass(eq=False, slots=True)
class _Registration:
    widget: QWidget
    paint: Paint
    interval_s: float
    due_s: float = field(default=0.0)


class RedrawClock(QObject):
    """Calls `paint(now_us)` of each registered widget that is on screen, at most as often as it asked.

    One round takes at most `budget_ms`; what did not fit comes first in the next round, so a crowded screen gets
    slower instead of stuck. The timer stands still while nothing is registered.
    """

    def __init__(self, interval_ms: int = 100, *, budget_ms: float = 40.0, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._budget_s = budget_ms / 1000
        self._slack_s = interval_ms / 2000
        self._registered: list[_Registration] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(interval_ms)
        self._timer.timeout.connect(self._on_timeout)

    def register(self, widget: QWidget, paint: Paint, *, most_hz: float = 10.0) -> Callable[[], None]:
        """Have `paint` called while `widget` is visible; returns what ends it (the widget's end does, too)."""
        entry = _Registration(widget, paint, 1 / most_hz)
        self._registered.append(entry)

        def end() -> None:
            if entry in self._registered:
                self._registered.remove(entry)
                self._stop_when_idle()

        widget.destroyed.connect(end)
        if not self._timer.isActive():
            self._timer.start()
        return end

    @property
    def is_running(self) -> bool:
        """Whether the timer ticks."""
        return self._timer.isActive()

    def paint_all(self) -> None:
        """Paint everything visible now, for pictures and tests."""
        for entry in list(self._registered):
            if entry.widget.isVisible():
                entry.paint(now_us())

    def _on_timeout(self) -> None:
        start_s = time.monotonic()
        for position, entry in enumerate(list(self._registered)):
            if start_s + self._slack_s < entry.due_s or not is_on_screen(entry.widget):
                continue
            entry.due_s = start_s + entry.interval_s
            entry.paint(now_us())
            if time.monotonic() - start_s > self._budget_s:
                self._start_next_round_after(position)
                return

    def _start_next_round_after(self, position: int) -> None:
        logger.debug("a redraw round took longer than %.0f ms; the rest comes first next time", self._budget_s * 1000)
        self._registered = self._registered[position + 1 :] + self._registered[: position + 1]

    def _stop_when_idle(self) -> None:
        # At the end of the program a widget may outlive the timer.
        if not self._registered and shiboken6.isValid(self._timer):
            self._timer.stop()


def is_on_screen(widget: QWidget) -> bool:
    """Whether any part of it can be seen: not hidden, minimised or scrolled away."""
    return widget.isVisible() and not widget.window().isMinimized() and not widget.visibleRegion().isEmpty()
