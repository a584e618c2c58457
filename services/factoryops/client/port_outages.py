"""Declared outages. Part of `factoryops.client.port.PlantClient`."""

from __future__ import annotations

from typing import Protocol

from factoryops.contracts import http


class OutagesClient(Protocol):
    """What a client of the service can ask and change about outages that people declare."""

    async def outages(self) -> list[http.Outage]:
        """All declared outages, the latest first; withdrawn ones among them."""
        ...

    async def declare_outage(self, content: http.OutageContent) -> http.Outage:
        """Leave a span out of the figures of alarms."""
        ...

    async def withdraw_outage(self, outage_id: str) -> http.Outage:
        """Take a declaration back; raises ConflictError when somebody has done so before."""
        ...
