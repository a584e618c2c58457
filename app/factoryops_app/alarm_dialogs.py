"""Putting alarms aside: for how long, and why."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from PySide6.QtCore import QDateTime, QTimeZone
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QDateTimeEdit, QGridLayout, QLineEdit, QRadioButton, QWidget

from factoryops.contracts import http
from factoryops_app.page import plain_label
from factoryops_app.plant_dialogs import PlantDialog
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say

_SPANS_S: Final = (900, 3_600, 14_400, 28_800)
_UNTIL: Final = -1
_LONGEST: Final = 0
_REASON_LENGTH: Final = 1_000


class _AsideDialog(PlantDialog):
    """For alarms that are named at the top; a reason is asked for."""

    def __init__(self, place: Workplace, parent: QWidget, title: str, alarms: Sequence[http.Alarm]) -> None:
        super().__init__(place, parent, title)
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
        self.spans = QButtonGroup(self)
        row = QWidget()
        grid = QGridLayout(row)
        grid.setContentsMargins(0, 0, 0, 0)
        titles = [*((span, _span_name(span)) for span in _SPANS_S), (_LONGEST, say("As long as its class allows")),
                  (_UNTIL, say("Until"))]  # fmt: skip
        for number, (span, title) in enumerate(titles):
            button = QRadioButton(title)
            self.spans.addButton(button, span if span > 0 else -10 + span)
            grid.addWidget(button, number // 2, number % 2)
        self.choose(_SPANS_S[0])
        self.one_shot = QCheckBox(say("Also end as soon as it returns to normal (one-shot)"))
        self.form.add_row("for_s", say("For"), row)
        self.form.add_row("until", say("Until"), self.until)
        self.form.add_row("is_one_shot", "", self.one_shot)
        self.form.add_row("reason", say("&Reason"), self.reason)
        self.spans.idToggled.connect(lambda *_: self._show_until())
        self._show_until()
        self.reason.setFocus()

    def choose(self, span_s: int) -> None:
        """Press one of the time buttons."""
        self.spans.button(span_s if span_s > 0 else -10 + span_s).setChecked(True)

    def _span(self) -> int:
        chosen = self.spans.checkedId()
        return chosen if chosen > 0 else chosen + 10

    def _show_until(self) -> None:
        self.form.set_row_shown("until", is_shown=self._span() == _UNTIL)

    def save(self) -> None:
        """Shelve."""
        if not self._has_reason():
            return
        span = self._span()
        request = http.ShelveRequest(
            alarm_ids=self._ids,
            reason=self.reason.text().strip(),
            for_s=float(span) if span > 0 else None,
            until=self._until() if span == _UNTIL else None,
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
