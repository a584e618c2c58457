"""How many alarms came in each interval: bars over time, the line to stay under, and what could not be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from factoryops_resources.themes import mixed
from factoryops_resources.words import say
from factoryops_widgets.appearance import LABEL_PT, Appearance
from factoryops_widgets.formatting import clock_time, number, plain
from factoryops_widgets.trend_scales import Scale, round_range, time_ticks, value_ticks

_TICK_GAP_X_PX: Final = 96
_TICK_GAP_Y_PX: Final = 32
_LEAST_TOP: Final = 4.0

Counts = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LoadPicture:
    """What is drawn.

    Attributes:
        counts: one interval after the other, None for those that could not be seen.
        most: more in one interval is too much.
    """

    start_us: int = 0
    width_us: int = 1
    counts: Sequence[int | None] = ()
    most: int = 0

    @property
    def end_us(self) -> int:
        """The end of the last interval."""
        return self.start_us + len(self.counts) * self.width_us


def column_heights(counts: Sequence[int | None], columns: int) -> Counts:
    """The largest count of each of as many equal pieces: float64[min(columns, n)], NaN where none was seen."""
    values = np.array([np.nan if one is None else one for one in counts], np.float64)
    pieces = min(max(1, columns), len(values))
    if not pieces:
        return values
    starts = np.arange(pieces) * len(values) // pieces
    return np.fmax.reduceat(values, starts)


class LoadChart(QWidget):
    """Draws the load; the tallest interval of what falls on one pixel is shown, so that no peak is lost."""

    def __init__(self, look: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._picture = LoadPicture()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(look.px(140))
        look.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Room for a few dozen columns."""
        return QSize(self._look.px(480), self._look.px(220))

    def show_load(self, picture: LoadPicture) -> None:
        """Draw this from now on."""
        self._picture = picture
        known = [one for one in picture.counts if one is not None]
        self.setAccessibleName(say("Alarms in each ten minutes"))
        self.setAccessibleDescription(
            say("{count} intervals, at most {most} alarms in one", count=len(known), most=max(known, default=0))
        )
        self.update()

    # --- drawing -----------------------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Grid, bars, the line, the axes."""
        painter = QPainter(self)
        painter.setFont(self._look.font(LABEL_PT))
        theme = self._look.theme
        painter.fillRect(self.rect(), QColor(theme.panel))
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        if not self._picture.counts:
            return
        plot, scale = self._plot(), self._scale()
        self._paint_values(painter, plot, scale)
        self._paint_times(painter, plot)
        self._paint_bars(painter, plot, scale)
        self._paint_most(painter, plot, scale)

    def _plot(self) -> QRectF:
        px = self._look.px
        left = QFontMetricsF(self._look.font(LABEL_PT)).horizontalAdvance("0,000") + px(12)
        return QRectF(left, px(12), max(1.0, self.width() - left - px(12)), max(1.0, self.height() - px(40)))

    def _scale(self) -> Scale:
        tallest = max((one for one in self._picture.counts if one is not None), default=0)
        scale = Scale("")
        scale.low, scale.high = round_range(0.0, max(float(tallest), self._picture.most * 1.2, _LEAST_TOP))
        return scale

    def _y(self, value: float, plot: QRectF, scale: Scale) -> float:
        return plot.bottom() - (value - scale.low) / scale.extent * plot.height()

    def _grid_colour(self) -> QColor:
        theme = self._look.theme
        return QColor(mixed(theme.line, theme.panel, 0.55 if theme.is_dark else 0.45))

    def _paint_values(self, painter: QPainter, plot: QRectF, scale: Scale) -> None:
        ticks, _ = value_ticks(scale, max(2, int(plot.height() / self._look.px(_TICK_GAP_Y_PX))))
        for tick in (one for one in ticks if one == round(one)):
            y = round(self._y(tick, plot, scale))
            painter.fillRect(QRectF(plot.left(), y, plot.width(), 1), self._grid_colour())
            painter.setPen(QColor(self._look.theme.secondary))
            box = QRectF(0, y - 10, plot.left() - 6, 20)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, number(tick, 0))

    def _paint_times(self, painter: QPainter, plot: QRectF) -> None:
        picture, theme = self._picture, self._look.theme
        most = max(2, int(plot.width() / self._look.px(_TICK_GAP_X_PX)))
        metrics = QFontMetricsF(painter.font())
        free_from = plot.left() - 8
        for tick in time_ticks(picture.start_us, picture.end_us, self._look.zone, most):
            x = plot.left() + (tick.time_us - picture.start_us) / (picture.end_us - picture.start_us) * plot.width()
            painter.fillRect(QRectF(round(x), plot.top(), 1, plot.height()), self._grid_colour())
            half = metrics.horizontalAdvance(tick.label) / 2 + 6
            if x - half >= free_from and x + half <= self.width():
                painter.setPen(QColor(theme.text if tick.is_day else theme.secondary))
                box = QRectF(x - half, plot.bottom() + 4, 2 * half, self._look.px(20))
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, tick.label)
                free_from = x + half

    def _paint_bars(self, painter: QPainter, plot: QRectF, scale: Scale) -> None:
        theme, picture = self._look.theme, self._picture
        heights = column_heights(picture.counts, int(plot.width()))
        usual, over = QColor(theme.secondary), QColor(theme.live)
        unseen = QColor(theme.secondary)
        unseen.setAlphaF(0.30)
        width = plot.width() / len(heights)
        for place, height in enumerate(heights.tolist()):
            left = plot.left() + place * width
            if np.isnan(height):
                painter.fillRect(
                    QRectF(left, plot.top(), width, plot.height()), QBrush(unseen, Qt.BrushStyle.BDiagPattern)
                )
            elif height > 0:
                top = self._y(height, plot, scale)
                bar = QRectF(left, top, max(1.0, width - (1.0 if width > 4 else 0.0)), plot.bottom() - top)
                painter.fillRect(bar, over if height > picture.most else usual)

    def _paint_most(self, painter: QPainter, plot: QRectF, scale: Scale) -> None:
        theme, y = self._look.theme, self._y(self._picture.most, plot, scale)
        painter.setPen(QPen(QColor(theme.text), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QLineF(plot.left(), y, plot.right(), y))
        words = say("at most {most}", most=self._picture.most)
        width = QFontMetricsF(painter.font()).horizontalAdvance(words) + 8
        box = QRectF(plot.right() - width, y - 18, width, 16)
        painter.fillRect(box, QColor(theme.panel))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    # --- what is under the mouse -------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Say how many alarms came in the interval under the mouse."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), plain(self.words_at(event.pos().x())), self)
            return True
        return super().event(event)

    def words_at(self, x_px: float) -> str:
        """What is to be said of the interval at a pixel; "" beside the plot."""
        plot, picture = self._plot(), self._picture
        share = (x_px - plot.left()) / plot.width()
        if not picture.counts or not 0 <= share < 1:
            return ""
        place = int(share * len(picture.counts))
        count = picture.counts[place]
        time = clock_time(picture.start_us + place * picture.width_us, self._look.zone, with_date=True)[:-3]
        if count is None:
            return say("{time}: could not be seen", time=time)
        return (
            say("{time}: one alarm", time=time) if count == 1 else say("{time}: {count} alarms", time=time, count=count)
        )
