"""TrendView: history and live as one line, up to twenty pens, with limits, alarms, gaps and a cursor."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QPushButton, QToolTip, QWidget

from factoryops.domain.bins import BinnedSeries
from factoryops.domain.time import US_PER_S, now_us
from factoryops_resources.words import say
from factoryops_widgets import formatting
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.decimation import Times, Values
from factoryops_widgets.pen_data import PenData, Picture
from factoryops_widgets.redraw_clock import RedrawClock
from factoryops_widgets.trend_mouse import TrendInput
from factoryops_widgets.trend_painter import STRIP_PX, Frame, Reading, Scene, axis_widths, paint, plot_rect
from factoryops_widgets.trend_scales import Scale, group_scales
from factoryops_widgets.trend_types import AlarmPeriod, Gap, Limit, Pen, PenStatistics, TrendMode

__all__ = ["AlarmPeriod", "Gap", "Limit", "Pen", "PenStatistics", "TrendMode", "TrendView"]

DEFAULT_SPAN_US: Final = 30 * 60 * US_PER_S
SHORTEST_SPAN_US: Final = US_PER_S
LONGEST_SPAN_US: Final = 5 * 366 * 86_400 * US_PER_S
_SETTLE_MS: Final = 300
_LEAD_SHARE: Final = 0.01


class TrendView(QWidget):
    """A trend over time.

    It scrolls by the clock while live. Any move away from now holds it; `End` or the button returns. The owner
    answers `range_changed` with `set_history` or `set_samples` for every pen.

    Attributes:
        range_changed: (start_us, end_us) as objects, 300 ms after the last move, and again from time to time while
            live: ask for this history.
        mode_changed: the TrendMode.
        cursor_moved: the time under the cursor in µs, or None.
    """

    range_changed = Signal(object, object)
    mode_changed = Signal(object)
    cursor_moved = Signal(object)

    def __init__(self, look: Appearance, clock: RedrawClock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._pens: tuple[Pen, ...] = ()
        self._hidden: set[str] = set()
        self._data: dict[str, PenData] = {}
        self._scales: dict[str, Scale] = {}
        self._gaps: list[Gap] = []
        self._periods: list[AlarmPeriod] = []
        self._mode = TrendMode.LIVE
        self._length_us = DEFAULT_SPAN_US
        self._end_us = self._now_us = now_us()
        self._asked_us = 0
        self._lost_since_us: int | None = None
        self._note = ""
        self._cursor_us: int | None = None
        self._chosen: str | None = None
        self._has_news = True
        self._input = TrendInput(self)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._ask)
        self._hold_button = QPushButton(self)
        self._hold_button.clicked.connect(self._on_hold_clicked)
        self._hold_button.hide()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.installEventFilter(self._input)
        look.changed.connect(self._on_look_changed)
        clock.register(self, self._on_tick, most_hz=10.0)
        self._on_look_changed()
        self._settle.start()

    # --- what is shown ---------------------------------------------------------------------------------------------

    @property
    def pens(self) -> tuple[Pen, ...]:
        """All pens, shown or not."""
        return self._pens

    @property
    def mode(self) -> TrendMode:
        """Whether it follows the clock."""
        return self._mode

    @property
    def span_us(self) -> tuple[int, int]:
        """Start and end of what is in view."""
        return self._end_us - self._length_us, self._end_us

    @property
    def bin_width_us(self) -> int | None:
        """The widest bins among the shown pens; None when all are raw."""
        widths = [self._data[pen.id].bin_width_us or 0 for pen in self._shown()]
        return max(widths, default=0) or None

    @property
    def cursor_us(self) -> int | None:
        """Where the cursor stands, None when it is off."""
        return self._cursor_us

    def set_pens(self, pens: Sequence[Pen]) -> None:
        """Replace the pens; those that stay keep their samples. Asks for history when one is new."""
        has_new = any(pen.id not in self._data for pen in pens)
        self._pens = tuple(pens)
        self._data = {pen.id: self._data.get(pen.id) or PenData() for pen in pens}
        self._hidden &= set(self._data)
        self._scales = group_scales([(pen.id, pen.unit) for pen in pens], self._scales)
        if has_new:
            self._settle.start()
        self._refresh()

    def set_history(self, pen_id: str, history: BinnedSeries) -> None:
        """Give a pen its history in bins; unknown pens are ignored (the answer came too late)."""
        if data := self._data.get(pen_id):
            data.set_bins(history)
            self._refresh()

    def set_samples(self, pen_id: str, time_us: Times, value: Values) -> None:
        """Give a pen its history as single samples, ordered by time."""
        if data := self._data.get(pen_id):
            data.set_raw(time_us, value)
            self._refresh()

    def append_live(self, pen_id: str, time_us: Times, value: Values) -> None:
        """Add live samples to a pen; they are drawn with the next redraw."""
        if data := self._data.get(pen_id):
            data.append(time_us, value)
            self._has_news = True
            if data.needs_history() and not self._settle.isActive():
                self._settle.start()

    def set_gaps(self, gaps: Sequence[Gap]) -> None:
        """Spans known to be lost: hatched, and no line crosses them."""
        self._gaps = list(gaps)
        self._refresh()

    def set_alarm_periods(self, periods: Sequence[AlarmPeriod]) -> None:
        """The strip under the plot."""
        self._periods = list(periods)
        self._refresh()

    def set_connected(self, is_connected: bool, since_us: int | None = None) -> None:
        """Whether live samples can come; since when not. Back again asks for the history of the gap."""
        was_lost = self._lost_since_us is not None
        self._lost_since_us = None if is_connected else since_us or now_us()
        if is_connected and was_lost:
            self._settle.start()
        self._refresh()

    def set_note(self, text: str) -> None:
        """A short remark in the corner, such as that the newest minutes are pending."""
        self._note = text
        self._refresh()

    def set_pen_shown(self, pen_id: str, is_shown: bool) -> None:
        """Show or hide a pen."""
        (self._hidden.discard if is_shown else self._hidden.add)(pen_id)
        self._refresh()

    def is_pen_shown(self, pen_id: str) -> bool:
        """Whether a pen is drawn."""
        return pen_id not in self._hidden

    def choose_pen(self, pen_id: str | None) -> None:
        """Draw one pen bolder and in front."""
        self._chosen = pen_id
        self._refresh()

    # --- where it looks --------------------------------------------------------------------------------------------

    def go_live(self, span_us: int | None = None) -> None:
        """Follow the clock, over the last `span_us` (as now when left out)."""
        if span_us is not None:
            self._length_us = min(max(span_us, SHORTEST_SPAN_US), LONGEST_SPAN_US)
        self._follow(now_us())
        self._set_mode(TrendMode.LIVE)
        self._settle.start()
        self._refresh()

    def hold(self) -> None:
        """Stand still."""
        self._set_mode(TrendMode.HOLD)

    def set_span(self, start_us: int, end_us: int) -> None:
        """Look at a fixed span."""
        length_us = min(max(end_us - start_us, SHORTEST_SPAN_US), LONGEST_SPAN_US)
        middle_us = (start_us + end_us) // 2
        self._length_us, self._end_us = length_us, middle_us + length_us // 2
        self._set_mode(TrendMode.HOLD)
        self._settle.start()
        self._refresh()

    def fit(self) -> None:
        """Let every scale follow its data again."""
        for scale in self._scales.values():
            scale.is_manual = False
        self._refresh()

    def set_cursor(self, time_us: int | None) -> None:
        """Put the cursor at a time, or take it away."""
        self._cursor_us = time_us
        self.cursor_moved.emit(time_us)
        self._refresh()

    def toggle_cursor(self) -> None:
        """Cursor in the middle of the view, or none."""
        self.set_cursor(None if self._cursor_us is not None else self._end_us - self._length_us // 2)

    # --- figures ---------------------------------------------------------------------------------------------------

    def readings(self, time_us: int) -> dict[str, float | None]:
        """The value of every pen at a time."""
        return {pen_id: data.reading(time_us) for pen_id, data in self._data.items()}

    def live_values(self) -> dict[str, float | None]:
        """The newest value of every pen that came live."""
        return {pen_id: data.live.last[1] if data.live.last else None for pen_id, data in self._data.items()}

    def statistics(self) -> dict[str, PenStatistics]:
        """Minimum, mean and maximum of every pen in view."""
        start_us, end_us = self.span_us
        return {pen_id: data.statistics(start_us, end_us) for pen_id, data in self._data.items()}

    # --- drawing ---------------------------------------------------------------------------------------------------

    def frame(self) -> Frame:
        """Where the plot lies now."""
        axes = list(self._shown_scales().values())[:3]
        rough = self.height() - 60.0
        rect = plot_rect(self._look, self.width(), self.height(), axis_widths(self._look, axes, rough))
        return Frame(rect, *self.span_us)

    def axis_at(self, x_px: float) -> Scale | None:
        """The scale whose axis lies under `x_px`, None inside the plot."""
        axes = list(self._shown_scales().values())[:3]
        right = self.frame().plot.left()
        for scale, width in zip(axes, axis_widths(self._look, axes, self.height() - 60.0), strict=True):
            if right - width <= x_px < right:
                return scale
            right -= width
        return None

    def shown_scales(self) -> list[Scale]:
        """The scales of the pens that are drawn."""
        return list(self._shown_scales().values())

    def refresh(self) -> None:
        """Draw again with the next redraw."""
        self._refresh()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the trend."""
        painter = QPainter(self)
        paint(painter, self._scene())
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the button in its corner; another width needs other bins."""
        self._place_button()
        if event.oldSize().width() != event.size().width():
            self._settle.start()

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(900, 420)

    def minimumSizeHint(self) -> QSize:
        """Small enough for a form."""
        return QSize(260, 140)

    def event(self, event: QEvent) -> bool:
        """Say what an alarm period or a gap is under the mouse."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self._tip(event.pos().x(), event.pos().y()), self)
            return True
        return super().event(event)

    def _scene(self) -> Scene:
        shown = self._shown()
        pictures = self._pictures(shown)
        self._fit_scales(shown, pictures)
        frame = self.frame()
        readings = []
        if self._cursor_us is not None:
            readings = [Reading(pen, self._data[pen.id].reading(self._cursor_us)) for pen in shown]
        return Scene(
            self._look, frame, self._shown_scales(), shown, pictures,
            gaps=[(gap.start_us, gap.end_us) for gap in self._gaps], periods=self._periods,
            bin_width_us=self.bin_width_us, note=self._note, now_us=self._now_us,
            lost_since_us=self._lost_since_us, cursor_us=self._cursor_us, readings=readings, box=self._input.box,
            chosen=self._chosen,
        )  # fmt: skip

    def _pictures(self, shown: list[Pen]) -> dict[str, Picture]:
        frame = self.frame()
        gaps = [(gap.start_us, gap.end_us) for gap in self._gaps]
        column_us = max(1, int(frame.us_per_px))
        return {pen.id: self._data[pen.id].picture(frame.start_us, frame.end_us, column_us, gaps) for pen in shown}

    def _fit_scales(self, shown: list[Pen], pictures: dict[str, Picture]) -> None:
        for unit, scale in self._shown_scales().items():
            pens = [pen for pen in shown if pen.unit == unit]
            extremes = [found for pen in pens if (found := pictures[pen.id].extremes())]
            limits = [(limit.value, limit.value) for pen in pens for limit in pen.limits]
            lows, highs = [p.low for p in pens if p.low is not None], [p.high for p in pens if p.high is not None]
            fallback = (min(lows, default=None), max(highs, default=None)) if not limits else (None, None)
            scale.follow(itertools.chain(extremes, limits), fallback)

    def _shown(self) -> list[Pen]:
        return [pen for pen in self._pens if pen.id not in self._hidden]

    def _shown_scales(self) -> dict[str, Scale]:
        units = {pen.unit for pen in self._shown()}
        return {unit: scale for unit, scale in self._scales.items() if unit in units}

    def _tip(self, x_px: int, y_px: int) -> str:
        frame = self.frame()
        at_us = frame.time_us(x_px)
        slack_us = int(3 * frame.us_per_px)
        if 0 <= y_px - frame.plot.bottom() <= STRIP_PX + 6:
            under = [
                p for p in self._periods if p.start_us - slack_us <= at_us <= (p.end_us or self._now_us) + slack_us
            ]
            return "\n".join(self._named(period.label, period.start_us, period.end_us) for period in under[:8])
        under_gaps = [gap for gap in self._gaps if gap.start_us <= at_us <= gap.end_us]
        return "\n".join(self._named(gap.reason or say("Gap"), gap.start_us, gap.end_us) for gap in under_gaps[:3])

    def _named(self, label: str, start_us: int, end_us: int | None) -> str:
        start = formatting.clock_time(start_us, self._look.zone)
        end = say("now") if end_us is None else formatting.clock_time(end_us, self._look.zone)
        return f"{label}  {start} \N{EN DASH} {end}"

    # --- time ------------------------------------------------------------------------------------------------------

    def _on_tick(self, moment_us: int) -> None:
        self._now_us = moment_us
        if self._mode is TrendMode.LIVE and self._follow(moment_us):
            self._has_news = True
        if self._mode is TrendMode.LIVE and moment_us - self._asked_us > self._ask_again_us():
            self._settle.start()
            self._asked_us = moment_us
        if self._has_news:
            self._has_news = False
            self.update()

    def _follow(self, moment_us: int) -> bool:
        """Move the view to end at `moment_us`, by whole pixels; says whether it moved."""
        step_us = max(1, int(self._length_us / max(1, self.width())))
        end_us = (moment_us + int(self._length_us * _LEAD_SHARE)) // step_us * step_us
        has_moved = end_us != self._end_us
        self._end_us = end_us
        return has_moved

    def _ask_again_us(self) -> int:
        """While live, the history behind the line is refreshed so often that the ring of live samples suffices."""
        return min(max(self._length_us // 4, 60 * US_PER_S), 600 * US_PER_S)

    def _ask(self) -> None:
        self._asked_us = now_us()
        self.range_changed.emit(*self.span_us)

    def _set_mode(self, mode: TrendMode) -> None:
        has_changed = mode is not self._mode
        self._mode = mode
        self._hold_button.setVisible(mode is TrendMode.HOLD)
        self._place_button()
        if has_changed:
            self.mode_changed.emit(mode)

    def _refresh(self) -> None:
        self._has_news = True

    def _on_hold_clicked(self) -> None:
        self.go_live()

    def _place_button(self) -> None:
        self._hold_button.adjustSize()
        plot_right = self.width() - 18
        self._hold_button.move(plot_right - self._hold_button.width(), self._look.px(30))

    def _on_look_changed(self) -> None:
        self._hold_button.setText(say("HOLD \N{MIDDLE DOT} End returns to live"))
        self._hold_button.setToolTip(say("The trend stands still. Return to now (End)"))
        self.setAccessibleName(say("Trend"))
        self._place_button()
        self._refresh()
