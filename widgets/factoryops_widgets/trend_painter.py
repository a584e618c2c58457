"""How a trend is drawn, from the back to the front."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPen

from factoryops_resources.themes import Theme, mixed
from factoryops_resources.words import say
from factoryops_widgets import formatting
from factoryops_widgets.appearance import LABEL_PT, Appearance
from factoryops_widgets.decimation import Line, stepped
from factoryops_widgets.fast_lines import Floats, draw_band, draw_line
from factoryops_widgets.pen_data import Picture
from factoryops_widgets.trend_scales import Scale, time_ticks, value_ticks
from factoryops_widgets.trend_types import AlarmPeriod, Limit, Pen

MOST_AXES: Final = 3
STRIP_PX: Final = 6
_MOST_BANDS: Final = 6
_TOP_PX: Final = 28
_RIGHT_PX: Final = 10
_TICK_GAP_X_PX: Final = 96
_TICK_GAP_Y_PX: Final = 44
_DASHES: Final[tuple[list[float], ...]] = ([6.0, 3.0], [2.0, 3.0], [8.0, 3.0, 2.0, 3.0])


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the plot lies and what its width stands for."""

    plot: QRectF
    start_us: int
    end_us: int

    @property
    def us_per_px(self) -> float:
        """Time per pixel, at least 1."""
        return max(1.0, (self.end_us - self.start_us) / max(1.0, self.plot.width()))

    def x(self, time_us: float) -> float:
        """Pixels from the widget's left edge."""
        return self.plot.left() + (time_us - self.start_us) / self.us_per_px

    def time_us(self, x_px: float) -> int:
        """The time at a pixel."""
        return self.start_us + round((x_px - self.plot.left()) * self.us_per_px)

    def y(self, value: float, scale: Scale) -> float:
        """Pixels from the widget's top."""
        return self.plot.bottom() - (value - scale.low) / scale.extent * self.plot.height()


@dataclass(frozen=True, slots=True)
class Reading:
    """A line of the cursor's box."""

    pen: Pen
    value: float | None


@dataclass(slots=True)
class Scene:
    """Everything one picture of a trend is made of."""

    look: Appearance
    frame: Frame
    scales: dict[str, Scale]
    pens: list[Pen]
    pictures: dict[str, Picture]
    gaps: list[tuple[int, int]] = field(default_factory=list)
    periods: list[AlarmPeriod] = field(default_factory=list)
    bin_width_us: int | None = None
    note: str = ""
    now_us: int = 0
    lost_since_us: int | None = None
    cursor_us: int | None = None
    readings: list[Reading] = field(default_factory=list)
    box: QRectF | None = None
    chosen: str | None = None

    @property
    def theme(self) -> Theme:
        """The tokens in use."""
        return self.look.theme

    @property
    def axes(self) -> list[Scale]:
        """The scales whose axis is drawn."""
        return list(self.scales.values())[:MOST_AXES]


def axis_widths(look: Appearance, scales: list[Scale], height_px: float) -> list[float]:
    """How wide each vertical axis must be for its labels."""
    metrics = QFontMetricsF(look.font(LABEL_PT))
    widths = []
    for scale in scales:
        ticks, decimals = value_ticks(scale, _most_ticks(height_px))
        widest = max((metrics.horizontalAdvance(formatting.number(tick, decimals)) for tick in ticks), default=0.0)
        widths.append(max(40.0, widest + 12.0))
    return widths


def plot_rect(look: Appearance, width_px: int, height_px: int, axes_px: list[float]) -> QRectF:
    """Where the plot lies in a widget of this size."""
    top = look.px(_TOP_PX)
    bottom = STRIP_PX + 4 + look.px(20)
    left = sum(axes_px) + 4 if axes_px else 12.0
    # Half a pixel off the grid: thin lines fall into whole pixels.
    return QRectF(round(left) + 0.5, top + 0.5, width_px - round(left) - _RIGHT_PX, max(20, height_px - top - bottom))


def paint(painter: QPainter, scene: Scene) -> None:
    """Draw the whole trend."""
    painter.fillRect(painter.window(), QColor(scene.theme.panel))
    painter.setFont(scene.look.font(LABEL_PT))
    _paint_gaps(painter, scene)
    _paint_grid_and_axes(painter, scene)
    painter.save()
    painter.setClipRect(scene.frame.plot.adjusted(0, 0, 1, 1))
    _paint_pens(painter, scene)
    _paint_limits(painter, scene)
    painter.restore()
    _paint_strip(painter, scene)
    _paint_corner(painter, scene)
    if scene.lost_since_us is not None:
        _paint_lost(painter, scene, scene.lost_since_us)
    if scene.cursor_us is not None:
        _paint_cursor(painter, scene, scene.cursor_us)
    if scene.box is not None:
        painter.setPen(QPen(QColor(scene.theme.accent), 1, Qt.PenStyle.DashLine))
        painter.setBrush(_faint(scene.theme.accent, 0.12))
        painter.drawRect(scene.box)


def pen_style(theme: Theme, pen: Pen, *, is_chosen: bool = False) -> QPen:
    """The stroke of a pen: 1 px, dashed from the eleventh on."""
    style = QPen(QColor(theme.pen(pen.color_index)), 2 if is_chosen else 1)
    style.setCosmetic(True)
    round_of_colours = pen.color_index // len(theme.pens)
    if round_of_colours:
        style.setDashPattern(_DASHES[(round_of_colours - 1) % len(_DASHES)])
    return style


def _most_ticks(height_px: float) -> int:
    return max(2, int(height_px / _TICK_GAP_Y_PX))


def _faint(colour: str, opacity: float) -> QColor:
    shade = QColor(colour)
    shade.setAlphaF(opacity)
    return shade


def _paint_gaps(painter: QPainter, scene: Scene) -> None:
    brush = QBrush(_faint(scene.theme.secondary, 0.30), Qt.BrushStyle.BDiagPattern)
    plot = scene.frame.plot
    spans = list(scene.gaps)
    if scene.lost_since_us is not None:
        spans.append((scene.lost_since_us, scene.now_us))
    for start_us, end_us in spans:
        left, right = max(plot.left(), scene.frame.x(start_us)), min(plot.right(), scene.frame.x(end_us))
        if right > left:
            painter.fillRect(QRectF(left, plot.top(), max(1.0, right - left), plot.height()), brush)


def _paint_grid_and_axes(painter: QPainter, scene: Scene) -> None:
    plot, theme = scene.frame.plot, scene.theme
    grid = QColor(mixed(theme.line, theme.panel, 0.55 if theme.is_dark else 0.45))
    _paint_time_axis(painter, scene, grid)
    left = plot.left()
    for index, scale in enumerate(scene.axes):
        left = _paint_value_axis(painter, scene, scale, left, grid if index == 0 else None)
    painter.setPen(QPen(QColor(theme.line), 1, Qt.PenStyle.DashLine if scene.lost_since_us else Qt.PenStyle.SolidLine))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(plot)


def _paint_time_axis(painter: QPainter, scene: Scene, grid: QColor) -> None:
    frame, theme = scene.frame, scene.theme
    zone = scene.look.zone
    top = frame.plot.bottom() + STRIP_PX + 4
    ticks = time_ticks(frame.start_us, frame.end_us, zone, max(2, int(frame.plot.width() / _TICK_GAP_X_PX)))
    height = scene.look.px(18)
    free_from = 0.0
    metrics = QFontMetricsF(painter.font())
    for tick in ticks:
        x = round(frame.x(tick.time_us))
        # Filled, not stroked: twenty stroked lines would cost more than twenty pens.
        line = QRect(x, int(frame.plot.top()), 1, int(frame.plot.height()))
        painter.fillRect(line, QColor(theme.line) if tick.is_day else grid)
        half = metrics.horizontalAdvance(tick.label) / 2 + 6
        middle = min(x, scene.frame.plot.right() + _RIGHT_PX - half)
        if middle - half >= free_from:
            painter.setPen(QColor(theme.text if tick.is_day else theme.secondary))
            painter.drawText(QRectF(middle - half, top, 2 * half, height), Qt.AlignmentFlag.AlignCenter, tick.label)
            free_from = middle + half


def _paint_value_axis(painter: QPainter, scene: Scene, scale: Scale, right: float, grid: QColor | None) -> float:
    """Draw one axis whose right edge is at `right`; returns where the next one goes."""
    frame, plot = scene.frame, scene.frame.plot
    ticks, decimals = value_ticks(scale, _most_ticks(plot.height()))
    width = axis_widths(scene.look, [scale], plot.height())[0]
    colour = QColor(_axis_colour(scene, scale))
    for tick in ticks:
        y = round(frame.y(tick, scale))
        if grid is not None:
            painter.fillRect(QRect(int(plot.left()), y, int(plot.width()), 1), grid)
        painter.setPen(colour)
        place = QRectF(right - width, y - 9, width - 6, 18)
        painter.drawText(
            place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, formatting.number(tick, decimals)
        )
    painter.setPen(colour)
    head = QRectF(right - width, 0, width - 6, plot.top() - 10)
    unit = QFontMetricsF(painter.font()).elidedText(scale.unit, Qt.TextElideMode.ElideRight, head.width())
    painter.drawText(head, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, unit)
    return right - width


def _axis_colour(scene: Scene, scale: Scale) -> str:
    own = [pen for pen in scene.pens if pen.unit == scale.unit]
    if len(scene.scales) > 1 and len(own) == 1:
        return scene.theme.pen(own[0].color_index)
    return scene.theme.secondary


def _paint_pens(painter: QPainter, scene: Scene) -> None:
    with_band = [pen for pen in scene.pens if scene.pictures[pen.id].low is not None]
    if len(with_band) <= _MOST_BANDS:
        for pen in with_band:
            _paint_band(painter, scene, pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in sorted(scene.pens, key=lambda one: one.id == scene.chosen):
        line = scene.pictures[pen.id].line
        if len(line):
            painter.setPen(pen_style(scene.theme, pen, is_chosen=pen.id == scene.chosen))
            _paint_line(painter, scene, stepped(line) if pen.is_step else line, scene.scales[pen.unit])


def _paint_line(painter: QPainter, scene: Scene, line: Line, scale: Scale) -> None:
    x, y = _x(scene, line), _y(scene, line.value, scale)
    for stroke in line.strokes():
        draw_line(painter, x[stroke], y[stroke])


def _paint_band(painter: QPainter, scene: Scene, pen: Pen) -> None:
    picture, scale = scene.pictures[pen.id], scene.scales[pen.unit]
    if picture.low is None or picture.high is None:
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_faint(scene.theme.pen(pen.color_index), 0.18))
    x, low, high = _x(scene, picture.line), _y(scene, picture.low, scale), _y(scene, picture.high, scale)
    for stroke in picture.line.strokes():
        draw_band(painter, x[stroke], low[stroke], high[stroke])


def _x(scene: Scene, line: Line) -> Floats:
    frame = scene.frame
    return frame.plot.left() + (line.time_us - frame.start_us) / frame.us_per_px


def _y(scene: Scene, value: Floats, scale: Scale) -> Floats:
    # Far outside the picture the raster engine gets slow and inexact: stay near it.
    height = scene.frame.plot.height()
    y = scene.frame.plot.bottom() - (value - scale.low) * (height / scale.extent)
    return np.clip(y, -4 * height, 5 * height)


def _paint_limits(painter: QPainter, scene: Scene) -> None:
    """Thin dashed lines with their labels at the right edge; labels that would overlap move up."""
    plot = scene.frame.plot
    metrics = QFontMetricsF(painter.font())
    lowest_free = plot.bottom()
    for y, pen, limit in sorted(_limits_in_view(scene), key=lambda one: -one[0]):
        painter.setPen(_limit_pen(scene))
        painter.drawLine(QLineF(plot.left(), y, plot.right(), y))
        text = f"{limit.label} {formatting.with_unit(limit.value, pen.decimals, pen.unit)}".strip()
        bottom = min(y - 2, lowest_free)
        place = QRectF(
            plot.right() - metrics.horizontalAdvance(text) - 14, bottom - 15, metrics.horizontalAdvance(text) + 10, 15
        )
        painter.fillRect(place, _faint(scene.theme.panel, 0.85))
        painter.setPen(QColor(scene.theme.text))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
        lowest_free = bottom - 16


def _limit_pen(scene: Scene) -> QPen:
    style = QPen(QColor(scene.theme.text), 1)
    style.setDashPattern([6.0, 4.0])
    return style


def _limits_in_view(scene: Scene) -> list[tuple[float, Pen, Limit]]:
    found: dict[tuple[str, float, str], tuple[float, Pen, Limit]] = {}
    plot = scene.frame.plot
    for pen in scene.pens:
        for limit in pen.limits:
            y = round(scene.frame.y(limit.value, scene.scales[pen.unit])) + 0.5
            if plot.top() <= y <= plot.bottom():
                found[pen.unit, limit.value, limit.label] = (y, pen, limit)
    return list(found.values())


def _paint_strip(painter: QPainter, scene: Scene) -> None:
    """Alarm periods under the plot; the most urgent on top where they overlap."""
    plot, theme = scene.frame.plot, scene.theme
    top = plot.bottom() + 3
    for period in sorted(scene.periods, key=lambda one: -one.priority):
        left = max(plot.left(), scene.frame.x(period.start_us))
        right = min(plot.right(), scene.frame.x(period.end_us or scene.now_us))
        if right < plot.left() or left > plot.right():
            continue
        bar = QRectF(left, top, max(3.0, right - left), STRIP_PX)
        painter.setPen(QPen(QColor(theme.outline), 1))
        painter.setBrush(QColor(theme.alarms[period.priority].fill))
        painter.drawRect(bar)


def _paint_corner(painter: QPainter, scene: Scene) -> None:
    """Bin width and note at the top right, the zone under the axes."""
    plot, frame = scene.frame.plot, scene.frame
    parts = [scene.note] if scene.note else []
    if scene.bin_width_us:
        parts.append(say("bins of {width}", width=formatting.span(scene.bin_width_us)))
    painter.setPen(QColor(scene.theme.secondary))
    place = QRectF(plot.left(), 0, plot.width(), plot.top() - 10)
    painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, "   ".join(parts))
    # The zone stands once per view, left in the head of the plot.
    zone = formatting.zone_name(frame.end_us, scene.look.zone)
    painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, zone)


def _paint_lost(painter: QPainter, scene: Scene, since_us: int) -> None:
    text = say(
        "Not connected since {time} ({age}): what follows is unknown",
        time=formatting.clock_time(since_us, scene.look.zone),
        age=formatting.age((scene.now_us - since_us) / 1e6),
    )
    metrics = QFontMetricsF(scene.look.font(LABEL_PT, is_bold=True))
    painter.setFont(scene.look.font(LABEL_PT, is_bold=True))
    plot = scene.frame.plot
    place = QRectF(plot.left() + 8, plot.top() + 8, min(plot.width() - 16, metrics.horizontalAdvance(text) + 20), 24)
    painter.setPen(QPen(QColor(scene.theme.secondary), 1, Qt.PenStyle.DashLine))
    painter.setBrush(QColor(scene.theme.raised))
    painter.drawRect(place)
    painter.setPen(QColor(scene.theme.text))
    painter.drawText(
        place, Qt.AlignmentFlag.AlignCenter, metrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width() - 12)
    )


def _paint_cursor(painter: QPainter, scene: Scene, time_us: int) -> None:
    plot, theme = scene.frame.plot, scene.theme
    x = round(scene.frame.x(time_us)) + 0.5
    if not plot.left() <= x <= plot.right():
        return
    painter.setPen(QPen(QColor(theme.text), 1))
    painter.drawLine(QLineF(x, plot.top(), x, plot.bottom()))
    for reading in scene.readings:
        if reading.value is not None:
            y = scene.frame.y(reading.value, scene.scales[reading.pen.unit])
            if plot.top() <= y <= plot.bottom():
                painter.setBrush(QColor(theme.pen(reading.pen.color_index)))
                painter.drawRect(QRectF(x - 2.5, round(y) - 2, 5, 5))
    _paint_readings(painter, scene, time_us, x)


def _paint_readings(painter: QPainter, scene: Scene, time_us: int, x: float) -> None:
    """A box beside the cursor: the time, then one line per pen."""
    plot, theme = scene.frame.plot, scene.theme
    painter.setFont(scene.look.font(LABEL_PT))
    metrics = QFontMetricsF(painter.font())
    with_ms = scene.frame.us_per_px < 100_000
    title = formatting.clock_time(time_us, scene.look.zone, with_date=True, with_ms=with_ms)
    row = metrics.height() + 3
    fitting = scene.readings[: max(1, int((plot.height() - 24) / row) - 1)]
    texts = [(one.pen.label, formatting.with_unit(one.value, one.pen.decimals, one.pen.unit)) for one in fitting]
    label_px = min(220.0, max((metrics.horizontalAdvance(label) for label, _ in texts), default=0.0))
    value_px = max((metrics.horizontalAdvance(value) for _, value in texts), default=0.0)
    width = max(metrics.horizontalAdvance(title), 14 + label_px + 12 + value_px) + 16
    left = x + 10 if x + 10 + width <= plot.right() else x - 10 - width
    box = QRectF(round(left) + 0.5, plot.top() + 8, width, row * (len(texts) + 1) + 10)
    painter.setPen(QPen(QColor(theme.line), 1))
    painter.setBrush(QColor(theme.raised))
    painter.drawRect(box)
    painter.setPen(QColor(theme.text))
    painter.drawText(QPointF(box.left() + 8, box.top() + 5 + metrics.ascent()), title)
    for index, (reading, (label, value)) in enumerate(zip(fitting, texts, strict=True), start=1):
        line = QRectF(box.left() + 8, box.top() + 5 + index * row, width - 16, row)
        painter.fillRect(QRectF(line.left(), line.center().y() - 4, 8, 8), QColor(theme.pen(reading.pen.color_index)))
        painter.setPen(QColor(theme.secondary))
        shown = metrics.elidedText(label, Qt.TextElideMode.ElideRight, label_px)
        painter.drawText(line.adjusted(14, 0, 0, 0), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.setPen(QColor(theme.live))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, value)
