"""How many alarms reach an operator, and which are a nuisance."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from fastapi import Query
from pydantic import AwareDatetime

from factoryops.api.call import Asking
from factoryops.api.guard import session_name
from factoryops.contracts import http
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.performance.figures import REPRESENTATIVE_DAYS
from factoryops.domain.performance.history import HistoryLine
from factoryops.domain.performance.rates import Span
from factoryops.domain.time import from_us, now_us, to_us

_MOST_DAYS: Final = 400


async def get_alarm_performance(
    asking: Asking,
    start: AwareDatetime | None = None,
    end: AwareDatetime | None = None,
    position: Annotated[http.Identifier | None, Query()] = None,
) -> http.AlarmPerformance:
    """Figures based on ISA-18.2 and EEMUA 191, by default of the last 30 days and of the whole factory.

    They are per operating position: a factory with several operators asks for each. Time in which the service could
    not receive and declared outages are left out and listed. Alarms about the service itself do not count.
    """
    span = _span(start, end)
    scope = asking.scope
    chosen = await asking.read(lambda tx: tx.positions(scope).get(position)) if position is not None else None
    limits = (await asking.read(lambda tx: tx.philosophy(scope).get())).thresholds
    declared = await asking.read(lambda tx: tx.outages(scope).spans(*span))
    lines = await asking.alarm_history(span)
    history = asking.service.context.history

    def figures(lines: list[HistoryLine]) -> http.AlarmPerformance:
        gaps = [(gap.start_us, gap.end_us) for gap in history.gaps(scope.factory_id, *span)]
        return http.AlarmPerformance.of(lines, span, gaps, declared, chosen, limits)

    async with asking.service.rate_limits.turn(session_name(asking.session)):
        return await asking.service.history_pool.run(figures, lines)


async def list_floods(asking: Asking) -> http.FloodList:
    """Whether the factory and each operating position are in a flood of alarms now.

    A flood begins with more than 10 annunciations in a sliding window of 10 minutes and ends with fewer than 5, unless
    the alarm philosophy has other thresholds.
    """
    return http.FloodList(floods=await asking.service.floods.now(asking.scope.factory_id))


def _span(start: AwareDatetime | None, end: AwareDatetime | None) -> Span:
    until = end or from_us(now_us())
    since = start or until - timedelta(days=REPRESENTATIVE_DAYS)
    if since >= until:
        raise InvalidInputError("The span is empty: its start must lie before its end.", fields={"start": "too late"})
    if until - since > timedelta(days=_MOST_DAYS):
        raise InvalidInputError(f"Ask for at most {_MOST_DAYS} days at once.", fields={"start": "too early"})
    return to_us(since), to_us(until)
