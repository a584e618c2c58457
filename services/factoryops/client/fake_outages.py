"""Declared outages of the imagined plant: the part of `FakePlant` that implements `OutagesClient`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from factoryops.contracts import http
from factoryops.domain.errors import ConflictError, NotFoundError
from factoryops.domain.identity import Permission, new_id
from factoryops.domain.performance.rates import Span
from factoryops.domain.time import from_us, to_us


class FakeOutages:
    """Declared outages in memory."""

    _clock: Callable[[], int]
    _outages: Mapping[str, http.Outage] = {}

    async def _enter(self, permission: Permission) -> str:
        raise NotImplementedError

    async def outages(self) -> list[http.Outage]:
        """All declared outages, the latest first."""
        await self._enter(Permission.VIEW)
        return sorted(self._outages.values(), key=lambda one: (one.content.start, one.id), reverse=True)

    async def declare_outage(self, content: http.OutageContent) -> http.Outage:
        """Leave a span out of the figures of alarms."""
        actor = await self._enter(Permission.EDIT_RULES)
        made = http.Outage(id=new_id(), content=content, declared_by=actor, declared_at=from_us(self._clock()))
        self._outages = {**self._outages, made.id: made}
        return made

    async def withdraw_outage(self, outage_id: str) -> http.Outage:
        """Take a declaration back."""
        actor = await self._enter(Permission.EDIT_RULES)
        if outage_id not in self._outages:
            raise NotFoundError("There is no such declared outage.")
        held = self._outages[outage_id]
        if not held.holds:
            raise ConflictError(f"{held.withdrawn_by} has withdrawn this outage already.")
        gone = held.model_copy(update={"withdrawn_by": actor, "withdrawn_at": from_us(self._clock())})
        self._outages = {**self._outages, outage_id: gone}
        return gone

    @property
    def _declared(self) -> list[Span]:
        """The spans that figures leave out."""
        held = [one.content for one in self._outages.values() if one.holds]
        return [(to_us(one.start), to_us(one.end)) for one in held]
