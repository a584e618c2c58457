"""Mouse and keys of a trend: pan, zoom, box, cursor, undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QMenu

from factoryops_resources.words import say
from factoryops_widgets.trend_scales import Scale
from factoryops_widgets.trend_types import TrendMode

if TYPE_CHECKING:
    from factoryops_widgets.trend import TrendView

_WHEEL_NOTCH: Final = 120.0
_ZOOM_PER_NOTCH: Final = 1.25
_KEY_SHARE: Final = 0.1
_MOST_UNDO: Final = 50


class TrendInput(QObject):
    """Turns what the hand does into moves of the view.

    Attributes:
        box: the rectangle being dragged with Ctrl, in pixels.
    """

    def __init__(self, view: TrendView) -> None:
        super().__init__(view)
        self._view = view
        self.box: QRectF | None = None
        self._from: QPointF | None = None
        self._axis: Scale | None = None
        self._undo: list[tuple[int, int]] = []
        self._redo: list[tuple[int, int]] = []

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Take mouse, wheel and key events of the view."""
        if isinstance(event, QMouseEvent):
            return self._mouse(event)
        if isinstance(event, QWheelEvent):
            return self._wheel(event)
        if isinstance(event, QContextMenuEvent):
            self._menu(event)
            return True
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._key(event)
        return False

    def remember(self) -> None:
        """Keep the span in view, so that Z comes back to it."""
        self._undo = [*self._undo[-_MOST_UNDO:], self._view.span_us]
        self._redo.clear()

    def undo(self) -> None:
        """Back to the span before."""
        self._swap(self._undo, self._redo)

    def redo(self) -> None:
        """Forward again."""
        self._swap(self._redo, self._undo)

    def _swap(self, source: list[tuple[int, int]], target: list[tuple[int, int]]) -> None:
        if source:
            target.append(self._view.span_us)
            self._view.set_span(*source.pop())

    def _mouse(self, event: QMouseEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.MouseButtonDblClick:
            self._view.fit()
        elif kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            self._press(event)
        elif kind == QEvent.Type.MouseMove:
            self._move(event)
        elif kind == QEvent.Type.MouseButtonRelease and event.button() == Qt.MouseButton.LeftButton:
            self._release()
        else:
            return False
        return True

    def _press(self, event: QMouseEvent) -> None:
        self._view.setFocus(Qt.FocusReason.MouseFocusReason)
        self._from = event.position()
        self._axis = self._view.axis_at(event.position().x())
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.box = QRectF(event.position(), event.position())
        elif self._axis is None:
            self.remember()

    def _move(self, event: QMouseEvent) -> None:
        if self._from is None:
            if self._view.cursor_us is not None:
                self._view.set_cursor(self._view.frame().time_us(event.position().x()))
            return
        if self.box is not None:
            self.box = QRectF(self._from, event.position()).normalized() & self._view.frame().plot
        else:
            self._pan(event.position() - self._from)
            self._from = event.position()
        self._view.refresh()

    def _pan(self, by: QPointF) -> None:
        frame = self._view.frame()
        share_y = by.y() / frame.plot.height()
        if self._axis is not None:
            self._axis.move(share_y)
            return
        if by.x():
            offset_us = round(by.x() * frame.us_per_px)
            self._view.set_span(frame.start_us - offset_us, frame.end_us - offset_us)
        for scale in self._view.shown_scales():
            if scale.is_manual:
                scale.move(share_y)

    def _release(self) -> None:
        box, self.box, self._from = self.box, None, None
        if box is not None and box.width() > 4 and box.height() > 4:
            self._zoom_to(box)
        self._view.refresh()

    def _zoom_to(self, box: QRectF) -> None:
        frame = self._view.frame()
        self.remember()
        for scale in self._view.shown_scales():
            top_share = (frame.plot.bottom() - box.top()) / frame.plot.height()
            bottom_share = (frame.plot.bottom() - box.bottom()) / frame.plot.height()
            low, extent = scale.low, scale.extent
            scale.low, scale.high, scale.is_manual = low + bottom_share * extent, low + top_share * extent, True
        self._view.set_span(frame.time_us(box.left()), frame.time_us(box.right()))

    def _wheel(self, event: QWheelEvent) -> bool:
        factor = _ZOOM_PER_NOTCH ** (-event.angleDelta().y() / _WHEEL_NOTCH)
        frame = self._view.frame()
        axis = self._view.axis_at(event.position().x())
        if axis is not None:
            axis.zoom((frame.plot.bottom() - event.position().y()) / frame.plot.height(), factor)
            self._view.refresh()
        else:
            self._zoom(frame.time_us(event.position().x()), factor)
        return True

    def _zoom(self, about_us: int, factor: float) -> None:
        """Zoom about a time; while live the right edge stays at now and the trend goes on."""
        start_us, end_us = self._view.span_us
        if self._view.mode is TrendMode.LIVE:
            self._view.go_live(round((end_us - start_us) * factor))
            return
        self.remember()
        new_start_us = about_us - round((about_us - start_us) * factor)
        self._view.set_span(new_start_us, about_us + round((end_us - about_us) * factor))

    def _menu(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self._view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for words, keys, act in (
            (say("Return to now"), "End", self._view.go_live),
            (say("Fit the scales"), "A", self._view.fit),
            (say("Cursor on or off"), "C", self._view.toggle_cursor),
            (say("Undo the move"), "Z", self.undo),
            (say("Redo the move"), "Y", self.redo),
        ):
            menu.addAction(f"{words}\t{keys}", act)
        menu.popup(event.globalPos())

    def _key(self, event: QKeyEvent) -> bool:
        if event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier):
            return False
        act = self._keys().get(Qt.Key(event.key()))
        if act is None:
            return False
        act()
        return True

    def _keys(self) -> dict[Qt.Key, Callable[[], None]]:
        view = self._view
        return {
            Qt.Key.Key_End: view.go_live,
            Qt.Key.Key_Space: lambda: view.hold() if view.mode is TrendMode.LIVE else view.go_live(),
            Qt.Key.Key_C: view.toggle_cursor,
            Qt.Key.Key_A: view.fit,
            Qt.Key.Key_Z: self.undo,
            Qt.Key.Key_Y: self.redo,
            Qt.Key.Key_Left: lambda: self._step(-1),
            Qt.Key.Key_Right: lambda: self._step(1),
            Qt.Key.Key_Plus: lambda: self._zoom(sum(view.span_us) // 2, 1 / _ZOOM_PER_NOTCH),
            Qt.Key.Key_Minus: lambda: self._zoom(sum(view.span_us) // 2, _ZOOM_PER_NOTCH),
        }

    def _step(self, direction: int) -> None:
        """Move the cursor by a few pixels where there is one, else the view by a tenth."""
        start_us, end_us = self._view.span_us
        if self._view.cursor_us is not None:
            step_us = round(3 * self._view.frame().us_per_px)
            self._view.set_cursor(min(max(self._view.cursor_us + direction * step_us, start_us), end_us))
            return
        self.remember()
        offset_us = direction * round((end_us - start_us) * _KEY_SHARE)
        self._view.set_span(start_us + offset_us, end_us + offset_us)
