"""Trying rules on recorded history: a part of the port that `factoryops.client.port.PlantClient` inherits."""

from __future__ import annotations

from typing import Protocol

from factoryops.contracts import http


class BackTestsClient(Protocol):
    """Back-tests and the incidents they are held against."""

    async def start_back_test(self, request: http.BackTestRequest) -> http.Run:
        """Try a rule on a span of history; the run is cancelled like any other."""
        ...

    async def back_test(self, run_id: str) -> http.BackTest:
        """How far a back-test is, and what it came to once it has succeeded."""
        ...

    async def incidents(self) -> list[http.Incident]:
        """The factory's marked incidents, newest first."""
        ...

    async def mark_incident(self, content: http.IncidentContent) -> http.Incident:
        """Mark a span in which something went wrong."""
        ...

    async def change_incident(self, incident_id: str, content: http.IncidentContent) -> http.Incident:
        """Change what is marked."""
        ...

    async def delete_incident(self, incident_id: str) -> None:
        """Take a mark away."""
        ...
