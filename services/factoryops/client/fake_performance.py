"""Figures of the imagined plant's alarms: the part of `FakePlant` that implements `PerformanceClient`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from factoryops.client.fake_alarms import FakeAlarms
from factoryops.client.fake_organisation import OrganisationBook
from factoryops.client.fake_outages import FakeOutages
from factoryops.contracts import http
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import Permission
from factoryops.domain.performance.figures import REPRESENTATIVE_DAYS
from factoryops.domain.performance.history import HistoryLine
from factoryops.domain.time import from_us, to_us

_ALL: Final = 1_000_000


class FakePerformance(FakeOutages):
    """Alarm performance and the outages it leaves out, measured on the imagined alarms as on real ones."""

    _clock: Callable[[], int]
    _alarms: FakeAlarms
    _organisation: OrganisationBook
    _philosophy: http.Philosophy

    async def _enter(self, permission: Permission) -> str:
        raise NotImplementedError

    async def alarm_performance(
        self, *, start: datetime | None = None, end: datetime | None = None, position: str | None = None
    ) -> http.AlarmPerformance:
        """Figures of an operating position."""
        await self._enter(Permission.VIEW)
        until = end or from_us(self._clock())
        since = start or until - timedelta(days=REPRESENTATIVE_DAYS)
        if since >= until:
            raise InvalidInputError("The span is empty: its start must lie before its end.")
        chosen = self._organisation.position(position) if position is not None else None
        return http.AlarmPerformance.of(
            self._lines(until), (to_us(since), to_us(until)), [], self._declared, chosen, self._philosophy.thresholds
        )

    async def floods(self) -> list[http.PositionFlood]:
        """Whether there is a flood now: of the whole factory, then of each operating position."""
        await self._enter(Permission.VIEW)
        return self._flood_list().floods

    def _flood_list(self) -> http.FloodList:
        positions = sorted(self._organisation.positions.values(), key=lambda one: one.content.name)
        now_us = self._clock()
        lines = [*self._lines(from_us(now_us + 1))]
        return http.FloodList.of(lines, now_us, positions, self._philosophy.thresholds)

    def _lines(self, until: datetime, *, without_rule: str = "") -> Iterator[HistoryLine]:
        philosophy = self._philosophy.philosophy()
        areas = {
            alarm.id: alarm.area
            for alarm in self._alarms.all()
            if philosophy.is_counted(alarm.alarm_class) and alarm.rule_id != without_rule
        }
        for event in self._alarms.events(None, _ALL, None, until, None).events:
            if event.alarm_id in areas:
                yield HistoryLine(
                    event.alarm_id, event.annunciation, event.kind.value, to_us(event.at), int(event.priority),
                    event.is_annunciation, event.rule_name, event.device_name, areas[event.alarm_id],
                )  # fmt: skip
