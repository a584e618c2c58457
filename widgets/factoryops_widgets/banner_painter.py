"""How the alarm banner is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from factoryops.domain.alarms import AlarmState, Priority
from factoryops_resources.words import say
from factoryops_widgets import formatting
from factoryops_widgets.alarm_badge import AlarmMark, paint_badge
from factoryops_widgets.appearance import BODY_PT, LABEL_PT, SECTION_PT, Appearance

if TYPE_CHECKING:
    from factoryops_widgets.alarm_banner import BannerFacts, BannerLine

RIGHT_PX: Final = 580
_STATUS_PX: Final = 316
_COUNT_LABEL_PX: Final = 112
_LINE_PX: Final = 24
_PAD_PX: Final = 4
_TIME_PX: Final = 74
_LEFT_ALIGNED: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT_ALIGNED: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class BannerPicture:
    """Everything one picture of the banner is made of."""

    look: Appearance
    size: QSize
    facts: BannerFacts
    moment_us: int
    button_px: int
    chosen: int | None

    def line_place(self, index: int) -> QRectF:
        """Where line `index` stands."""
        height = self.look.px(_LINE_PX)
        width = self.size.width() - self.look.px(RIGHT_PX) - self.button_px - 12
        return QRectF(6, _PAD_PX + index * height, max(40, width), height)

    def counts_place(self) -> QRectF:
        """Where the counts stand."""
        left = self.size.width() - self.look.px(RIGHT_PX)
        return QRectF(left + 8, _PAD_PX, self.look.px(RIGHT_PX - _STATUS_PX) - 16, self.size.height() - 2 * _PAD_PX)

    def status_place(self) -> QRectF:
        """Where connection, service, user and clock stand."""
        left = self.size.width() - self.look.px(_STATUS_PX)
        return QRectF(left + 8, _PAD_PX, self.look.px(_STATUS_PX) - 16, self.size.height() - 2 * _PAD_PX)


def paint(painter: QPainter, picture: BannerPicture) -> None:
    """Draw the whole banner."""
    theme = picture.look.theme
    width, height = picture.size.width(), picture.size.height()
    painter.fillRect(QRectF(0, 0, width, height), QColor(theme.panel))
    painter.setPen(QPen(QColor(theme.line), 1))
    painter.drawLine(QLineF(0, height - 0.5, width, height - 0.5))
    for place in (picture.counts_place(), picture.status_place()):
        edge = round(place.left() - 8) + 0.5
        painter.drawLine(QLineF(edge, 8, edge, height - 9))
    if picture.facts.lines:
        for index, line in enumerate(picture.facts.lines):
            _paint_line(painter, picture, index, line)
    else:
        _paint_quiet(painter, picture)
    _paint_counts(painter, picture)
    _paint_status(painter, picture)


def _paint_quiet(painter: QPainter, picture: BannerPicture) -> None:
    is_connected = picture.facts.link == "connected"
    painter.setPen(QColor(picture.look.theme.secondary))
    painter.setFont(picture.look.font(BODY_PT))
    text = say("No alarms") if is_connected else say("Alarms unknown: not connected")
    painter.drawText(picture.line_place(1).adjusted(6, 0, 0, 0), _LEFT_ALIGNED, text)


def _paint_line(painter: QPainter, picture: BannerPicture, index: int, line: BannerLine) -> None:
    look, theme = picture.look, picture.look.theme
    place = picture.line_place(index)
    if picture.chosen == index:
        painter.setPen(QPen(QColor(theme.accent), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(place.adjusted(0, 1, 0, -1))
    side = look.px(20)
    painter.setFont(look.font(LABEL_PT, is_bold=True))
    badge = QRectF(place.left() + 2, place.center().y() - side / 2, side, side)
    paint_badge(painter, badge, line.mark, theme, picture.moment_us)
    left = badge.right() + 8
    is_new = line.mark.state is AlarmState.UNACKNOWLEDGED
    font = look.font(BODY_PT, is_bold=is_new)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    if line.raised_us is not None:
        painter.setPen(QColor(theme.secondary))
        time = formatting.clock_time(line.raised_us, look.zone)
        painter.drawText(QRectF(left, place.top(), look.px(_TIME_PX), place.height()), _LEFT_ALIGNED, time)
    left += look.px(_TIME_PX)
    painter.setPen(QColor(theme.text))
    text = f"{line.device}   {line.text}".replace("\n", " ")
    extra = _beyond(picture.facts) if index == len(picture.facts.lines) - 1 else ""
    extra_px = metrics.horizontalAdvance(extra)
    room = place.right() - left - extra_px
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
    painter.drawText(QRectF(left, place.top(), room, place.height()), _LEFT_ALIGNED, shown)
    if extra:
        painter.setPen(QColor(theme.secondary))
        painter.drawText(QRectF(place.right() - extra_px, place.top(), extra_px, place.height()), _RIGHT_ALIGNED, extra)


def _beyond(facts: BannerFacts) -> str:
    """What stands behind the last line: the flood, and how many more wait."""
    flood = say("  Flood: {count} alarms in 10 min", count=facts.flood_count) if facts.flood_count else ""
    return flood + (say("  +{count} more", count=facts.more) if facts.more else "")


def _paint_counts(painter: QPainter, picture: BannerPicture) -> None:
    """A small table: badges across, unacknowledged and acknowledged down."""
    look, theme, place = picture.look, picture.look.theme, picture.counts_place()
    label_px = look.px(_COUNT_LABEL_PX)
    step = (place.width() - label_px) / len(Priority)
    rows = [look.px(_LINE_PX) * row + place.top() for row in range(3)]
    height = look.px(_LINE_PX)
    painter.setFont(look.font(LABEL_PT))
    painter.setPen(QColor(theme.secondary))
    for top, text in ((rows[0], put_aside_text(picture.facts)), (rows[1], say("unack.")), (rows[2], say("ack."))):
        painter.drawText(QRectF(place.left(), top, label_px, height), _LEFT_ALIGNED, text)
    for column, priority in enumerate(Priority):
        count = picture.facts.counts[priority]
        left = place.left() + label_px + column * step
        side = look.px(20)
        total = count.unacknowledged + count.acknowledged
        painter.setOpacity(1.0 if total else 0.35)
        painter.setFont(look.font(LABEL_PT, is_bold=True))
        mark = AlarmMark(priority, AlarmState.ACKNOWLEDGED)
        paint_badge(painter, QRectF(left + step / 2 - side / 2, rows[0] + 2, side, side), mark, theme, 0)
        painter.setOpacity(1.0)
        for top, number in ((rows[1], count.unacknowledged), (rows[2], count.acknowledged)):
            painter.setFont(look.font(BODY_PT, is_bold=bool(number)))
            painter.setPen(QColor(theme.text if number else theme.secondary))
            painter.drawText(QRectF(left, top, step, height), Qt.AlignmentFlag.AlignCenter, str(number))


def put_aside_text(facts: BannerFacts) -> str:
    """Such as "S 2 · OOS 1"; "" while every alarm may tell."""
    counted = zip(("S", "SUP", "OOS"), facts.put_aside, strict=True)
    return " \N{MIDDLE DOT} ".join(f"{letter} {count}" for letter, count in counted if count)


def _paint_status(painter: QPainter, picture: BannerPicture) -> None:
    look, theme, facts = picture.look, picture.look.theme, picture.facts
    place = picture.status_place()
    height = look.px(_LINE_PX)
    rows = [QRectF(place.left(), place.top() + row * height, place.width(), height) for row in range(3)]
    painter.setFont(look.font(SECTION_PT, is_bold=True))
    painter.setPen(QColor(theme.text))
    painter.drawText(rows[0], _RIGHT_ALIGNED, formatting.clock_time(picture.moment_us, look.zone))
    clock_px = QFontMetricsF(painter.font()).horizontalAdvance("00:00:00") + 12
    painter.setFont(look.font(LABEL_PT))
    painter.setPen(QColor(theme.secondary))
    date = formatting.clock_time(picture.moment_us, look.zone, with_date=True).split(" ")[0]
    zone = f"{date}  {formatting.zone_name(picture.moment_us, look.zone)}"
    _paint_cut(painter, rows[0].adjusted(0, 0, -clock_px, 0), zone)
    _paint_link(painter, picture, rows[1])
    painter.setFont(look.font(LABEL_PT))
    painter.setPen(QColor(theme.secondary))
    _paint_cut(painter, rows[2], "  \N{MIDDLE DOT}  ".join(part for part in (facts.user, facts.factory) if part))


def _paint_link(painter: QPainter, picture: BannerPicture, place: QRectF) -> None:
    """Connection and service in one line; anything but quiet is bold with a sign before it."""
    look, theme = picture.look, picture.look.theme
    text, is_well = status_text(picture)
    painter.setFont(look.font(LABEL_PT, is_bold=not is_well))
    painter.setPen(QColor(theme.secondary if is_well else theme.text))
    if not is_well:
        sign = QRectF(place.left(), place.center().y() - 6, 12, 12)
        pen = QPen(QColor(theme.text), 1, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(sign)
        painter.drawText(sign, Qt.AlignmentFlag.AlignCenter, "!")
        place = place.adjusted(18, 0, 0, 0)
    _paint_cut(painter, place, text)


def status_text(picture: BannerPicture) -> tuple[str, bool]:
    """What the connection and the service are like in words, and whether all is well."""
    facts, zone = picture.facts, picture.look.zone
    if facts.link != "connected":
        since = facts.link_since_us
        if since is None:
            return say("Not connected"), False
        age = formatting.age((picture.moment_us - since) / 1e6)
        time = formatting.clock_time(since, zone)
        if facts.link == "reconnecting":
            return say("Reconnecting, no data since {time} ({age})", time=time, age=age), False
        return say("Not connected since {time} ({age})", time=time, age=age), False
    if facts.problems:
        return facts.problems[0], False
    if facts.data_us is None:
        return say("Connected"), True
    age = formatting.age((picture.moment_us - facts.data_us) / 1e6)
    return say("Connected, newest data {age} old", age=age), True


def _paint_cut(painter: QPainter, place: QRectF, text: str) -> None:
    shown = QFontMetricsF(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, place.width())
    painter.drawText(place, _LEFT_ALIGNED, shown)
