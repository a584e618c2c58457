"""Putting alarms aside: for how long, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from PySide6.QtCore import QDateTime, QTimeZone
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QCheckBox,
    QDateTimeEdit,
    QGridLayout,
    QLineEdit,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from factoryops.contracts import http
from factoryops.domain.time import US_PER_S, from_us, now_us
from factoryops_app.models.shelving import ShiftEnd, longest_shelving_us, shift_ends
from factoryops_app.models.site import fetch_philosophy
from factoryops_app.models.typed import span_text
from factoryops_app.page import plain_label
from factoryops_app.plant_dialogs import PlantDialog
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say

_SPANS_S: Final = (900, 3_600, 14_400, 28_800)
_LONGEST: Final = 0
_UNTIL: Final = -1
_FIRST_SHIFT: Final = -2
"""The end of the first shift that works now; those of others follow downwards."""
_BELOW: Final = -10
"""Buttons without a length of time have ids below this: Qt keeps -1 for none."""
_REASON_LENGTH: Final = 1_000


class _AsideDialog(PlantDialog):
    """For alarms that are named at the top; a reason is asked for."""

    def __init__(self, place: Workplace, parent: QWidget, title: str, alarms: Sequence[http.Alarm]) -> None:
        super().__init__(place, parent, title, title)
        self._ids = [alarm.id for alarm in alarms]
        self.reason = QLineEdit()
        self.reason.setMaxLength(_REASON_LENGTH)
        self.until = QDateTimeEdit()
        self.until.setCalendarPopup(True)
        self.until.setDisplayFormat("yyyy-MM-dd HH:mm")
        zone = QTimeZone(place.look.zone.key.encode())
        self.until.setTimeZone(zone)
        self.until.setDateTime(QDateTime.currentDateTimeUtc().toTimeZone(zone).addSecs(8 * 3_600))
        self.column.insertWidget(0, plain_label(_named(alarms), is_wrapped=True))

    def _until(self) -> datetime:
        moment_s = self.until.dateTime().toSecsSinceEpoch()
        return datetime.fromtimestamp(moment_s, UTC)

    def _has_reason(self) -> bool:
        faults = {} if self.reason.text().strip() else {"reason": say("Say why, for those who come after you.")}
        self.form.set_errors(faults)
        return not faults

    async def _finish(self, work: Coroutine[object, object, object]) -> None:
        await work
        self.accept()


class ShelveDialog(_AsideDialog):
    """Time buttons, one-shot, and why. It ends by itself; nobody has to remember."""

    def __init__(self, place: Workplace, parent: QWidget, alarms: Sequence[http.Alarm]) -> None:
        super().__init__(place, parent, say("Shelve"), alarms)
        self._alarms = alarms
        self._ends: list[ShiftEnd] = []
        self.spans = QButtonGroup(self)
        self._grid = QGridLayout()
        self.one_shot = QCheckBox(say("Also end as soon as it returns to normal (one-shot)"))
        self.form.add_row("for_s", say("For"), self._make_spans())
        self.form.add_row("until", say("Until"), self.until)
        self.form.add_row("is_one_shot", "", self.one_shot)
        self.form.add_row("reason", say("&Reason"), self.reason)
        self.choose(_SPANS_S[0])
        self.spans.idToggled.connect(lambda *_: self._show_until())
        self._show_until()
        self.reason.setFocus()
        self._tasks.start(self._fetch_limits())

    def _make_spans(self) -> QWidget:
        row = QWidget()
        column = QVBoxLayout(row)
        column.setContentsMargins(0, 0, 0, 0)
        times = QGridLayout()
        for number, span in enumerate(_SPANS_S):
            times.addWidget(self._add_span(span, _span_name(span)), number // 2, number % 2)
        column.addLayout(times)
        column.addLayout(self._grid)
        for span, title in ((_LONGEST, say("As long as its class allows")), (_UNTIL, say("Until a moment"))):
            column.addWidget(self._add_span(span, title))
        return row

    def _add_span(self, span: int, title: str) -> QRadioButton:
        button = QRadioButton(title.replace("&", "&&"))
        self.spans.addButton(button, span if span > 0 else _BELOW + span)
        return button

    async def _fetch_limits(self) -> None:
        """Shifts and classes of now; without an answer the service still judges what is chosen."""
        client, info = self.place.session.client, self.place.session.info
        philosophy, shifts = await asyncio.gather(fetch_philosophy(client), client.shifts())
        if info is not None:
            moment_us = now_us()
            longest_us = longest_shelving_us(self._alarms, philosophy)
            self.show_limits(shift_ends(shifts, info.factory.timezone, moment_us), moment_us, longest_us)

    def show_limits(self, ends: Sequence[ShiftEnd], moment_us: int, longest_us: int) -> None:
        """Offer the ends of shifts as of `moment_us`; what is longer than the classes allow cannot be chosen."""
        self._ends = [*ends]
        for number, end in enumerate(ends):
            button = self._add_span(_FIRST_SHIFT - number, end.words(moment_us, self.place.look.zone))
            button.setEnabled(end.end_us - moment_us <= longest_us)
            self._grid.addWidget(button, number, 0)
        for span in _SPANS_S:
            self._button(span).setEnabled(span * US_PER_S <= longest_us)
        if longest_us:
            span_words = span_text(longest_us / US_PER_S)
            self._button(_LONGEST).setText(say("As long as its class allows ({span})", span=span_words))
        else:
            self._problem.setText(say("Its class does not permit shelving."))
        if not self._button(self._span()).isEnabled():
            self.choose(_LONGEST)

    def _button(self, span: int) -> QAbstractButton:
        return self.spans.button(span if span > 0 else _BELOW + span)

    def choose(self, span_s: int) -> None:
        """Press one of the time buttons."""
        self._button(span_s).setChecked(True)

    def _span(self) -> int:
        chosen = self.spans.checkedId()
        return chosen if chosen > 0 else chosen - _BELOW

    def _show_until(self) -> None:
        self.form.set_row_shown("until", is_shown=self._span() == _UNTIL)

    def _end(self) -> datetime | None:
        """The moment that was chosen; None where a length of time was."""
        span = self._span()
        if span <= _FIRST_SHIFT:
            return from_us(self._ends[_FIRST_SHIFT - span].end_us)
        return self._until() if span == _UNTIL else None

    def save(self) -> None:
        """Shelve."""
        if not self._has_reason():
            return
        span = self._span()
        request = http.ShelveRequest(
            alarm_ids=self._ids,
            reason=self.reason.text().strip(),
            for_s=float(span) if span > 0 else None,
            until=self._end(),
            is_one_shot=self.one_shot.isChecked(),
        )
        session = self.place.session
        self.send(session.change_alarms(session.client.shelve(request)))


class TakeOutDialog(_AsideDialog):
    """Out of service for maintenance: with an end, or until somebody returns it."""

    def __init__(self, place: Workplace, parent: QWidget, alarms: Sequence[http.Alarm]) -> None:
        super().__init__(place, parent, say("Take out of service"), alarms)
        self.has_end = QCheckBox(say("Return by itself"))
        self.form.add_row("has_end", "", self.has_end)
        self.form.add_row("until", say("Until"), self.until)
        self.form.add_row("reason", say("&Reason"), self.reason)
        self.has_end.toggled.connect(lambda is_on: self.form.set_row_shown("until", is_shown=is_on))
        self.form.set_row_shown("until", is_shown=False)
        self.reason.setFocus()

    def save(self) -> None:
        """Take them out."""
        if not self._has_reason():
            return
        request = http.TakeOutRequest(
            alarm_ids=self._ids,
            reason=self.reason.text().strip(),
            until=self._until() if self.has_end.isChecked() else None,
        )
        session = self.place.session
        self.send(session.change_alarms(session.client.take_out_of_service(request)))


def _span_name(span_s: int) -> str:
    span = timedelta(seconds=span_s)
    if span < timedelta(hours=1):
        return say("{count} min", count=span_s // 60)
    return say("{count} h", count=span_s // 3_600)


def _named(alarms: Sequence[http.Alarm]) -> str:
    names = [f"{alarm.device_name or alarm.device_key}: {alarm.rule_name}" for alarm in alarms[:3]]
    if len(alarms) > len(names):
        names.append(say("{count} more", count=len(alarms) - len(names)))
    return "\n".join(names)
