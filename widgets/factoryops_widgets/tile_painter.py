"""How a value tile is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPen

from factoryops_resources.words import say
from factoryops_widgets import formatting
from factoryops_widgets.alarm_badge import BADGE_PX, AlarmMark, paint_badge, paint_unknown
from factoryops_widgets.appearance import BODY_PT, LABEL_PT, Appearance
from factoryops_widgets.decimation import Times, Values, break_after_us, find_breaks
from factoryops_widgets.fast_lines import Floats, draw_line

if TYPE_CHECKING:
    from factoryops_widgets.value_tile import TileContent

_VALUE_PT: Final = 20.0
_PAD_PX: Final = 8


@dataclass(frozen=True, slots=True)
class TilePicture:
    """Everything one picture of a tile is made of.

    Attributes:
        words: what people read instead of the value; "" for a number.
        freshness: the value of `Freshness`.
    """

    look: Appearance
    size: QSize
    content: TileContent
    value: float | None
    words: str
    age_s: float | None
    freshness: str
    mark: AlarmMark | None
    spark_us: Times
    spark: Values
    moment_us: int
    spark_span_us: int
    has_focus: bool
    is_hovered: bool

    @property
    def is_trusted(self) -> bool:
        """Whether the value is what the plant says now."""
        return self.freshness == "live"


def paint(painter: QPainter, tile: TilePicture) -> None:
    """Draw the whole tile."""
    pad = tile.look.px(_PAD_PX)
    inner = QRectF(pad, pad - 2, tile.size.width() - 2 * pad, tile.size.height() - 2 * pad + 2)
    _paint_panel(painter, tile)
    top = _paint_labels(painter, tile, inner)
    is_wide = inner.width() > tile.look.px(240)
    left = QRectF(inner.left(), top, inner.width() / 2 - 8, inner.bottom() - top) if is_wide else inner
    value_bottom = _paint_value(painter, tile, left, top)
    bar_bottom = _paint_bar(painter, tile, QRectF(left.left(), value_bottom + 3, left.width(), tile.look.px(8)))
    if is_wide:
        spark = QRectF(inner.center().x() + 8, top + 4, inner.width() / 2 - 8, inner.bottom() - top - 4)
    else:
        spark = QRectF(inner.left(), bar_bottom + 4, inner.width(), inner.bottom() - bar_bottom - 4)
    _paint_spark(painter, tile, spark)
    _paint_badge(painter, tile)


def _paint_panel(painter: QPainter, tile: TilePicture) -> None:
    theme = tile.look.theme
    edge = QRectF(0.5, 0.5, tile.size.width() - 1, tile.size.height() - 1)
    painter.setBrush(QColor(theme.hover if tile.is_hovered else theme.panel))
    is_lost = tile.freshness in ("stale", "disconnected")
    outline = QPen(QColor(theme.secondary if is_lost else theme.line), 1)
    if is_lost:
        outline.setDashPattern([4.0, 3.0])
    painter.setPen(outline)
    painter.drawRect(edge)
    if tile.has_focus:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.accent), 2))
        painter.drawRect(edge.adjusted(0.5, 0.5, -0.5, -0.5))


def _paint_labels(painter: QPainter, tile: TilePicture, inner: QRectF) -> float:
    """Label and device; answers where the value begins."""
    theme = tile.look.theme
    room = inner.width() - (tile.look.px(BADGE_PX) if tile.mark is not None or tile.freshness == "bad" else 0)
    top = inner.top()
    lines = [(tile.content.label, theme.text)] + (
        [(tile.content.device, theme.secondary)] if tile.content.device else []
    )
    painter.setFont(tile.look.font(LABEL_PT))
    metrics = QFontMetricsF(painter.font())
    for text, colour in lines:
        painter.setPen(QColor(colour))
        shown = metrics.elidedText(text.replace("\n", " "), Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(inner.left(), top, room, metrics.height()), Qt.AlignmentFlag.AlignLeft, shown)
        top += metrics.height()
    return top


def _paint_value(painter: QPainter, tile: TilePicture, place: QRectF, top: float) -> float:
    """The figure, its unit, and its age where it is old; answers where the bar begins."""
    theme, content = tile.look.theme, tile.content
    unit_metrics = QFontMetricsF(tile.look.font(BODY_PT))
    unit = "" if tile.words else content.unit
    unit_px = unit_metrics.horizontalAdvance(unit) + 4 if unit else 0.0
    figure, font = _fitting_figure(tile, place.width() - unit_px)
    metrics = QFontMetricsF(font)
    baseline = top + QFontMetricsF(tile.look.font(_VALUE_PT)).ascent()
    shown = metrics.elidedText(figure, Qt.TextElideMode.ElideRight, place.width() - unit_px)
    width = metrics.horizontalAdvance(shown)
    painter.setFont(font)
    painter.setPen(QColor(theme.live if tile.is_trusted else theme.secondary))
    painter.drawText(
        QRectF(place.left(), baseline - metrics.ascent(), width + 2, metrics.height()),
        Qt.AlignmentFlag.AlignLeft,
        shown,
    )
    is_struck = tile.value is not None and tile.freshness in ("stale", "disconnected")
    if is_struck:
        middle = round(baseline - metrics.xHeight() * 0.62) + 0.5
        painter.drawLine(QLineF(place.left(), middle, place.left() + width, middle))
    if tile.value is not None and tile.freshness == "bad":
        painter.fillRect(
            QRectF(place.left(), baseline - metrics.capHeight(), width, metrics.capHeight()),
            QBrush(QColor(theme.bad.fill), Qt.BrushStyle.BDiagPattern),
        )
    painter.setFont(tile.look.font(BODY_PT))
    painter.setPen(QColor(theme.secondary))
    unit_place = QRectF(place.left() + width + 4, baseline - unit_metrics.ascent(), unit_px, unit_metrics.height())
    painter.drawText(unit_place, Qt.AlignmentFlag.AlignLeft, unit)
    return baseline + 5


def _fitting_figure(tile: TilePicture, room_px: float) -> tuple[str, QFont]:
    """The figure in the largest font it fits in; where none is small enough, with fewer decimals."""
    fonts = [tile.look.font(_VALUE_PT), tile.look.font(_VALUE_PT * 0.7)]
    if tile.words:
        fits = QFontMetricsF(fonts[0]).horizontalAdvance(tile.words) <= room_px
        return tile.words, fonts[0] if fits else fonts[1]
    for decimals in range(tile.content.decimals, -1, -1):
        figure = formatting.number(tile.value, decimals)
        for font in fonts:
            if QFontMetricsF(font).horizontalAdvance(figure) <= room_px:
                return figure, font
    return formatting.number(tile.value, 0), fonts[-1]


def _paint_bar(painter: QPainter, tile: TilePicture, bar: QRectF) -> float:
    """The analogue bar; answers where the sparkline begins."""
    content, theme = tile.content, tile.look.theme
    if content.low is None or content.high is None or content.high <= content.low:
        return bar.top()
    low, extent, width = content.low, content.high - content.low, bar.width()

    def x(value: float) -> float:
        return bar.left() + min(max((value - low) / extent, 0.0), 1.0) * width

    track = QRectF(bar.left(), bar.center().y() - 2, width, 4)
    painter.fillRect(track, QColor(theme.line))
    if content.normal_low is not None or content.normal_high is not None:
        first = x(content.normal_low if content.normal_low is not None else content.low)
        last = x(content.normal_high if content.normal_high is not None else content.high)
        painter.fillRect(QRectF(first, track.top(), last - first, 4), QColor(theme.stopped))
    painter.setPen(QPen(QColor(theme.text), 1))
    for limit in content.limits:
        at = round(x(limit.value)) - 0.5
        painter.drawLine(QLineF(at, bar.top(), at, bar.bottom()))
    if tile.value is not None and not tile.words:
        _paint_pointer(painter, tile, x(tile.value), bar)
    return bar.bottom()


def _paint_pointer(painter: QPainter, tile: TilePicture, at: float, bar: QRectF) -> None:
    theme = tile.look.theme
    left = min(max(round(at) - 2.0, bar.left()), bar.right() - 4)
    painter.setPen(QPen(QColor(theme.panel), 1))
    painter.setBrush(QColor(theme.live if tile.is_trusted else theme.secondary))
    painter.drawRect(QRectF(left - 0.5, bar.top() + 0.5, 5, bar.height() - 1))


def _paint_spark(painter: QPainter, tile: TilePicture, place: QRectF) -> None:
    """The last hour, or the value's age where it is old."""
    theme = tile.look.theme
    text = _age_text(tile)
    if text:
        painter.setFont(tile.look.font(LABEL_PT))
        painter.setPen(QColor(theme.text if tile.freshness == "disconnected" else theme.secondary))
        shown = QFontMetricsF(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, shown)
        return
    if len(tile.spark) < 2 or place.height() < 8:
        return
    start_us = tile.moment_us - tile.spark_span_us
    low, high = float(tile.spark.min()), float(tile.spark.max())
    extent = (high - low) or 1.0
    share = (tile.spark - low) / extent if high > low else np.full(len(tile.spark), 0.5)
    offset_us = (tile.spark_us - start_us).astype(np.float64)
    x: Floats = place.left() + offset_us * (place.width() / tile.spark_span_us)
    y: Floats = place.bottom() - 1 - share * (place.height() - 3)
    painter.setPen(QPen(QColor(theme.live), 1))
    breaks = find_breaks(tile.spark_us, break_after_us(tile.spark_us, width_us=15_000_000), [])
    for first, last in zip([0, *breaks.tolist()], [*breaks.tolist(), len(x)], strict=True):
        draw_line(painter, x[first:last], y[first:last])


def _age_text(tile: TilePicture) -> str:
    age = formatting.age(tile.age_s) if tile.age_s is not None else ""
    return {
        "empty": say("no values yet"),
        "stale": say("stale {age}", age=age) if age else say("no values yet"),
        "disconnected": say("offline {age}", age=age) if age else say("offline"),
    }.get(tile.freshness, "")


def _paint_badge(painter: QPainter, tile: TilePicture) -> None:
    side = tile.look.px(BADGE_PX)
    place = QRectF(tile.size.width() - side - 4, 4, side, side)
    painter.setFont(tile.look.font(LABEL_PT, is_bold=True))
    if tile.freshness == "bad":
        paint_unknown(painter, place, tile.look.theme)
        place.translate(-side, 0)
    if tile.mark is not None:
        paint_badge(painter, place, tile.mark, tile.look.theme, tile.moment_us)
