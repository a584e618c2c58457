"""One request as an endpoint sees it: who asks, and the running service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Request

from factoryops.api.alarm_board import AlarmBoard
from factoryops.api.context import ApiContext
from factoryops.api.flood_book import FloodBook
from factoryops.api.health_book import HealthBook
from factoryops.api.hub import Hub
from factoryops.api.plant_cache import Plant, PlantCache
from factoryops.api.pool import WorkPool
from factoryops.api.rate_limits import RateLimits
from factoryops.database.alarm_history import read_alarm_history
from factoryops.database.rows import SessionRecord
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import NotLoggedInError
from factoryops.domain.identity import Scope
from factoryops.domain.performance.history import HistoryLine

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of a running API.

    Attributes:
        pool: threads for the database and small files.
        history_pool: threads for the history, apart, so that long queries never keep a login waiting.
    """

    context: ApiContext
    pool: WorkPool
    history_pool: WorkPool
    rate_limits: RateLimits
    plants: PlantCache
    board: AlarmBoard
    floods: FloodBook
    health: HealthBook
    hub: Hub

    async def session_of(self, token: str) -> tuple[Scope, SessionRecord]:
        """Who a token is; raises NotLoggedInError or UnavailableError."""
        known = self.context.login.cached_session(token)
        return known if known is not None else await self.pool.run(self.context.login.session, token)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in.

    Attributes:
        who: None when nobody is logged in, on the few operations open to anybody.
    """

    service: Service
    who: tuple[Scope, SessionRecord] | None
    token: str | None

    @property
    def scope(self) -> Scope:
        """Who asks, for which factory."""
        return self._known()[0]

    @property
    def session(self) -> SessionRecord:
        """The session."""
        return self._known()[1]

    def _known(self) -> tuple[Scope, SessionRecord]:
        if self.who is None:
            raise NotLoggedInError("Log in first.")
        return self.who

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Ask the database."""
        return await self.service.pool.run(self.service.context.database.read, work)

    async def alarm_history(self, span: tuple[int, int]) -> list[HistoryLine]:
        """What happened to the factory's alarms in [start, end), in µs UTC."""
        return await self.service.pool.run(read_alarm_history, self.service.context.database, self.scope, span)

    async def change(self, work: Callable[[Transaction], T]) -> T:
        """One unit of work in the database."""
        return await self.service.pool.run(self.service.context.database.run, work)

    async def plant(self) -> Plant:
        """Devices and parameters of the session's factory."""
        return await self.service.plants.get(self.scope)


async def _call(request: Request) -> Call:
    call: Call = request.state.call
    return call


Asking = Annotated[Call, Depends(_call)]
"""The parameter through which an endpoint gets its call."""
