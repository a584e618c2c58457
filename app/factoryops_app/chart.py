"""Keeps a trend true: history when the view asks, live samples as they come, gaps, alarms, and the link's state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from factoryops.contracts import http
from factoryops.domain.conditions.limits import plain_limit
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.plant import ParameterKind
from factoryops.domain.time import from_us, now_us
from factoryops_app.models.alarm_periods import periods, watched_by
from factoryops_app.models.connection import Connection
from factoryops_app.models.events import Unsubscribe
from factoryops_app.models.history import Answer, HistoryQueries
from factoryops_app.models.plant import Measured
from factoryops_app.models.samples import Tap, Times, Values
from factoryops_app.models.states import States, switch_words
from factoryops_app.models.wording import gap_reason
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.formatting import clock_time
from factoryops_widgets.trend import TrendView
from factoryops_widgets.trend_types import AlarmPeriod, Gap, Limit, Pen

_SIGNS = {
    Comparison.ABOVE: ">",
    Comparison.AT_OR_ABOVE: "≥",
    Comparison.BELOW: "<",
    Comparison.AT_OR_BELOW: "≤",
}


class ChartFeed:
    """Feeds one TrendView while it is open.

    Args:
        place: session and tasks.
        trend: what is fed.
        shows_rules: whether the limits of rules are drawn.
    """

    def __init__(self, place: Workplace, trend: TrendView, *, shows_rules: bool = True) -> None:
        self._place = place
        self._trend = trend
        self._shows_rules = shows_rules
        self._pens: tuple[Measured, ...] = ()
        self._by_series: dict[int, str] = {}
        self._states: dict[str, States] = {}
        self._gaps: dict[tuple[int, int], Gap] = {}
        self._tap: Tap | None = None
        self._ends: list[Unsubscribe] = []
        self._queries = HistoryQueries(place.session.client, self._on_answer)
        self._is_open = False
        self._events: list[http.AlarmEvent] = []
        self._events_from_us = 0
        trend.range_changed.connect(self._on_range)

    def open(self) -> None:
        """Begin feeding: the page is shown."""
        if self._is_open:
            return
        self._is_open = True
        session = self._place.session
        self._ends = [
            session.on.connection.subscribe(self._on_connection),
            session.on.resynced.subscribe(lambda _: self._ask_for_view()),
            session.alarms.changed.subscribe(lambda _: self._show_periods()),
            self._place.clock.register(self._trend, self._on_paint, most_hz=10.0),
        ]
        self._show_pens()
        self._on_connection(session.connection)

    def close(self) -> None:
        """Stop feeding: the page is hidden."""
        self._is_open = False
        self._queries.drop()
        for end in self._ends:
            end()
        self._ends.clear()
        self._close_tap()

    def set_pens(self, pens: Sequence[Measured]) -> None:
        """Draw these parameters."""
        self._pens = tuple(pens)
        if self._is_open:
            self._show_pens()

    @property
    def pens(self) -> tuple[Measured, ...]:
        """What is drawn."""
        return self._pens

    def _show_pens(self) -> None:
        self._close_tap()
        self._by_series = {one.parameter.series_id: one.parameter.id for one in self._pens}
        samples = self._place.session.samples
        texts = [one.parameter.id for one in self._pens if samples.is_text(one.parameter.series_id)]
        self._states = {identity: self._states.get(identity) or States() for identity in texts}
        self._trend.set_pens([self._pen(index, one) for index, one in enumerate(self._pens)])
        self._tap = self._place.session.samples.tap(self._by_series)
        self._show_newest()
        self._events = []
        self._ask_for_view()

    def _show_newest(self) -> None:
        """A slow parameter has a value now, although nothing comes for a while."""
        for series, identity in self._by_series.items():
            reading = self._place.session.samples.reading(series)
            if reading is not None:
                self._append(identity, np.array([reading.time_us], np.int64), np.array([reading.value]))

    def _append(self, identity: str, time_us: Times, value: Values) -> None:
        states = self._states.get(identity)
        if states is not None:
            value = states.numbers(value, self._place.session.samples.texts)
        self._trend.append_live(identity, time_us, value)

    def _pen(self, index: int, one: Measured) -> Pen:
        parameter = one.parameter
        return Pen(
            parameter.id,
            f"{one.device_title} · {one.title}",
            unit=parameter.unit,
            color_index=index,
            decimals=parameter.decimals,
            low=parameter.low,
            high=parameter.high,
            limits=tuple(self._limits(one)) if self._shows_rules else (),
            is_step=parameter.kind is not ParameterKind.NUMBER
            or self._place.session.samples.is_discrete(parameter.series_id),
            description=f"{one.device.key} / {parameter.key}",
            words=self._words(one),
        )

    def _words(self, one: Measured) -> Mapping[float, str]:
        states = self._states.get(one.parameter.id)
        if states is not None:
            return states.words
        is_switch = self._place.session.samples.is_discrete(one.parameter.series_id)
        return switch_words() if is_switch else {}

    def _limits(self, one: Measured) -> list[Limit]:
        rules = [rule.content for rule in self._place.session.plant.rules_on(one)]
        return [
            Limit(limit.limit, f"{content.name} {_SIGNS[limit.comparison]}", content.priority)
            for content in rules
            if (limit := plain_limit(content.condition)) is not None
        ]

    def _close_tap(self) -> None:
        if self._tap is not None:
            self._place.session.samples.close_tap(self._tap)
            self._tap = None

    def _on_range(self, _start_us: object, _end_us: object) -> None:
        self._ask_for_view()

    def _ask_for_view(self) -> None:
        if not self._is_open or not self._pens or not self._place.session.connection.is_connected:
            return
        start_us, end_us = self._trend.span_us
        margin_us = (end_us - start_us) // 10
        self._gaps.clear()
        ids = [one.parameter.id for one in self._pens]
        self._place.tasks.start(self._ask(ids, start_us - margin_us, min(end_us + margin_us, now_us())), self._on_error)

    async def _ask(self, ids: list[str], start_us: int, end_us: int) -> None:
        if end_us <= start_us:
            return
        await self._queries.ask(ids, start_us, end_us)
        session = self._place.session
        if not self._shows_rules or session.info is None:
            return
        page = await session.client.alarm_events(start=from_us(start_us), end=from_us(end_us), most=200)
        self._events, self._events_from_us = page.events, start_us
        self._show_periods()

    def _show_periods(self) -> None:
        session = self._place.session
        if session.info is None or not self._shows_rules:
            return
        wanted = watched_by(session.plant, self._pens, session.info.factory.id)
        found = periods(self._events, session.alarms.active, wanted, self._events_from_us)
        self._trend.set_alarm_periods([AlarmPeriod(one.start_us, one.end_us, one.priority, one.label) for one in found])

    def _on_answer(self, answer: Answer) -> None:
        for piece in answer.pieces:
            if piece.bins is not None:
                self._trend.set_history(piece.parameter_id, piece.bins)
            else:
                states = self._states.get(piece.parameter_id)
                value = piece.value if states is None else states.numbers(piece.value, piece.texts)
                self._trend.set_samples(piece.parameter_id, piece.time_us, value)
        for gap in answer.gaps:
            self._gaps[gap.start_us, gap.end_us] = Gap(gap.start_us, gap.end_us, gap_reason(gap.reason))
        self._trend.set_gaps(list(self._gaps.values()))
        pending = answer.pending_from_us
        zone = self._place.look.zone
        self._trend.set_note("" if pending is None else say("history from {time} on is still to come",
                                                            time=clock_time(pending, zone)))  # fmt: skip

    def _on_error(self, error: FactoryOpsError) -> None:
        self._trend.set_note(str(error))

    def _on_connection(self, connection: Connection) -> None:
        self._trend.set_connected(not connection.is_lost, connection.since_us if connection.is_lost else None)

    def _on_paint(self, _now_us: int) -> None:
        if self._tap is None:
            return
        if self._tap.has_overflowed:
            self._tap.has_overflowed = False
            self._ask_for_view()
        for series, time_us, value in self._tap.drain():
            self._append(self._by_series[series], time_us, value)
