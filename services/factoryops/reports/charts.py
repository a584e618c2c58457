"""Vector charts for paper: the same pens, bands, limits and alarm shapes as on the screen."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from reportlab.graphics.shapes import Drawing, Ellipse, Group, Line, Polygon, PolyLine, Rect, String
from reportlab.lib.colors import Color

from factoryops.domain.bins import BinnedSeries
from factoryops.domain.time import US_PER_S, from_us, to_us
from factoryops.reports import paper
from factoryops.reports.text import BOLD, REGULAR, fitted, font_for

_TICK_HOURS: Final = (1, 2, 3, 4, 6, 12, 24, 48, 168)
_LEFT: Final = 34.0
_STRIP: Final = 4.0


@dataclass(frozen=True, slots=True)
class Span:
    """What the time axis covers, in microseconds since 1970, and whose clock it shows."""

    start_us: int
    end_us: int
    zone: ZoneInfo

    def place(self, time_us: int, width: float) -> float:
        """Where a moment lies on an axis `width` points long, kept inside of it."""
        share = (time_us - self.start_us) / max(self.end_us - self.start_us, 1)
        return min(max(share, 0.0), 1.0) * width


@dataclass(frozen=True, slots=True)
class Limit:
    """A rule's limit, drawn as a thin dashed line."""

    value: float
    priority: int


@dataclass(frozen=True, slots=True)
class Period:
    """A time an alarm was active; `end_us` is the end of the span while it lasts."""

    start_us: int
    end_us: int
    priority: int


@dataclass(frozen=True, slots=True)
class Curve:
    """One parameter over the span.

    Attributes:
        bins: min, max and mean per bin.
        gap_us: a hole longer than this breaks the line.
    """

    title: str
    unit: str
    decimals: int
    bins: BinnedSeries
    gap_us: int
    limits: tuple[Limit, ...] = ()


def line_chart(
    curve: Curve, span: Span, size: tuple[float, float], colour: Color, periods: Sequence[Period] = ()
) -> Any:
    """A chart with a min-max band, the mean on top, limits and, underneath, the device's alarms."""
    width, height = size
    drawing = Drawing(width, height)
    title = fitted(f"{curve.title} ({curve.unit})" if curve.unit else curve.title, width - 4, 8)
    drawing.add(_text(0, height - 8, title, 8, paper.TEXT))
    plot = _Plot(_LEFT, 13 + _STRIP, width - _LEFT - 9, height - 28 - _STRIP, span, _scale(curve))
    for part in plot.frame(curve.decimals):
        drawing.add(part)
    for limit in curve.limits:
        drawing.add(plot.limit(limit))
    for part in plot.line(curve, colour):
        drawing.add(part)
    for period in periods:
        drawing.add(plot.alarm(period))
    return drawing


def _scale(curve: Curve) -> tuple[float, float]:
    """The value axis: all values, near limits too, with a little air; never a flat line on the frame."""
    if not len(curve.bins):
        return 0.0, 1.0
    low, high = float(curve.bins.minimum.min()), float(curve.bins.maximum.max())
    reach = max(high - low, 1e-9)
    near = [limit.value for limit in curve.limits if low - reach <= limit.value <= high + reach]
    low, high = min([low, *near]), max([high, *near])
    air = max((high - low) * 0.08, 10.0**-curve.decimals)
    return low - air, high + air


@dataclass(frozen=True, slots=True)
class _Plot:
    """The plotting area, and how values and times lie in it."""

    x: float
    y: float
    width: float
    height: float
    span: Span
    scale: tuple[float, float]

    def y_of(self, value: float) -> float:
        low, high = self.scale
        share = (value - low) / (high - low)
        return self.y + min(max(share, 0.0), 1.0) * self.height

    def x_of(self, time_us: float) -> float:
        return self.x + self.span.place(int(time_us), self.width)

    def frame(self, decimals: int) -> Iterator[Any]:
        """Grid and labels."""
        for value in _round_values(*self.scale):
            y = self.y_of(value)
            yield Line(self.x, y, self.x + self.width, y, strokeColor=paper.GRID, strokeWidth=0.4)
            yield _text(self.x - 3, y - 2.2, _tick(value, decimals), 6, paper.SECONDARY, anchor="end")
        for time_us, label in time_ticks(self.span, int(self.width // 34)):
            x = self.x_of(time_us)
            yield Line(x, self.y, x, self.y + self.height, strokeColor=paper.GRID, strokeWidth=0.4)
            yield _text(x, self.y - _STRIP - 9, label, 6, paper.SECONDARY, anchor="middle")
        yield Rect(self.x, self.y, self.width, self.height, strokeColor=paper.LINE, strokeWidth=0.5, fillColor=None)

    def limit(self, limit: Limit) -> Any:
        low, high = self.scale
        if not low <= limit.value <= high:
            return Group()
        y = self.y_of(limit.value)
        dash = Line(self.x, y, self.x + self.width, y, strokeColor=paper.TEXT, strokeWidth=0.5, strokeDashArray=[3, 2])
        return Group(dash, badge(self.x + self.width + 2, y - 2.5, 5, limit.priority))

    def line(self, curve: Curve, colour: Color) -> Iterator[Any]:
        """Band and mean, broken at gaps."""
        bins = curve.bins
        band = Color(colour.red, colour.green, colour.blue, alpha=0.18)
        for part in _unbroken(bins.start_us, max(curve.gap_us, 2 * bins.width_us)):
            xs = [self.x_of(time_us + bins.width_us / 2) for time_us in bins.start_us[part]]
            lows = [self.y_of(float(value)) for value in bins.minimum[part]]
            highs = [self.y_of(float(value)) for value in bins.maximum[part]]
            means = [self.y_of(float(value)) for value in bins.mean[part]]
            if len(xs) == 1:
                xs, lows, highs, means = [xs[0], xs[0] + 0.6], lows * 2, highs * 2, means * 2
            outline = [*zip(xs, highs, strict=True), *zip(reversed(xs), reversed(lows), strict=True)]
            yield Polygon(_flat(outline), strokeColor=None, strokeWidth=0, fillColor=band)
            yield PolyLine(_flat(zip(xs, means, strict=True)), strokeColor=colour, strokeWidth=0.7)

    def alarm(self, period: Period) -> Any:
        """One bar of the strip under the plot."""
        left, right = self.x_of(period.start_us), self.x_of(period.end_us)
        length = max(right - left, 2.2)
        left = min(left, self.x + self.width - length)
        return _bar(left, self.y - _STRIP - 1, length, _STRIP - 0.5, period.priority)


def timeline(rows: Sequence[tuple[str, Sequence[Period]]], span: Span, width: float) -> Any:
    """When each device was in alarm: one row per device over the whole span."""
    row_height, label_width = 13.0, 118.0
    height = row_height * len(rows) + 14
    drawing = Drawing(width, height)
    plot_width = width - label_width - 4
    for time_us, label in time_ticks(span, int(plot_width // 30)):
        x = label_width + span.place(time_us, plot_width)
        drawing.add(Line(x, 12, x, height, strokeColor=paper.GRID, strokeWidth=0.4))
        drawing.add(_text(x, 3, label, 6.5, paper.SECONDARY, anchor="middle"))
    for number, (name, periods) in enumerate(rows):
        y = height - row_height * (number + 1)
        drawing.add(Line(0, y, width - 4, y, strokeColor=paper.LINE, strokeWidth=0.25))
        drawing.add(_text(0, y + 3.5, fitted(name, label_width - 8, 8), 8, paper.TEXT))
        for period in sorted(periods, key=lambda one: -one.priority):
            left, right = (span.place(edge, plot_width) for edge in (period.start_us, period.end_us))
            length = max(right - left, 2.6)
            left = min(left, plot_width - length)
            drawing.add(_bar(label_width + left, y + 3, length, row_height - 6, period.priority))
    return drawing


def _bar(x: float, y: float, width: float, height: float, priority: int) -> Any:
    fill = paper.PRIORITY_FILL[priority]
    return Rect(x, y, width, height, fillColor=fill, strokeColor=paper.TEXT, strokeWidth=0.25)


def badge(x: float, y: float, size: float, priority: int) -> Any:
    """The shape of a priority with its number: square, triangle up, triangle down, ellipse."""
    style = {"fillColor": paper.PRIORITY_FILL[priority], "strokeColor": paper.TEXT, "strokeWidth": 0.5}
    middle = x + size / 2
    shapes = {
        1: lambda: Rect(x, y, size, size, **style),
        2: lambda: Polygon([x - 1, y, x + size + 1, y, middle, y + size + 1], **style),
        3: lambda: Polygon([x - 1, y + size + 1, x + size + 1, y + size + 1, middle, y], **style),
        4: lambda: Ellipse(middle, y + size / 2, size / 2 + 0.8, size / 2, **style),
    }
    lift = {1: 0.2, 2: 0.09, 3: 0.42, 4: 0.2}[priority]
    number = String(
        middle, y + size * lift, str(priority), fontName=BOLD, fontSize=size * 0.72, textAnchor="middle",
        fillColor=paper.PRIORITY_TEXT[priority],
    )  # fmt: skip
    return Group(shapes[priority](), number)


def badge_drawing(priority: int, size: float = 8.0) -> Any:
    """A badge that stands in a table cell."""
    drawing = Drawing(size + 3, size + 2)
    drawing.add(badge(1.5, 0.5, size, priority))
    return drawing


def time_ticks(span: Span, most: int) -> list[tuple[int, str]]:
    """Moments on round local hours, with their labels; the date where a day begins and the span is longer."""
    hours = (span.end_us - span.start_us) / US_PER_S / 3_600
    step = next((step for step in _TICK_HOURS if hours / step <= max(most, 2)), _TICK_HOURS[-1])
    shows_dates = hours > 30
    moment = _local_midnight(from_us(span.start_us), span.zone)
    ticks: list[tuple[int, str]] = []
    while (time_us := to_us(moment.astimezone(UTC))) <= span.end_us:
        if time_us >= span.start_us:
            is_day = moment.hour == 0 and shows_dates
            ticks.append((time_us, moment.strftime("%d %b" if is_day else "%H:%M")))
        moment = (moment.replace(tzinfo=None) + timedelta(hours=step)).replace(tzinfo=span.zone)
    return ticks


def _local_midnight(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _round_values(low: float, high: float) -> list[float]:
    """Three to five round numbers inside (low, high)."""
    rough = (high - low) / 4.5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    first = math.ceil(low / step)
    return [index * step for index in range(first, math.floor(high / step) + 1)]


def _tick(value: float, decimals: int) -> str:
    text = f"{value:,.{min(decimals, 3)}f}"
    shorter = text.rstrip("0").rstrip(".") if "." in text else text
    return (shorter if shorter not in ("-0", "") else "0").replace(",", "\u00a0")


def _unbroken(start_us: np.ndarray, gap_us: int) -> Iterator[slice]:
    edges = np.flatnonzero(np.diff(start_us) > gap_us) + 1
    bounds = [0, *edges.tolist(), len(start_us)]
    for first, last in pairwise(bounds):
        if last > first:
            yield slice(first, last)


def _flat(points: Any) -> list[float]:
    return [round(number, 2) for point in points for number in point]


def _text(x: float, y: float, text: str, size: float, colour: Color, *, anchor: str = "start") -> Any:
    font = font_for(text, REGULAR)
    return String(x, y, text, fontName=font, fontSize=size, fillColor=colour, textAnchor=anchor)
