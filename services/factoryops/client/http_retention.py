"""How long history is kept, over HTTP: the part of `HttpPlant` that implements `RetentionClient`."""

from __future__ import annotations

from collections.abc import Sequence

from factoryops.client.http_sources import Asks
from factoryops.contracts import http


class HttpRetention:
    """Retention, and figures of what is kept."""

    async def statistics(self: Asks, parameter_ids: Sequence[str], start_us: int, end_us: int) -> http.StatisticsAnswer:
        """Time-weighted statistics of a span, live tail included."""
        query = {"parameter_id": list(parameter_ids), "start_us": start_us, "end_us": end_us}
        return await self._ask("GET", "statistics", http.StatisticsAnswer, query=query)

    async def retention(self: Asks) -> http.Retention:
        """The rules in force."""
        return await self._ask("GET", "retention", http.Retention)

    async def change_retention(self: Asks, change: http.RetentionChange) -> http.Retention:
        """Put all rules anew."""
        return await self._ask("PUT", "retention", http.Retention, body=change)
