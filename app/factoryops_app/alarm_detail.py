"""One alarm in full: what happened, what to do, who answered."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout

from factoryops.contracts import http
from factoryops.domain.alarms import PUT_ASIDE
from factoryops.domain.time import to_us
from factoryops_app.models.wording import alarm_state_name, priority_name
from factoryops_app.page import plain_label
from factoryops_app.response_sheet import ResponseSheetDialog
from factoryops_app.workplace import PageKey, Target, Workplace
from factoryops_resources.words import say
from factoryops_widgets.alarm_badge import AlarmBadge, AlarmMark
from factoryops_widgets.formatting import instant, moment, with_unit


class AlarmDetail(QFrame):
    """The panel below the alarm table."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self._place = place
        self._alarm: http.Alarm | None = None
        px = place.look.px
        self.setMinimumHeight(px(160))
        self._badge = AlarmBadge(place.look, place.clock)
        self._title = plain_label(role="section", is_wrapped=True)
        self._message = plain_label(is_wrapped=True)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(px(12))
        self._facts.setVerticalSpacing(px(4))
        self._facts.setColumnStretch(1, 1)
        self._response_title = plain_label(say("What to do"), role="label")
        self._response = plain_label(is_wrapped=True, role="section")
        self._response.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._trend = QPushButton(place.look.icon("trends"), say("Trend at that time"))
        self._device = QPushButton(place.look.icon("devices"), say("Device"))
        self._sheet = QPushButton(say("What to do (F1)"))
        self._sheet.clicked.connect(self.show_response)
        self._trend.clicked.connect(self.show_trend)
        self._device.clicked.connect(self._show_device)
        self._build()
        self.show_alarm(None)

    def _build(self) -> None:
        px = self._place.look.px
        header = QHBoxLayout()
        header.addWidget(self._badge, 0, Qt.AlignmentFlag.AlignTop)
        header.addWidget(self._title, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(self._sheet)
        buttons.addWidget(self._trend)
        buttons.addWidget(self._device)
        buttons.addStretch(1)
        left = QVBoxLayout()
        left.setSpacing(px(8))
        left.addLayout(header)
        left.addWidget(self._message)
        left.addWidget(self._response_title)
        left.addWidget(self._response)
        left.addStretch(1)
        left.addLayout(buttons)
        right = QVBoxLayout()
        right.addLayout(self._facts)
        right.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(px(16), px(12), px(16), px(12))
        row.setSpacing(px(24))
        row.addLayout(left, 3)
        row.addLayout(right, 2)

    def show_alarm(self, alarm: http.Alarm | None) -> None:
        """Show an alarm; None for nothing chosen."""
        self._alarm = alarm
        is_shown = alarm is not None
        for widget in (
            self._badge,
            self._message,
            self._response_title,
            self._response,
            self._sheet,
            self._trend,
            self._device,
        ):
            widget.setVisible(is_shown)
        self._clear_facts()
        if alarm is None:
            self._title.setText(say("Choose an alarm to see what to do."))
            return
        self._badge.set_mark(AlarmMark(alarm.priority, alarm.state))
        self._title.setText(alarm.rule_name)
        self._message.setText(alarm.message)
        self._response.setText(alarm.response or say("No instruction was written for this rule."))
        for row, (name, text) in enumerate(self._lines(alarm)):
            self._facts.addWidget(plain_label(name, role="secondary"), row, 0, Qt.AlignmentFlag.AlignTop)
            self._facts.addWidget(plain_label(text, is_wrapped=True), row, 1)

    def _lines(self, alarm: http.Alarm) -> list[tuple[str, str]]:
        zone = self._place.look.zone
        measured = self._place.session.plant.of_series(alarm.series_id)
        decimals = measured.parameter.decimals if measured is not None else 2
        state = alarm_state_name(alarm.state)
        if alarm.state is not alarm.underlying and alarm.state in PUT_ASIDE:
            state = f"{state} ({alarm_state_name(alarm.underlying)})"
        lines = [
            (say("State"), state),
            (say("Priority"), priority_name(alarm.priority)),
            (say("Device"), alarm.device_name or alarm.device_key),
            (say("Area"), alarm.area),
            (say("Value"), with_unit(alarm.value, decimals, alarm.unit)),
            (say("Raised"), instant(alarm.raised_at, zone)),
        ]
        if alarm.cleared_at is not None:
            lines.append((say("Returned"), moment(alarm.cleared_at, zone)))
        if alarm.acknowledged_at is not None:
            who = alarm.acknowledged_by or ""
            lines.append((say("Acknowledged"), f"{moment(alarm.acknowledged_at, zone)} {who}".strip()))
        if alarm.renewal:
            lines.append((say("Announced again"), str(alarm.renewal)))
        lines += _put_aside(alarm, zone)
        if alarm.comment:
            lines.append((say("Comment"), alarm.comment))
        if not alarm.is_recorded:
            lines.append((say("Note"), say("Not yet recorded: the database is away.")))
        return [(name, text) for name, text in lines if text]

    def _clear_facts(self) -> None:
        while (item := self._facts.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def show_trend(self) -> None:
        """Go to the trend of the alarm's parameter, at the time it was raised."""
        if self._alarm is None:
            return
        measured = self._place.session.plant.of_series(self._alarm.series_id)
        ids = (measured.parameter.id,) if measured is not None else ()
        at_us = to_us(self._alarm.raised_at) if self._alarm.raised_at is not None else None
        self._place.navigator.go(PageKey.TRENDS, Target(ids=ids, at_us=at_us))

    def show_response(self) -> None:
        """Show the whole response sheet of the alarm."""
        if self._alarm is not None:
            ResponseSheetDialog(self._place, self, self._alarm).open()

    def _show_device(self) -> None:
        if self._alarm is not None:
            self._place.navigator.go(PageKey.DEVICE, Target(ids=(self._alarm.device_id,)))


def _put_aside(alarm: http.Alarm, zone: ZoneInfo) -> list[tuple[str, str]]:
    """Who put it aside, why and until when."""
    lines: list[tuple[str, str]] = []
    if alarm.shelved is not None:
        kept = alarm.shelved
        lines.append((say("Shelved until"), f"{moment(kept.until, zone)} {kept.by}: {kept.reason}"))
    if alarm.out_of_service is not None:
        taken = alarm.out_of_service
        until = moment(taken.until, zone) if taken.until else say("somebody returns it")
        lines.append((say("Out of service until"), f"{until} {taken.by}: {taken.reason}"))
    return lines
