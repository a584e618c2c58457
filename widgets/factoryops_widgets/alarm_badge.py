"""The alarm badge: shape, number and colour together, and a border that tells the state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from factoryops.domain.alarms import PUT_ASIDE, AlarmState, Priority
from factoryops.domain.time import now_us
from factoryops_resources.shapes import ELLIPSE, NUMBER_CENTRE, SHAPES
from factoryops_resources.themes import Theme
from factoryops_resources.words import say
from factoryops_widgets.appearance import LABEL_PT, Appearance
from factoryops_widgets.redraw_clock import RedrawClock

BADGE_PX: Final = 20
_LETTER_PX: Final = 30
_PERIOD_US: Final = {
    AlarmState.UNACKNOWLEDGED: 1_000_000,
    AlarmState.RETURNED_UNACKNOWLEDGED: 2_000_000,
    AlarmState.LATCHED_UNACKNOWLEDGED: 2_000_000,
}
_LETTERS: Final = {
    AlarmState.LATCHED_UNACKNOWLEDGED: "L",
    AlarmState.LATCHED_ACKNOWLEDGED: "L",
    AlarmState.SHELVED: "S",
    AlarmState.SUPPRESSED: "SUP",
    AlarmState.OUT_OF_SERVICE: "OOS",
}
_HOLLOW: Final = PUT_ASIDE | {
    AlarmState.RETURNED_UNACKNOWLEDGED, AlarmState.LATCHED_UNACKNOWLEDGED, AlarmState.LATCHED_ACKNOWLEDGED,
}  # fmt: skip
"""The condition is gone, or tells nobody: an outline instead of a filled shape."""


@dataclass(frozen=True, slots=True)
class AlarmMark:
    """What a badge shows."""

    priority: Priority
    state: AlarmState

    @property
    def letter(self) -> str:
        """L latched, S shelved, SUP suppressed, OOS out of service; stands beside the badge."""
        return _LETTERS.get(self.state, "")

    @property
    def is_put_aside(self) -> bool:
        """Whether it tells nobody: drawn grey and dashed."""
        return self.state in PUT_ASIDE

    @property
    def flashes(self) -> bool:
        """Whether its border does."""
        return self.state in _PERIOD_US


def priority_name(priority: Priority) -> str:
    """The priority in words."""
    return {
        Priority.CRITICAL: say("Critical"),
        Priority.HIGH: say("High"),
        Priority.MEDIUM: say("Medium"),
        Priority.LOW: say("Low"),
    }[priority]


def state_name(state: AlarmState) -> str:
    """The state in words."""
    return {
        AlarmState.NORMAL: say("Normal"),
        AlarmState.UNACKNOWLEDGED: say("Unacknowledged"),
        AlarmState.ACKNOWLEDGED: say("Acknowledged"),
        AlarmState.RETURNED_UNACKNOWLEDGED: say("Returned, unacknowledged"),
        AlarmState.LATCHED_UNACKNOWLEDGED: say("Latched, unacknowledged"),
        AlarmState.LATCHED_ACKNOWLEDGED: say("Latched, acknowledged"),
        AlarmState.SHELVED: say("Shelved"),
        AlarmState.SUPPRESSED: say("Suppressed by design"),
        AlarmState.OUT_OF_SERVICE: say("Out of service"),
    }[state]


def is_flash_on(state: AlarmState, moment_us: int) -> bool:
    """Whether the border is at its bright half now: 1 Hz unacknowledged, 0.5 Hz returned, steady otherwise."""
    period_us = _PERIOD_US.get(state)
    return period_us is None or moment_us % period_us < period_us // 2


def paint_badge(painter: QPainter, rect: QRectF, mark: AlarmMark, theme: Theme, moment_us: int) -> None:
    """Draw `mark` into the square `rect`; the number never flashes, only the ring about the shape."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colours = theme.alarms[mark.priority]
    inner = rect.adjusted(3, 3, -3, -3)
    if mark.flashes and is_flash_on(mark.state, moment_us):
        width = 2.0 if mark.state is AlarmState.UNACKNOWLEDGED else 1.0
        painter.setPen(QPen(QColor(theme.outline), width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(rect.adjusted(1, 1, -1, -1))
    is_hollow = mark.state in _HOLLOW
    painter.setPen(QPen(QColor(theme.outline), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush if is_hollow else QColor(colours.fill))
    if mark.is_put_aside:
        painter.setPen(QPen(QColor(theme.secondary), 1.2, Qt.PenStyle.DashLine))
    elif is_hollow:
        painter.setPen(QPen(QColor(theme.outline), 3))
        _paint_shape(painter, inner, mark.priority)
        painter.setPen(QPen(QColor(colours.fill), 1.6))
    _paint_shape(painter, inner, mark.priority)
    _paint_number(painter, inner, mark, _number_colour(mark, theme, colours.text))
    painter.restore()


def paint_letter(painter: QPainter, rect: QRectF, mark: AlarmMark, theme: Theme) -> None:
    """Write the state's letter into `rect`, left-aligned, in the painter's font."""
    painter.setPen(QColor(theme.secondary if mark.is_put_aside else theme.text))
    painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, mark.letter)


def paint_unknown(painter: QPainter, rect: QRectF, theme: Theme) -> None:
    """Draw the badge of bad quality."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(theme.outline), 1))
    painter.setBrush(QColor(theme.bad.fill))
    inner = rect.adjusted(3, 3, -3, -3)
    painter.drawRect(inner)
    painter.setPen(QColor(theme.bad.text))
    painter.setFont(_number_font(painter.font(), inner))
    painter.drawText(inner, Qt.AlignmentFlag.AlignCenter, "?")
    painter.restore()


def _number_colour(mark: AlarmMark, theme: Theme, on_fill: str) -> str:
    if mark.is_put_aside:
        return theme.secondary
    return theme.text if mark.state in _HOLLOW else on_fill


def _paint_shape(painter: QPainter, rect: QRectF, priority: Priority) -> None:
    shape = SHAPES[priority]
    if isinstance(shape, str):
        assert shape == ELLIPSE  # noqa: S101 - the only shape that is not a polygon
        painter.drawEllipse(rect.adjusted(0, rect.height() * 0.1, 0, -rect.height() * 0.1))
        return
    corners = [QPointF(rect.left() + x * rect.width(), rect.top() + y * rect.height()) for x, y in shape]
    painter.drawPolygon(QPolygonF(corners))


def _paint_number(painter: QPainter, rect: QRectF, mark: AlarmMark, colour: str) -> None:
    x, y = NUMBER_CENTRE[mark.priority]
    centre = QPointF(rect.left() + x * rect.width(), rect.top() + y * rect.height())
    painter.setPen(QColor(colour))
    painter.setFont(_number_font(painter.font(), rect))
    side = rect.width()
    place = QRectF(centre.x() - side, centre.y() - side, 2 * side, 2 * side)
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, str(int(mark.priority)))


def _number_font(font: QFont, rect: QRectF) -> QFont:
    number = QFont(font)
    number.setPixelSize(max(8, round(rect.height() * 0.68)))
    number.setWeight(QFont.Weight.Bold)
    return number


class AlarmBadge(QWidget):
    """A badge for labels and headers; takes no room while there is no alarm."""

    def __init__(
        self, look: Appearance, clock: RedrawClock, mark: AlarmMark | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._look = look
        self._mark: AlarmMark | None = None
        self._moment_us = now_us()
        self._was_on = True
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        look.changed.connect(self.update)
        clock.register(self, self._on_tick, most_hz=4.0)
        self.set_mark(mark)

    def set_mark(self, mark: AlarmMark | None) -> None:
        """Show a mark, or nothing."""
        self._mark = mark
        self.setVisible(mark is not None)
        if mark is not None:
            words = f"{priority_name(mark.priority)}, {state_name(mark.state)}"
            self.setToolTip(words)
            self.setAccessibleName(words)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """A square, wider where a letter stands beside it."""
        side = self._look.px(BADGE_PX)
        has_letter = self._mark is not None and bool(self._mark.letter)
        return QSize(side + self._look.px(_LETTER_PX) if has_letter else side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the badge."""
        if self._mark is None:
            return
        side = self._look.px(BADGE_PX)
        painter = QPainter(self)
        paint_badge(painter, QRectF(0, 0, side, side), self._mark, self._look.theme, self._moment_us)
        painter.setFont(self._look.font(LABEL_PT, is_bold=True))
        paint_letter(painter, QRectF(side + 2, 0, self.width() - side - 2, side), self._mark, self._look.theme)
        painter.end()

    def _on_tick(self, moment_us: int) -> None:
        self._moment_us = moment_us
        if self._mark is not None and self._mark.flashes:
            is_on = is_flash_on(self._mark.state, moment_us)
            if is_on is not self._was_on:
                self._was_on = is_on
                self.update()
