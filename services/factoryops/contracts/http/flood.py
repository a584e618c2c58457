"""Whether operators are in a flood of alarms now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

from factoryops.contracts.http.organisation import Position
from factoryops.contracts.http.parts import Received
from factoryops.domain.flood import FloodState, FloodWatch
from factoryops.domain.performance.history import HistoryLine
from factoryops.domain.performance.thresholds import Thresholds
from factoryops.domain.time import US_PER_S, from_us

FLOOD_LOOKS_BACK_US: Final = 86_400 * US_PER_S
"""A flood that has lasted for longer is told to have begun then."""


class PositionFlood(Received):
    """An operating position and its flood.

    Attributes:
        position_id / position_name: "" for the whole factory.
        since: when the flood began; None without one.
        count: annunciations of the last 10 minutes.
    """

    position_id: str
    position_name: str
    is_flood: bool
    since: datetime | None
    count: int


class FloodList(Received):
    """The whole factory first, then each operating position by name."""

    floods: list[PositionFlood]

    @classmethod
    def of(
        cls, lines: Sequence[HistoryLine], now_us: int, positions: Iterable[Position], limits: Thresholds
    ) -> FloodList:
        """From the history of the last day."""
        whole = _told("", "", _state(lines, now_us, None, limits))
        each = [
            _told(one.id, one.content.name, _state(lines, now_us, frozenset(one.content.areas), limits))
            for one in positions
        ]
        return cls(floods=[whole, *each])


def _state(lines: Iterable[HistoryLine], now_us: int, areas: Collection[str] | None, limits: Thresholds) -> FloodState:
    watch = FloodWatch(entry=limits.flood_entry, leave=limits.flood_exit)
    moments = sorted(one.at_us for one in lines if one.is_annunciation and (areas is None or one.area in areas))
    for at_us in moments:
        watch.announce(at_us)
    return watch.look(now_us)


def _told(identity: str, name: str, state: FloodState) -> PositionFlood:
    since = None if state.since_us is None else from_us(state.since_us)
    return PositionFlood(
        position_id=identity, position_name=name, is_flood=state.is_flood, since=since, count=state.count
    )
