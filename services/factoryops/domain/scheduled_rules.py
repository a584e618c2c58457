"""Rules that the clock evaluates over a window of history: which window, which figure, and what it comes to."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from factoryops.domain.calendar import windows, zone_of
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.schedules import Schedule
from factoryops.domain.summaries import Held
from factoryops.domain.time import US_PER_S, from_us, to_us

MOST_SCHEDULED_RULES: Final = 500

_DAY: Final = timedelta(days=1)
_SHIFT_WITHIN_US: Final = 8 * 86_400 * US_PER_S
_COMPARE: Final[Mapping[Comparison, Callable[[float, float], bool]]] = {
    Comparison.ABOVE: operator.gt,
    Comparison.AT_OR_ABOVE: operator.ge,
    Comparison.BELOW: operator.lt,
    Comparison.AT_OR_BELOW: operator.le,
    Comparison.EQUAL: operator.eq,
    Comparison.UNEQUAL: operator.ne,
}
_COMPARED: Final[Mapping[Comparison, str]] = {
    Comparison.ABOVE: "above",
    Comparison.AT_OR_ABOVE: "at or above",
    Comparison.BELOW: "below",
    Comparison.AT_OR_BELOW: "at or below",
    Comparison.EQUAL: "exactly",
    Comparison.UNEQUAL: "other than",
}


class ScheduledWindow(StrEnum):
    """What a scheduled rule looks at, as of the moment at which it is due."""

    LAST_24_HOURS = "last_24_hours"
    YESTERDAY = "yesterday"
    """The local day before, of 23, 24 or 25 hours."""
    LAST_7_DAYS = "last_7_days"
    """The seven local days before."""
    LAST_SHIFT = "last_shift"
    """The newest window of a shift that is over; windows that adjoin are a shift each."""


class Aggregate(StrEnum):
    """The figure of a window; each value holds until the next one."""

    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    TOTAL = "total"
    """The value times hours: of kW it is kWh."""


def span_of(window: ScheduledWindow, due: datetime, timezone: str, shift: Schedule | None) -> tuple[int, int] | None:
    """The span [start, end) in µs UTC; None where the shift has not worked for a week.

    Raises:
        InvalidInputError: the zone is unknown.
    """
    due_us = to_us(due)
    if window is ScheduledWindow.LAST_24_HOURS:
        return due_us - 86_400 * US_PER_S, due_us
    if window is ScheduledWindow.LAST_SHIFT:
        return _last_shift(shift, timezone, due_us)
    days = 1 if window is ScheduledWindow.YESTERDAY else 7
    today = due.astimezone(zone_of(timezone)).date()
    start, end = (
        datetime.combine(day, time(), zone_of(timezone)).astimezone(UTC) for day in (today - days * _DAY, today)
    )
    return to_us(start), to_us(end)


def _last_shift(shift: Schedule | None, timezone: str, due_us: int) -> tuple[int, int] | None:
    if shift is None:
        return None
    # A window that is cut by the beginning of what is looked at is no whole shift.
    since_us = due_us - _SHIFT_WITHIN_US
    begins, ends = windows(shift, {}, timezone, since_us, due_us + 2 * 86_400 * US_PER_S)
    over = (ends <= due_us) & (begins > since_us) & (begins < ends)
    return max(zip(begins[over].tolist(), ends[over].tolist(), strict=True), key=_newest, default=None)


def _newest(span: tuple[int, int]) -> tuple[int, int]:
    """Sort key: the end, and of two that end together the longer one."""
    return span[1], -span[0]


def figure_of(aggregate: Aggregate, held: Held) -> float:
    """The figure of what was held; NaN where there was no good value."""
    if not held.good_us:
        return float("nan")
    match aggregate:
        case Aggregate.MEAN:
            return held.mean
        case Aggregate.MIN:
            return held.minimum
        case Aggregate.MAX:
            return held.maximum
        case Aggregate.TOTAL:
            return held.mean * held.good_us / US_PER_S / 3_600


def holds(value: float, comparison: Comparison, limit: float) -> bool:
    """Whether a figure compares so with the limit."""
    return _COMPARE[comparison](value, limit)


def sentence(
    aggregate: Aggregate, name: str, figures: tuple[float, float, float], comparison: Comparison, span_text: str
) -> str:
    """What is said of a rule that is true; `figures` are the value, the limit and how complete the data were."""
    value, limit, complete = figures
    return (
        f"{aggregate.value.title()} of {name} over {span_text} is {value:g}, {_COMPARED[comparison]} {limit:g} "
        f"({complete:.0%} of the time is known)."
    )


def span_in_words(span: tuple[int, int], timezone: str) -> str:
    """A span on the factory's clock."""
    start, end = (from_us(edge).astimezone(zone_of(timezone)) for edge in span)
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
