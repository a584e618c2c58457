"""The banner above every page: the worst alarms, the counts, and whether what is shown is true. It cannot be closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QToolTip, QWidget

from factoryops.domain.alarms import UNANSWERED, Priority
from factoryops.domain.time import now_us
from factoryops_resources.words import say
from factoryops_widgets import banner_painter, formatting
from factoryops_widgets.alarm_badge import AlarmMark, is_flash_on
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.redraw_clock import RedrawClock

MOST_LINES: Final = 3
LINE_PX: Final = 24
_PAD_PX: Final = 4


class LinkState(StrEnum):
    """The connection to the service."""

    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class BannerLine:
    """One alarm in the banner; `text` says what is wrong, `device` where."""

    alarm_id: str
    mark: AlarmMark
    raised_us: int | None
    device: str
    text: str


@dataclass(frozen=True, slots=True)
class AlarmCount:
    """Alarms of one priority."""

    unacknowledged: int = 0
    acknowledged: int = 0


@dataclass(slots=True)
class BannerFacts:
    """Everything the banner says."""

    lines: tuple[BannerLine, ...]
    counts: dict[Priority, AlarmCount]
    link: LinkState = LinkState.LOST
    link_since_us: int | None = None
    status: str = ""
    problems: tuple[str, ...] = ()
    put_aside: tuple[int, int, int] = (0, 0, 0)
    flood_count: int = 0
    data_us: int | None = None
    user: str = ""
    factory: str = ""
    more: int = 0


class AlarmBanner(QWidget):
    """Permanent; up to three lines, most urgent first.

    Attributes:
        line_activated: an alarm's id; clicked, or Enter on it.
        acknowledge_requested: ids of the unacknowledged lines shown.
        status_activated: the state of the connection or of the service was clicked.
    """

    line_activated = Signal(str)
    acknowledge_requested = Signal(list)
    status_activated = Signal()

    def __init__(self, look: Appearance, clock: RedrawClock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._facts = BannerFacts((), {priority: AlarmCount() for priority in Priority})
        self._moment_us = now_us()
        self._drawn: object = None
        self._chosen = 0
        self._acknowledge = QPushButton(self)
        self._acknowledge.clicked.connect(self._on_acknowledge)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addStretch(1)
        layout.addWidget(self._acknowledge)
        layout.addSpacing(0)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        look.changed.connect(self._on_look_changed)
        clock.register(self, self._on_tick, most_hz=4.0)
        self._on_look_changed()

    @property
    def facts(self) -> BannerFacts:
        """What the banner says now."""
        return self._facts

    def set_lines(self, lines: Sequence[BannerLine]) -> None:
        """The alarms to choose from; shown are up to three: unacknowledged first, then priority, then newest."""
        ordered = sorted(lines, key=_urgency)
        self._facts.lines = tuple(ordered[:MOST_LINES])
        self._facts.more = sum(_is_open(line) for line in ordered[MOST_LINES:])
        self._chosen = min(self._chosen, max(0, len(self._facts.lines) - 1))
        self._acknowledge.setVisible(any(_is_open(line) for line in self._facts.lines))
        self._say()

    def set_counts(self, counts: Mapping[Priority, AlarmCount]) -> None:
        """How many alarms there are by priority."""
        self._facts.counts = {priority: counts.get(priority, AlarmCount()) for priority in Priority}
        self._say()

    def set_put_aside(self, shelved: int, suppressed: int, out_of_service: int) -> None:
        """How many alarms tell nobody, and why."""
        self._facts.put_aside = (shelved, suppressed, out_of_service)
        self._say()

    def set_flood(self, count: int) -> None:
        """How many alarms came within ten minutes while that is a flood; 0 for none."""
        self._facts.flood_count = count
        self._say()

    def set_acknowledging(self, *, is_allowed: bool) -> None:
        """Whether the user may acknowledge now; otherwise the button stays in sight, but disabled."""
        self._acknowledge.setEnabled(is_allowed)

    def set_link(self, state: LinkState, since_us: int | None = None) -> None:
        """The state of the connection, and since when."""
        self._facts.link, self._facts.link_since_us = state, since_us
        self._say()

    def set_service(self, status: str, problems: Sequence[str] = (), data_us: int | None = None) -> None:
        """What the service says of itself ("ok" or worse, in its words) and the time of the newest data."""
        self._facts.status, self._facts.problems, self._facts.data_us = status, tuple(problems), data_us
        self._say()

    def set_identity(self, user: str, factory: str) -> None:
        """Who is logged in, and where."""
        self._facts.user, self._facts.factory = user, factory
        self._say()

    def sizeHint(self) -> QSize:
        """Always as high as three lines, so that nothing below ever moves."""
        return QSize(900, MOST_LINES * self._look.px(LINE_PX) + 2 * _PAD_PX)

    def minimumSizeHint(self) -> QSize:
        """Narrow screens cut texts, never facts."""
        return QSize(640, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the banner."""
        painter = QPainter(self)
        banner_painter.paint(painter, self._picture())
        painter.end()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Open the line, or the state, under the mouse."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if (index := self._line_at(event.position().y(), event.position().x())) is not None:
            self._chosen = index
            self.line_activated.emit(self._facts.lines[index].alarm_id)
        elif self._picture().status_place().contains(event.position()):
            self.status_activated.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down choose a line, Enter opens it."""
        lines = self._facts.lines
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and lines:
            step = 1 if event.key() == Qt.Key.Key_Down else -1
            self._chosen = (self._chosen + step) % len(lines)
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and lines:
            self.line_activated.emit(lines[self._chosen].alarm_id)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show which line is chosen."""
        super().focusInEvent(event)
        self.update()

    def event(self, event: QEvent) -> bool:
        """Say a cut line, or the service's problems, in full."""
        if event.type() == QEvent.Type.ToolTip:
            place = self.mapFromGlobal(self.cursor().pos())
            index = self._line_at(place.y(), place.x())
            text = self._facts.lines[index].text if index is not None else "\n".join(self._facts.problems)
            QToolTip.showText(self.cursor().pos(), formatting.plain(text), self)
            return True
        return super().event(event)

    def _picture(self) -> banner_painter.BannerPicture:
        button_px = self._acknowledge.width() + 12 if self._acknowledge.isVisibleTo(self) else 0
        return banner_painter.BannerPicture(
            self._look, self.size(), self._facts, self._moment_us, button_px, self._chosen if self.hasFocus() else None
        )

    def _line_at(self, y_px: float, x_px: float) -> int | None:
        picture = self._picture()
        places = (picture.line_place(index) for index in range(len(self._facts.lines)))
        return next((index for index, place in enumerate(places) if place.contains(x_px, y_px)), None)

    def _on_acknowledge(self) -> None:
        self.acknowledge_requested.emit([line.alarm_id for line in self._facts.lines if _is_open(line)])

    def _on_tick(self, moment_us: int) -> None:
        self._moment_us = moment_us
        flashes = tuple(is_flash_on(line.mark.state, moment_us) for line in self._facts.lines)
        drawn = (moment_us // 1_000_000, flashes)
        if drawn != self._drawn:
            self._drawn = drawn
            self.update()

    def _on_look_changed(self) -> None:
        self._acknowledge.setText(say("Acknowledge"))
        self._acknowledge.setToolTip(say("Acknowledge the alarms shown here"))
        self._acknowledge.setVisible(any(_is_open(line) for line in self._facts.lines))
        layout = self.layout()
        if layout is not None:
            layout.setContentsMargins(0, 0, self._look.px(banner_painter.RIGHT_PX) + 8, 0)
        self.setFixedHeight(self.sizeHint().height())
        self._say()

    def _say(self) -> None:
        open_alarms = sum(count.unacknowledged for count in self._facts.counts.values())
        self.setAccessibleName(say("Alarm banner, {count} unacknowledged", count=open_alarms))
        self.setAccessibleDescription("; ".join(f"{line.device}: {line.text}" for line in self._facts.lines))
        self.update()


def _is_open(line: BannerLine) -> bool:
    return line.mark.state in UNANSWERED


def _urgency(line: BannerLine) -> tuple[bool, int, int]:
    return not _is_open(line), int(line.mark.priority), -(line.raised_us or 0)
