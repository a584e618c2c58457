"""Alarm performance over HTTP: the part of `HttpPlant` that implements `PerformanceClient`."""

from __future__ import annotations

from datetime import datetime

from factoryops.client.http_sources import Asks
from factoryops.contracts import http


class HttpPerformance:
    """Alarm performance."""

    async def alarm_performance(
        self: Asks, *, start: datetime | None = None, end: datetime | None = None, position: str | None = None
    ) -> http.AlarmPerformance:
        """Figures of an operating position, by default of the whole factory and the last 30 days."""
        query = {
            "start": start.isoformat() if start else None, "end": end.isoformat() if end else None,
            "position": position,
        }  # fmt: skip
        return await self._ask("GET", "alarms/performance", http.AlarmPerformance, query=query)

    async def start_mending(self: Asks, request: http.MendRequest) -> http.Run:
        """Look for changes that make alarms calmer."""
        return await self._ask("POST", "alarms/performance/mends", http.Run, body=request)

    async def mending(self: Asks, run_id: str) -> http.Mending:
        """How far a search for such changes is, and what it came to."""
        return await self._ask("GET", f"alarms/performance/mends/{run_id}", http.Mending)

    async def floods(self: Asks) -> list[http.PositionFlood]:
        """Whether there is a flood now: of the whole factory, then of each operating position."""
        return (await self._ask("GET", "alarms/floods", http.FloodList)).floods
