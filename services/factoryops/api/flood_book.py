"""Whether each factory and each operating position is in a flood of alarms now: reckoned once, told to everybody."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Final

from factoryops.api.alarm_board import AlarmBoard
from factoryops.api.pool import WorkPool
from factoryops.contracts import http
from factoryops.database.database import Database
from factoryops.database.rows import Changes
from factoryops.database.transaction import Transaction
from factoryops.domain.alarms import PUT_ASIDE, AlarmEventKind
from factoryops.domain.errors import UnavailableError
from factoryops.domain.identity import FactoryId, Role, Scope
from factoryops.domain.performance.history import HistoryLine
from factoryops.domain.system_alarms import SERVICE_DEVICE
from factoryops.domain.time import now_us, to_us

_ACTOR: Final = "floods"
_STALE_S: Final = 5.0
"""Positions, classes and thresholds are read again after this long; no counter tells of them."""

_SHARE: Final = 10
"""Reading takes no more than one part in so many of the time."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What the database says about one factory, and when it was asked."""

    announced: list[HistoryLine]
    positions: list[http.Position]
    philosophy: http.Philosophy
    began_s: float = 0.0
    took_s: float = 0.0
    alarms: int = 0
    plant: int = 0


class FloodBook:
    """Floods by factory; used on the event loop alone.

    What the database holds counts, as in the alarm figures; while it is away, what the engine says since then as well.
    """

    def __init__(
        self, database: Database, pool: WorkPool, board: AlarmBoard, clock: Callable[[], int] = now_us
    ) -> None:
        self._database = database
        self._pool = pool
        self._board = board
        self._clock = clock
        self._read: dict[FactoryId, _Read] = {}
        self._told: dict[FactoryId, list[http.PositionFlood] | None] = {}

    async def now(self, factory: FactoryId) -> list[http.PositionFlood]:
        """The whole factory first, then each position.

        Raises:
            UnavailableError: the database is away and was never read.
        """
        try:
            read = await self._ask(factory, None)
        except UnavailableError:
            if factory not in self._read:
                raise
            read = self._read[factory]
        return await self._answer(factory, read)

    async def known(self, factory: FactoryId) -> list[http.PositionFlood]:
        """The same from what was read a moment ago, where somebody asked then: many clients may come at once.

        Raises:
            UnavailableError: the database is away and was never read.
        """
        read = self._read.get(factory)
        if read is None or monotonic() - read.began_s >= _SHARE * read.took_s:
            return await self.now(factory)
        return await self._answer(factory, read)

    async def _answer(self, factory: FactoryId, read: _Read) -> list[http.PositionFlood]:
        floods = await self._reckon(factory, read)
        if _news_of(floods) != _news_of(self._told.get(factory) or []):
            # Whoever asked knows something else than those who listen: the next look is told to all.
            self._told[factory] = None
        return floods

    async def news(self, factory: FactoryId, changes: Changes | None) -> list[http.PositionFlood] | None:
        """The floods when they are not what was told before, else None; at first only a flood is news."""
        if self._is_due(factory, changes):
            with contextlib.suppress(UnavailableError):
                await self._ask(factory, changes)
        read = self._read.get(factory)
        if read is None:
            return None
        floods = await self._reckon(factory, read)
        before = self._told.get(factory, [])
        self._told[factory] = floods
        return floods if before is None or _news_of(floods) != _news_of(before) else None

    def forget(self, factories: set[FactoryId]) -> None:
        """Keep nothing but of these factories."""
        for held in (self._read, self._told):
            for factory in held.keys() - factories:
                del held[factory]

    def _is_due(self, factory: FactoryId, changes: Changes | None) -> bool:
        read = self._read.get(factory)
        if read is None or changes is None:
            return read is None
        age_s = monotonic() - read.began_s
        has_moved = (changes.alarms, changes.plant.get(factory, 0)) != (read.alarms, read.plant)
        return age_s >= _STALE_S or (has_moved and age_s >= _SHARE * read.took_s)

    async def _ask(self, factory: FactoryId, changes: Changes | None) -> _Read:
        until_us, began_s = self._clock(), monotonic()

        def work(tx: Transaction) -> _Read:
            scope = Scope(factory, _ACTOR, Role.VIEWER)
            announced = tx.alarm_performance(scope).announced(until_us - http.FLOOD_LOOKS_BACK_US, until_us + 1)
            return _Read(
                announced, tx.positions(scope).list(), tx.philosophy(scope).get(), began_s, monotonic() - began_s,
                changes.alarms if changes else -1, changes.plant.get(factory, 0) if changes else -1,
            )  # fmt: skip

        read = self._read[factory] = await self._pool.run(self._database.read, work)
        return read

    async def _reckon(self, factory: FactoryId, read: _Read) -> list[http.PositionFlood]:
        lines = [*read.announced, *self._ahead(factory, read)]
        limits = read.philosophy.thresholds
        return (await self._pool.run(http.FloodList.of, lines, self._clock(), read.positions, limits)).floods

    def _ahead(self, factory: FactoryId, read: _Read) -> Iterator[HistoryLine]:
        """What the engine announced and the database does not hold yet."""
        known = {(one.alarm_id, one.annunciation) for one in read.announced}
        is_counted = read.philosophy.philosophy().is_counted
        for one in self._board.unrecorded(factory):
            is_load = one.device_key != SERVICE_DEVICE and is_counted(one.alarm_class)
            if one.raised_at is None or one.state in PUT_ASIDE or not is_load:
                continue
            if (one.id, one.annunciation) not in known:
                yield HistoryLine(
                    one.id, one.annunciation, AlarmEventKind.RAISED.value, to_us(one.raised_at), int(one.priority),
                    True, one.rule_name, one.device_name, one.area,
                )  # fmt: skip


def _news_of(floods: list[http.PositionFlood]) -> list[object]:
    """What of floods is worth telling: those that are on, with their counts."""
    return [one for one in floods if one.is_flood]
