"""Trying rules on recorded history over HTTP: the part of `HttpPlant` that implements `BackTestsClient`."""

from __future__ import annotations

from factoryops.client.http_sources import Asks
from factoryops.contracts import http


class HttpBackTests:
    """Back-tests and the incidents they are held against."""

    async def start_back_test(self: Asks, request: http.BackTestRequest) -> http.Run:
        """Try a rule on a span of history."""
        return await self._ask("POST", "rules/back-test", http.Run, body=request)

    async def back_test(self: Asks, run_id: str) -> http.BackTest:
        """How far a back-test is, and what it came to."""
        return await self._ask("GET", f"rules/back-tests/{run_id}", http.BackTest)

    async def incidents(self: Asks) -> list[http.Incident]:
        """The factory's marked incidents."""
        return (await self._ask("GET", "incidents", http.IncidentList)).incidents

    async def mark_incident(self: Asks, content: http.IncidentContent) -> http.Incident:
        """Mark a span in which something went wrong."""
        return await self._ask("POST", "incidents", http.Incident, body=content)

    async def change_incident(self: Asks, incident_id: str, content: http.IncidentContent) -> http.Incident:
        """Change what is marked."""
        return await self._ask("PUT", f"incidents/{incident_id}", http.Incident, body=content)

    async def delete_incident(self: Asks, incident_id: str) -> None:
        """Take a mark away."""
        await self._send("DELETE", f"incidents/{incident_id}")
