"""How long history is kept, over HTTP: the part of `HttpPlant` that implements `RetentionClient`."""

from __future__ import annotations

from factoryops.client.http_sources import Asks
from factoryops.contracts import http


class HttpRetention:
    """Retention."""

    async def retention(self: Asks) -> http.Retention:
        """The rules in force."""
        return await self._ask("GET", "retention", http.Retention)

    async def change_retention(self: Asks, change: http.RetentionChange) -> http.Retention:
        """Put all rules anew."""
        return await self._ask("PUT", "retention", http.Retention, body=change)
