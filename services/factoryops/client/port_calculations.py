"""Calculated parameters. Part of `factoryops.client.port.PlantClient`."""

from __future__ import annotations

from typing import Protocol

from factoryops.contracts import http


class CalculationsClient(Protocol):
    """What a client of the service can ask and change about calculated parameters."""

    async def calculations(self) -> list[http.Calculation]:
        """All calculated parameters."""
        ...

    async def create_calculation(self, content: http.CalculationContent) -> http.Calculation:
        """Add one; raises ConflictError when the parameter exists already."""
        ...

    async def update_calculation(self, calculation_id: str, update: http.CalculationUpdate) -> http.Calculation:
        """Change one; raises ConflictError when somebody else changed it first."""
        ...

    async def delete_calculation(self, calculation_id: str) -> None:
        """Take one out of use; its parameter and what was calculated stay."""
        ...

    async def try_calculation(self, trial: http.CalculationTrial) -> http.TriedCalculation:
        """What an expression would have come to over a span of history; nothing is saved."""
        ...
