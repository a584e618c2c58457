"""Declared outages over HTTP: the part of `HttpPlant` that implements `OutagesClient`."""

from __future__ import annotations

from factoryops.client.http_sources import Asks
from factoryops.contracts import http


class HttpOutages:
    """Declared outages."""

    async def outages(self: Asks) -> list[http.Outage]:
        """All declared outages, the latest first."""
        return (await self._ask("GET", "alarms/performance/outages", http.OutageList)).outages

    async def declare_outage(self: Asks, content: http.OutageContent) -> http.Outage:
        """Leave a span out of the figures of alarms."""
        return await self._ask("POST", "alarms/performance/outages", http.Outage, body=content)

    async def withdraw_outage(self: Asks, outage_id: str) -> http.Outage:
        """Take a declaration back; raises ConflictError when somebody has done so before."""
        return await self._ask("POST", f"alarms/performance/outages/{outage_id}/withdrawal", http.Outage)
