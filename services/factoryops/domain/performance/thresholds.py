"""The limits that performance is judged by; a site may choose its own in its alarm philosophy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from factoryops.domain.errors import InvalidInputError

INTERVAL_S: Final = 600
"""The fixed intervals of the figures, aligned to the clock."""

TOP: Final = 10
"""How many of the most frequent alarms are looked at together."""

_MOST_COUNTED: Final = 1_000_000
_LONGEST_S: Final = 400 * 86_400.0


@dataclass(frozen=True, slots=True)
class Target:
    """How a figure is compared: up to `good` is within target, up to `most` beyond it, above that far beyond it."""

    good: float
    most: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a figure becomes a finding, and what the main figures are compared with.

    The defaults are those of ISA-18.2 / IEC 62682 and EEMUA 191 as public texts give them.

    Attributes:
        busy_interval: an interval of 10 min with more annunciations is one too many for an operator.
        busy_hour: likewise a clock hour.
        flood_entry / flood_exit: a flood begins with more than the first in 10 min and ends with fewer than the second.
        chatter_count / chatter_span_s: so many annunciations of one alarm within such a span are chattering.
        chatter_index: in alarms per second; an alarm at or above it chatters.
        fleeting_s: an alarm active for less is fleeting.
        repeat_s: unless it comes again within this.
        stale_s: an alarm active for longer is stale.
        pair_s: how soon a consequential alarm follows.
        pair_confidence / pair_support: how reliably, and how often at least.
        rate_per_hour: target of the annunciations an hour; those a day and in 10 min follow from it.
        share_of_time: target of busy intervals, busy hours and the time in flood, from 0 to 1.
        busiest: target of the largest number in 10 min.
        top_ten: target of the share that the ten most frequent alarms make of all, from 0 to 1.
        stale_at_once: target of the number of alarms that are stale at the same time.
    """

    busy_interval: int = 10
    busy_hour: int = 30
    flood_entry: int = 10
    flood_exit: int = 5
    chatter_count: int = 3
    chatter_span_s: float = 60.0
    chatter_index: float = 0.05
    fleeting_s: float = 10.0
    repeat_s: float = 60.0
    stale_s: float = 86_400.0
    pair_s: float = 60.0
    pair_confidence: float = 0.95
    pair_support: int = 10
    rate_per_hour: Target = Target(6.0, 12.0)
    share_of_time: Target = Target(0.01, 0.05)
    busiest: Target = Target(10.0, 100.0)
    top_ten: Target = Target(0.05, 0.15)
    stale_at_once: Target = Target(5.0, 10.0)

    @property
    def rate_per_day(self) -> Target:
        """Target of the annunciations a day."""
        return Target(self.rate_per_hour.good * 24, self.rate_per_hour.most * 24)

    @property
    def rate_per_interval(self) -> Target:
        """Target of the annunciations in 10 min."""
        per_hour = 3_600 / INTERVAL_S
        return Target(self.rate_per_hour.good / per_hour, self.rate_per_hour.most / per_hour)

    def faults(self) -> dict[str, str]:
        """Why they cannot be used, by field; none when they can."""
        return dict(_faults(self))

    def check(self) -> None:
        """Raise InvalidInputError when they cannot be used."""
        faults = self.faults()
        if faults:
            field, fault = next(iter(faults.items()))
            raise InvalidInputError(
                f"The thresholds of the alarm figures cannot be used: {field} {fault}.", fields=faults
            )


def _faults(limits: Thresholds) -> Iterator[tuple[str, str]]:
    held: dict[str, Any] = asdict(limits)
    for name, (least, most) in _BOUNDS.items():
        if not least <= held[name] <= most:
            yield name, f"must be from {least:,.10g} to {most:,.10g}"
    if limits.flood_exit > limits.flood_entry:
        yield "flood_exit", "must not be above flood_entry: a flood ends at a rate that is not above its first one"
    for name, most in _TARGETS.items():
        good, tolerable = held[name]["good"], held[name]["most"]
        if not 0 <= good <= tolerable <= most:
            yield name, f"must be two values from 0 to {most:,g}, the good one not above the other"


_COUNT: Final = (1, _MOST_COUNTED)
_TIME_S: Final = (1.0, _LONGEST_S)
_BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "busy_interval": _COUNT,
    "busy_hour": _COUNT,
    "flood_entry": _COUNT,
    "flood_exit": _COUNT,
    "chatter_count": (2, _MOST_COUNTED),
    "chatter_span_s": _TIME_S,
    "chatter_index": (0.0001, 1.0),
    "fleeting_s": _TIME_S,
    "repeat_s": _TIME_S,
    "stale_s": _TIME_S,
    "pair_s": _TIME_S,
    "pair_confidence": (0.01, 1.0),
    "pair_support": _COUNT,
}
_TARGETS: Final[dict[str, float]] = {
    "rate_per_hour": _MOST_COUNTED, "share_of_time": 1.0, "busiest": _MOST_COUNTED, "top_ten": 1.0,
    "stale_at_once": _MOST_COUNTED,
}  # fmt: skip

DEFAULT: Final = Thresholds()
