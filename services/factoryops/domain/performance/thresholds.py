"""The limits that performance is judged by; a site may choose its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from factoryops.domain.errors import InvalidInputError

INTERVAL_S: Final = 600
"""The fixed intervals of the figures, aligned to the clock."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a figure becomes a finding.

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

    def check(self) -> None:
        """Raise InvalidInputError when they cannot be used."""
        if not 1 <= self.flood_exit <= self.flood_entry:
            raise InvalidInputError("A flood must end at a rate that is not above the one it begins with.")
        if self.chatter_count < 2:
            raise InvalidInputError("Chattering needs two annunciations at least.")


DEFAULT: Final = Thresholds()
