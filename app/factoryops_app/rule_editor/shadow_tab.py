"""What a shadow rule has found: every alarm it would have made, by day, and the way to put it live."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, tzinfo
from typing import Final

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSplitter, QVBoxLayout

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.identity import Permission, alarm_id
from factoryops.domain.rule import RuleMode
from factoryops.domain.time import to_us
from factoryops_app.kept_up import KeptUpView
from factoryops_app.models.back_test import lasted_words
from factoryops_app.models.shadow import (
    ShadowAlarm,
    ShadowDay,
    shadow_alarms,
    shadow_days,
    shadow_sentence,
    with_incidents,
)
from factoryops_app.page import plain_label
from factoryops_app.workplace import PageKey, Target, Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import date, moment, number

_PER_PAGE: Final = 200
_LONGEST_REASON: Final = 500


class ShadowTab(KeptUpView):
    """The alarms it would have made on the left, the days on the right; brought up to date while it is seen.

    Attributes:
        promoted: the rule is live from now on.
    """

    promoted = Signal()

    def __init__(self, place: Workplace) -> None:
        super().__init__(place)
        self._rule: http.Rule | None = None
        self._is_unsaved = False
        self._events: list[http.AlarmEvent] = []
        self._next_before: str | None = None
        self.alarms: DataTable[ShadowAlarm] = DataTable(
            place.look, self._columns(), name="shadow-alarms", settings=place.settings,
            row_key=lambda one: one.event_id,
        )  # fmt: skip
        self.days: DataTable[ShadowDay] = DataTable(
            place.look, _day_columns(place.look.zone), name="shadow-days", settings=place.settings,
            row_key=lambda one: one.day.isoformat(), has_filter=False,
        )  # fmt: skip
        self.summary = plain_label(role="section", is_wrapped=True)
        self.failure = plain_label(is_wrapped=True)
        self.older = QPushButton(say("Load older"))
        self.reason = QLineEdit()
        self.promote = QPushButton(say("Put it live"))
        self._build()
        self._connect()
        self.show_rule(None, is_unsaved=False)

    def _columns(self) -> list[ColumnSpec[ShadowAlarm]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("raised", say("Raised"), lambda one: one.raised_at, lambda one: moment(one.raised_at, zone),
                       width=160),
            ColumnSpec("cleared", say("Cleared"), lambda one: one.cleared_at,
                       lambda one: moment(one.cleared_at, zone), width=160),
            ColumnSpec("lasted", say("Lasted"), lambda one: one.lasted_s, lambda one: lasted_words(one.lasted_s),
                       width=100),
            ColumnSpec("device", say("Device"), lambda one: one.device_name, width=100, is_elastic=True),
            ColumnSpec("value", say("Value"), lambda one: one.value, lambda one: number(one.value, 2),
                       is_number=True, width=80),
            ColumnSpec("incident", say("Incident"), lambda one: one.incident, width=120),
        ]  # fmt: skip

    def _build(self) -> None:
        px = self._place.look.px
        self.reason.setMaxLength(_LONGEST_REASON)
        self.reason.setPlaceholderText(say("Why it is put live (kept with the version)"))
        self.reason.setAccessibleName(say("Why it is put live"))
        self.alarms.add_tool(self.older)
        both = QSplitter()
        both.setChildrenCollapsible(False)
        both.addWidget(self.alarms)
        both.addWidget(self.days)
        both.setStretchFactor(0, 1)
        both.setSizes([px(720), px(270)])
        line = QHBoxLayout()
        line.setSpacing(px(8))
        line.addWidget(self.reason, 1)
        line.addWidget(self.promote)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(2), px(8), px(2), px(2))
        column.setSpacing(px(8))
        column.addWidget(self.summary)
        column.addWidget(self.failure)
        column.addWidget(both, 1)
        column.addLayout(line)

    def _connect(self) -> None:
        self.older.clicked.connect(self._on_older)
        self.promote.clicked.connect(self._on_promote)
        self.reason.returnPressed.connect(self._on_promote)
        self.alarms.row_activated.connect(self._on_activated)

    # --- showing -----------------------------------------------------------------------------------------------------

    def show_rule(self, rule: http.Rule | None, *, is_unsaved: bool) -> None:
        """Which rule is meant, as it is saved; what it found is fetched by `load`."""
        is_other = (rule.id if rule else None) != (self._rule.id if self._rule else None)
        self._rule, self._is_unsaved = rule, is_unsaved
        if is_other or rule is None:
            self._events, self._next_before = [], None
            self.reason.clear()
            self._complain("")
            self._show([])
            self.summary.setText("" if rule else say("It has not been saved yet."))
        self._show_buttons()

    def load(self) -> None:
        """Fetch what is new."""
        if self._rule is not None:
            self.ask(self._fetch(self._rule.id, None))

    def keep_up(self) -> None:
        """Fetch what is new."""
        self.load()

    def _on_older(self) -> None:
        if self._rule is not None and self._next_before is not None:
            self.ask(self._fetch(self._rule.id, self._next_before))

    async def _fetch(self, rule_id: str, before: str | None) -> None:
        client = self._place.session.client
        page = await client.alarm_events(before=before, most=_PER_PAGE, shadow_of=rule_id)
        incidents = await client.incidents()
        if self._rule is None or rule_id != self._rule.id:
            return
        self._take(page, is_older=before is not None)
        self._show(incidents)

    def _take(self, page: http.AlarmEventPage, *, is_older: bool) -> None:
        """Put a page where it belongs; older ones that were loaded stay when the newest come again."""
        known = {event.id for event in self._events}
        fresh = [event for event in page.events if event.id not in known]
        reaches_what_is_known = len(fresh) < len(page.events)
        if is_older:
            self._events = [*self._events, *fresh]
        else:
            self._events = [*fresh, *self._events] if reaches_what_is_known else page.events
        if is_older or not reaches_what_is_known:
            self._next_before = page.next_before

    def _show(self, incidents: Sequence[http.Incident]) -> None:
        found = with_incidents(shadow_alarms(self._events), incidents, self._concerns)
        self.alarms.set_rows(found)
        self.days.set_rows(shadow_days(found, self._place.look.zone))
        self.summary.setText(self._sentence(found))
        self.older.setEnabled(self._next_before is not None)

    def _sentence(self, found: Sequence[ShadowAlarm]) -> str:
        is_shadow = self._rule is not None and self._rule.content.mode is RuleMode.SHADOW
        if not found and not is_shadow:
            return say(
                "Choose the mode “shadow” and save: what the rule finds is then listed here, and nobody is told."
            )
        return shadow_sentence(found, are_all=self._next_before is None)

    def _concerns(self, incident: http.Incident, raised: str) -> bool:
        content = incident.content
        if not content.device_keys and not content.areas:
            return True
        session, rule = self._place.session, self._rule
        if session.info is None or rule is None:
            return False
        factory = session.info.factory.id
        return any(
            (one.key in content.device_keys or one.area in content.areas)
            and alarm_id(factory, rule.id, one.key) == raised
            for one in session.plant.devices
        )

    def _show_buttons(self) -> None:
        is_shadow = self._rule is not None and self._rule.content.mode is RuleMode.SHADOW
        may = self._place.session.may(Permission.EDIT_RULES) and is_shadow
        self.reason.setVisible(is_shadow)
        self.promote.setVisible(is_shadow)
        self.reason.setEnabled(may and not self._is_unsaved)
        self.promote.setEnabled(may and not self._is_unsaved)
        self.promote.setToolTip(say("Save or discard the changes first.") if self._is_unsaved else "")

    # --- reacting ----------------------------------------------------------------------------------------------------

    def _on_promote(self) -> None:
        rule, reason = self._rule, self.reason.text().strip()
        if rule is None or not self.promote.isEnabled():
            return
        if not reason:
            self._complain(say("Say why it is put live: the reason is kept with the version."))
            self.reason.setFocus()
            return
        self._complain("")
        self.promote.setEnabled(False)
        self._place.tasks.start(self.put_live(rule, reason), self._on_deed_failed)

    async def put_live(self, rule: http.Rule, reason: str) -> None:
        """Make it live; what stands then is announced."""
        definition = msgspec.structs.replace(rule.content.definition(), mode=RuleMode.LIVE)
        update = http.RuleUpdate.model_construct(
            version=rule.version, content=http.RuleContent.of(definition), reason=reason
        )
        session = self._place.session
        await session.change(session.client.update_rule(rule.id, update))
        self.reason.clear()
        self._place.navigator.say_briefly(say("“{name}” is live.", name=rule.content.name))
        self.promoted.emit()

    def _on_activated(self, alarm: ShadowAlarm) -> None:
        self._place.navigator.go(PageKey.TRENDS, Target(at_us=to_us(alarm.raised_at)))

    def _on_deed_failed(self, error: FactoryOpsError) -> None:
        """What kept a deed from being done stays to be read until the next one."""
        self._complain(str(error))
        self._show_buttons()

    def _complain(self, sentence: str) -> None:
        self.failure.setText(sentence)
        self.failure.setVisible(bool(sentence))

    def on_failure(self, error: FactoryOpsError) -> None:
        """Say why nothing came."""
        self.summary.setText(str(error))
        self._show_buttons()


def _day_columns(zone: tzinfo) -> list[ColumnSpec[ShadowDay]]:
    return [
        ColumnSpec(
            "day",
            say("Day"),
            lambda one: one.day,
            lambda one: date(datetime.combine(one.day, time(), zone), zone),
            width=100,
            is_elastic=True,
        ),
        ColumnSpec("alarms", say("Alarms"), lambda one: one.alarms, is_number=True, width=70),
        ColumnSpec("devices", say("Devices"), lambda one: one.devices, is_number=True, width=70),
    ]
