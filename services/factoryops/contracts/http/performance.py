"""Alarm performance: figures of one operating position over a span of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from factoryops.contracts.http.organisation import Position
from factoryops.contracts.http.parts import Identifier, Received
from factoryops.domain.alarms import Priority
from factoryops.domain.performance.figures import Performance, alarms_named, measure
from factoryops.domain.performance.history import HistoryLine, numbered
from factoryops.domain.performance.rates import Span
from factoryops.domain.performance.thresholds import Thresholds


class NumberedAlarm(Received):
    """An alarm that the lists of the figures name by its number."""

    number: int
    alarm_id: Identifier
    rule_name: str
    device_name: str
    area: str
    priority: Priority


class AlarmPerformance(Received):
    """The figures, and what the numbers of alarms in them mean.

    Attributes:
        position_id / position_name: the operating position; "" when it is the whole factory.
    """

    position_id: str
    position_name: str
    figures: Performance
    alarms: list[NumberedAlarm]

    @classmethod
    def of(
        cls, lines: Iterable[HistoryLine], span: Span, gaps: Sequence[Span], declared: Sequence[Span],
        position: Position | None, limits: Thresholds,
    ) -> AlarmPerformance:  # fmt: skip
        """The figures of a history for an operating position, None for the whole factory.

        Left out are `gaps`, in which nothing could be received, and `declared` outages.
        """
        happenings, known = numbered(lines, None if position is None else frozenset(position.content.areas))
        figures = measure(happenings, span, gaps, limits, declared=declared)
        alarms = [_told(number, known[number]) for number in sorted(alarms_named(figures))]
        if position is None:
            return cls(position_id="", position_name="", figures=figures, alarms=alarms)
        return cls(position_id=position.id, position_name=position.content.name, figures=figures, alarms=alarms)


def _told(number: int, line: HistoryLine) -> NumberedAlarm:
    return NumberedAlarm(
        number=number, alarm_id=line.alarm_id, rule_name=line.rule_name, device_name=line.device_name,
        area=line.area, priority=Priority(line.priority),
    )  # fmt: skip
