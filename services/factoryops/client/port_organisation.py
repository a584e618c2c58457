"""Shifts and operating positions. Part of `factoryops.client.port.PlantClient`."""

from __future__ import annotations

from typing import Protocol

from factoryops.contracts import http


class OrganisationClient(Protocol):
    """What a client of the service can ask and change about how a factory works."""

    async def shifts(self) -> list[http.Shift]:
        """All shifts, by name."""
        ...

    async def create_shift(self, content: http.ShiftContent) -> http.Shift:
        """Add a shift; raises ConflictError when its name is taken."""
        ...

    async def update_shift(self, shift_id: str, update: http.ShiftUpdate) -> http.Shift:
        """Change a shift; raises ConflictError when somebody else changed it first."""
        ...

    async def delete_shift(self, shift_id: str) -> None:
        """Take a shift away; raises ConflictError while a rule uses it."""
        ...

    async def positions(self) -> list[http.Position]:
        """All operating positions, by name; without any the whole factory is one."""
        ...

    async def create_position(self, content: http.PositionContent) -> http.Position:
        """Add one; raises InvalidInputError when an area belongs to another position."""
        ...

    async def update_position(self, position_id: str, update: http.PositionUpdate) -> http.Position:
        """Change one; raises ConflictError when somebody else changed it first."""
        ...

    async def delete_position(self, position_id: str) -> None:
        """Take one away."""
        ...
