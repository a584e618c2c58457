"""How often one session may ask, per class of cost; never shared between sessions."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from factoryops.domain.errors import TooManyAttemptsError

_MOST_SESSIONS: Final = 10_000


class Cost(StrEnum):
    """What a request costs the service."""

    LIGHT = "light"
    HISTORY = "history"
    WORK = "work"


class _Allowance:
    """A token bucket that holds a third of a minute's worth."""

    __slots__ = ("_at", "_left", "_per_s", "_room")

    def __init__(self, per_min: int, now: float) -> None:
        self._per_s = per_min / 60
        self._room = max(1.0, per_min / 3)
        self._left = self._room
        self._at = now

    def wait_s(self, now: float) -> float:
        """Take one; 0, or how long until there is one again."""
        self._left = min(self._room, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) / self._per_s


class RateLimits:
    """Allowances by session and class; the least recently seen sessions are forgotten beyond 10,000.

    Args:
        per_min: requests a minute by class.
        at_once: history queries of one session at the same time.
    """

    def __init__(
        self, per_min: Mapping[Cost, int], *, at_once: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_min = per_min
        self._at_once = at_once
        self._clock = clock
        self._allowances: OrderedDict[tuple[str, Cost], _Allowance] = OrderedDict()
        self._turns: OrderedDict[str, asyncio.Semaphore] = OrderedDict()

    def take(self, session: str, cost: Cost) -> None:
        """Count one request; raises TooManyAttemptsError saying when the next may come."""
        now, key = self._clock(), (session, cost)
        allowance = self._allowances.get(key)
        if allowance is None:
            allowance = self._allowances[key] = _Allowance(self._per_min[cost], now)
            if len(self._allowances) > _MOST_SESSIONS:
                self._allowances.popitem(last=False)
        self._allowances.move_to_end(key)
        wait_s = allowance.wait_s(now)
        if wait_s > 0:
            raise TooManyAttemptsError(
                "This session asks too often; wait a moment before asking again.", retry_after_s=max(1, round(wait_s))
            )

    def turn(self, session: str) -> asyncio.Semaphore:
        """What a history query of the session holds while it runs."""
        turn = self._turns.get(session)
        if turn is None:
            turn = self._turns[session] = asyncio.Semaphore(self._at_once)
            if len(self._turns) > _MOST_SESSIONS:
                self._turns.popitem(last=False)
        self._turns.move_to_end(session)
        return turn
