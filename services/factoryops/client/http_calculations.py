"""Calculated parameters over HTTP: the part of `HttpPlant` that implements `CalculationsClient`."""

from __future__ import annotations

from factoryops.client.http_sources import Asks
from factoryops.contracts import http


class HttpCalculations:
    """Calculated parameters."""

    async def calculations(self: Asks) -> list[http.Calculation]:
        """All calculated parameters."""
        return (await self._ask("GET", "calculations", http.CalculationList)).calculations

    async def create_calculation(self: Asks, content: http.CalculationContent) -> http.Calculation:
        """Add one."""
        return await self._ask("POST", "calculations", http.Calculation, body=content)

    async def update_calculation(self: Asks, calculation_id: str, update: http.CalculationUpdate) -> http.Calculation:
        """Change one; raises ConflictError when somebody else changed it first."""
        return await self._ask("PUT", f"calculations/{calculation_id}", http.Calculation, body=update)

    async def delete_calculation(self: Asks, calculation_id: str) -> None:
        """Take one out of use."""
        await self._send("DELETE", f"calculations/{calculation_id}")

    async def try_calculation(self: Asks, trial: http.CalculationTrial) -> http.TriedCalculation:
        """What an expression would have come to over a span of history."""
        return await self._ask("POST", "calculations/try", http.TriedCalculation, body=trial)
