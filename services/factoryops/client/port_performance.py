"""Alarm performance. Part of `factoryops.client.port.PlantClient`."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from factoryops.contracts import http


class PerformanceClient(Protocol):
    """What a client of the service can ask about the load that alarms are."""

    async def alarm_performance(
        self, *, start: datetime | None = None, end: datetime | None = None, position: str | None = None
    ) -> http.AlarmPerformance:
        """Figures of an operating position, by default of the whole factory and the last 30 days."""
        ...

    async def start_mending(self, request: http.MendRequest) -> http.Run:
        """Look for changes that make alarms calmer; the run is cancelled like any other."""
        ...

    async def mending(self, run_id: str) -> http.Mending:
        """How far a search for such changes is, and what it came to once it has succeeded."""
        ...

    async def floods(self) -> list[http.PositionFlood]:
        """Whether there is a flood now: of the whole factory, then of each operating position."""
        ...
