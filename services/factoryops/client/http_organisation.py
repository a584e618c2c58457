"""Shifts and operating positions over HTTP: the part of `HttpPlant` that implements `OrganisationClient`."""

from __future__ import annotations

from factoryops.client.http_sources import Asks
from factoryops.contracts import http


class HttpOrganisation:
    """Shifts and operating positions."""

    async def shifts(self: Asks) -> list[http.Shift]:
        """All shifts, by name."""
        return (await self._ask("GET", "shifts", http.ShiftList)).shifts

    async def create_shift(self: Asks, content: http.ShiftContent) -> http.Shift:
        """Add a shift; raises ConflictError when its name is taken."""
        return await self._ask("POST", "shifts", http.Shift, body=content)

    async def update_shift(self: Asks, shift_id: str, update: http.ShiftUpdate) -> http.Shift:
        """Change a shift; raises ConflictError when somebody else changed it first."""
        return await self._ask("PUT", f"shifts/{shift_id}", http.Shift, body=update)

    async def delete_shift(self: Asks, shift_id: str) -> None:
        """Take a shift away; raises ConflictError while a rule uses it."""
        await self._send("DELETE", f"shifts/{shift_id}")

    async def positions(self: Asks) -> list[http.Position]:
        """All operating positions, by name; without any the whole factory is one."""
        return (await self._ask("GET", "positions", http.PositionList)).positions

    async def create_position(self: Asks, content: http.PositionContent) -> http.Position:
        """Add one; raises InvalidInputError when an area belongs to another position."""
        return await self._ask("POST", "positions", http.Position, body=content)

    async def update_position(self: Asks, position_id: str, update: http.PositionUpdate) -> http.Position:
        """Change one; raises ConflictError when somebody else changed it first."""
        return await self._ask("PUT", f"positions/{position_id}", http.Position, body=update)

    async def delete_position(self: Asks, position_id: str) -> None:
        """Take one away."""
        await self._send("DELETE", f"positions/{position_id}")
