"""The time conductor: live, fixed spans, a chosen span, back and forward."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from PySide6.QtCore import QDate, QDateTime, Qt, QTime, QTimeZone
from PySide6.QtWidgets import (
    QButtonGroup,
    QDateTimeEdit,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QWidget,
)

from factoryops.domain.time import US_PER_S, from_us, to_us
from factoryops_resources.words import say
from factoryops_widgets import formatting
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.form import indent_text
from factoryops_widgets.trend import TrendView
from factoryops_widgets.trend_types import TrendMode

SPANS_S: Final = {"30 min": 1_800, "1 h": 3_600, "12 h": 43_200, "1 d": 86_400, "7 d": 604_800}
_MOST_BACK: Final = 50


class TimeBar(QWidget):
    """Buttons that move a TrendView in time, and fields that say where it is."""

    def __init__(self, look: Appearance, trend: TrendView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._trend = trend
        self._past: list[tuple[int, int]] = []
        self._future: list[tuple[int, int]] = []
        self._shown: tuple[int, int] | None = None
        self._live = QPushButton()
        self._live.setCheckable(True)
        self._spans = QButtonGroup(self)
        self._spans.setExclusive(False)
        self._back, self._forward = QToolButton(), QToolButton()
        self._earlier, self._later = QToolButton(), QToolButton()
        self._start, self._end = _time_field(), _time_field()
        self._go = QPushButton()
        self._place()
        self._connect()
        self._on_look_changed()
        self._show(*trend.span_us)

    def back(self) -> None:
        """The span before."""
        self._travel(self._past, self._future)

    def forward(self) -> None:
        """The span after, once gone back."""
        self._travel(self._future, self._past)

    def _place(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._live)
        layout.addSpacing(8)
        for index, text in enumerate(SPANS_S):
            button = QPushButton(text)
            button.setCheckable(True)
            button.setAccessibleName(say("Last {span}", span=text))
            self._spans.addButton(button, index)
            layout.addWidget(button)
        layout.addSpacing(8)
        for tool in (self._earlier, self._later):
            layout.addWidget(tool)
        layout.addSpacing(8)
        dash = QLabel(formatting.NOTHING)
        for widget in (self._start, dash, self._end, self._go):
            layout.addWidget(widget)
        layout.addStretch(1)
        for tool in (self._back, self._forward):
            layout.addWidget(tool)

    def _connect(self) -> None:
        self._live.clicked.connect(self._on_live)
        self._spans.idClicked.connect(self._on_span)
        self._go.clicked.connect(self._on_go)
        self._back.clicked.connect(self.back)
        self._forward.clicked.connect(self.forward)
        self._earlier.clicked.connect(self._on_earlier)
        self._later.clicked.connect(self._on_later)
        self._trend.range_changed.connect(self._on_range)
        self._trend.mode_changed.connect(self._on_mode)
        self._look.changed.connect(self._on_look_changed)

    def _on_live(self) -> None:
        if self._trend.mode is TrendMode.LIVE:
            self._trend.hold()
        else:
            self._trend.go_live()
        self._on_mode(self._trend.mode)

    def _on_span(self, index: int) -> None:
        length_us = list(SPANS_S.values())[index] * US_PER_S
        if self._trend.mode is TrendMode.LIVE:
            self._trend.go_live(length_us)
        else:
            end_us = self._trend.span_us[1]
            self._trend.set_span(end_us - length_us, end_us)
        self._check_span()

    def _on_earlier(self) -> None:
        self._shift(-1)

    def _on_later(self) -> None:
        self._shift(1)

    def _shift(self, direction: int) -> None:
        start_us, end_us = self._trend.span_us
        offset_us = direction * (end_us - start_us) // 2
        self._trend.set_span(start_us + offset_us, end_us + offset_us)

    def _on_go(self) -> None:
        start_us, end_us = self._time_us(self._start), self._time_us(self._end)
        if end_us > start_us:
            self._trend.set_span(start_us, end_us)
        else:
            self._end.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_range(self, start_us: int, end_us: int) -> None:
        before = self._shown
        is_move = before is not None and self._trend.mode is TrendMode.HOLD and before != (start_us, end_us)
        if is_move and before is not None:
            self._past = [*self._past[-_MOST_BACK:], before]
            self._future.clear()
        self._show(start_us, end_us)

    def _on_mode(self, mode: TrendMode) -> None:
        self._live.setChecked(mode is TrendMode.LIVE)

    def _travel(self, source: list[tuple[int, int]], target: list[tuple[int, int]]) -> None:
        if not source:
            return
        target.append(self._trend.span_us)
        span = source.pop()
        self._shown = span
        self._trend.set_span(*span)
        self._show(*span)

    def _show(self, start_us: int, end_us: int) -> None:
        self._shown = (start_us, end_us)
        for field, time_us in ((self._start, start_us), (self._end, end_us)):
            if not field.hasFocus():
                field.setDateTime(self._field_time(time_us))
        self._back.setEnabled(bool(self._past))
        self._forward.setEnabled(bool(self._future))
        self._on_mode(self._trend.mode)
        self._check_span()

    def _check_span(self) -> None:
        start_us, end_us = self._trend.span_us
        for index, length_s in enumerate(SPANS_S.values()):
            self._spans.button(index).setChecked(abs((end_us - start_us) - length_s * US_PER_S) < US_PER_S)

    def _field_time(self, time_us: int) -> QDateTime:
        """The wall-clock time in our zone; the field itself knows no zone."""
        local = from_us(time_us).astimezone(self._look.zone)
        date, time = QDate(local.year, local.month, local.day), QTime(local.hour, local.minute, local.second)
        return QDateTime(date, time, QTimeZone.utc())

    def _time_us(self, field: QDateTimeEdit) -> int:
        shown = field.dateTime()
        date, time = shown.date(), shown.time()
        local = datetime(
            date.year(), date.month(), date.day(), time.hour(), time.minute(), time.second(), tzinfo=self._look.zone
        )
        return to_us(local)

    def _on_look_changed(self) -> None:
        self._live.setText(say("Live"))
        self._live.setIcon(self._look.icon("live"))
        self._live.setToolTip(say("Follow the clock (End)"))
        self._go.setText(say("Go"))
        self._go.setToolTip(say("Show this span"))
        for button, icon, text in (
            (self._back, "back", say("Span before")),
            (self._forward, "forward", say("Span after")),
            (self._earlier, "earlier", say("Half a span earlier")),
            (self._later, "later", say("Half a span later")),
        ):
            button.setIcon(self._look.icon(icon))
            button.setToolTip(text)
            button.setAccessibleName(text)
        self._start.setAccessibleName(say("From"))
        self._end.setAccessibleName(say("To"))
        if self._shown is not None:
            self._show(*self._shown)


def _time_field() -> QDateTimeEdit:
    field = QDateTimeEdit()
    field.setTimeZone(QTimeZone.utc())
    field.setDisplayFormat("yyyy-MM-dd HH:mm:ss")
    field.setMinimumWidth(184)
    indent_text(field)
    return field
