"""How long history is kept. Part of `factoryops.client.port.PlantClient`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from factoryops.contracts import http


class StatisticsClient(Protocol):
    """Figures of history."""

    async def statistics(self, parameter_ids: Sequence[str], start_us: int, end_us: int) -> http.StatisticsAnswer:
        """Time-weighted statistics of a span, live tail included."""
        ...


class RetentionClient(StatisticsClient, Protocol):
    """What a client of the service can ask and change about retention."""

    async def retention(self) -> http.Retention:
        """The rules in force."""
        ...

    async def change_retention(self, change: http.RetentionChange) -> http.Retention:
        """Put all rules anew; raises ConflictError when somebody else changed them first."""
        ...
