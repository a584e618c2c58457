"""The curve of a back-test: what the rule looked at on one device, its limits, and the alarms it would have made."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.time import US_PER_S, to_us
from factoryops_app.models.back_test import EpisodeRow, episodes
from factoryops_app.models.history import Answer, HistoryQueries
from factoryops_app.models.names import Names
from factoryops_app.models.rule_draft import RuleDraft
from factoryops_app.models.rule_picture import Watched, watched
from factoryops_app.models.wording import gap_reason
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.trend import TrendView
from factoryops_widgets.trend_types import AlarmPeriod, Gap, Limit, Pen

_AROUND_US = 600 * US_PER_S


class BackTestTrend(QWidget):
    """Shows one device at a time: that of the chosen alarm, at first the one with most alarms."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._outcome: http.BackTestOutcome | None = None
        self._draft = RuleDraft()
        self.device = ""
        self._title = plain_label(role="label")
        self.trend = TrendView(place.look, place.clock)
        self.trend.setMinimumHeight(place.look.px(120))
        self._queries = HistoryQueries(place.session.client, self._on_answer)
        self.trend.range_changed.connect(self._on_range)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._title)
        column.addWidget(self.trend, 1)

    def clear(self) -> None:
        """Show nothing."""
        self._outcome, self.device = None, ""
        self._title.setText("")
        self.trend.set_pens([])
        self.trend.set_alarm_periods([])

    def show_outcome(self, outcome: http.BackTestOutcome, draft: RuleDraft) -> None:
        """Show what it came to on the device with most alarms."""
        self._outcome, self._draft = outcome, draft
        start_us, end_us = to_us(outcome.start), to_us(outcome.end)
        self.trend.set_span(start_us, end_us)
        most = max(outcome.devices, key=lambda one: one.alarms, default=None)
        self.device = ""
        if most is not None:
            self.show_device(most.device_key)

    def show_device(self, key: str) -> None:
        """Draw another device."""
        if self._outcome is None or key == self.device:
            return
        self.device = key
        self._title.setText(say("What it would have done on {device}",
                                device=Names(self._place.session.plant).device(key)))  # fmt: skip
        chosen = self._watched()
        self.trend.set_pens([self._pen(place, one) for place, one in enumerate(chosen)])
        rows = [one for one in episodes(self._outcome.events) if one.device_key == key]
        end_us = to_us(self._outcome.end)
        self.trend.set_alarm_periods([
            AlarmPeriod(to_us(one.raised_at), to_us(one.cleared_at) if one.cleared_at else end_us,
                        self._draft.priority, self._draft.name)
            for one in rows
        ])  # fmt: skip
        self._ask(*self.trend.span_us)

    def show_episode(self, row: EpisodeRow) -> None:
        """Go to one alarm."""
        self.show_device(row.device_key)
        if self._outcome is None:
            return
        start_us = to_us(row.raised_at)
        end_us = to_us(row.cleared_at) if row.cleared_at else to_us(self._outcome.end)
        around_us = max(_AROUND_US, end_us - start_us)
        self.trend.set_span(start_us - around_us, end_us + around_us)
        self._ask(*self.trend.span_us)

    def _watched(self) -> list[Watched]:
        return [
            one for one in watched(self._draft, self._place.session.plant, most=1_000_000)
            if one.measured.device.key == self.device
        ]  # fmt: skip

    def _pen(self, place: int, one: Watched) -> Pen:
        parameter = one.measured.parameter
        limits = tuple(Limit(value, self._draft.name or say("Limit"), self._draft.priority) for value in one.limits)
        return Pen(parameter.id, one.measured.title, parameter.unit, place, parameter.decimals, parameter.low,
                   parameter.high, limits)  # fmt: skip

    def _on_range(self, start_us: int, end_us: int) -> None:
        if self._outcome is not None:
            self._ask(start_us, end_us)

    def _ask(self, start_us: int, end_us: int) -> None:
        ids = [pen.id for pen in self.trend.pens]
        if ids:
            self._place.tasks.start(
                self._queries.ask(ids, start_us, end_us), lambda error: self.trend.set_note(str(error))
            )

    def _on_answer(self, answer: Answer) -> None:
        for piece in answer.pieces:
            if piece.bins is not None:
                self.trend.set_history(piece.parameter_id, piece.bins)
            else:
                self.trend.set_samples(piece.parameter_id, piece.time_us, piece.value)
        self.trend.set_gaps([Gap(gap.start_us, gap.end_us, gap_reason(gap.reason)) for gap in answer.gaps])
