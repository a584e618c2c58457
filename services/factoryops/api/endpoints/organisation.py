"""Shifts and operating positions."""

from __future__ import annotations

from factoryops.api.call import Asking
from factoryops.contracts import http


async def list_shifts(asking: Asking) -> http.ShiftList:
    """All shifts of the factory, by name."""
    return http.ShiftList(shifts=await asking.read(lambda tx: tx.shifts(asking.scope).list()))


async def create_shift(body: http.ShiftContent, asking: Asking) -> http.Shift:
    """Add a shift; its windows are meant on the factory's own clock."""
    return await asking.change(lambda tx: tx.shifts(asking.scope).create(body))


async def update_shift(shift_id: http.Identifier, body: http.ShiftUpdate, asking: Asking) -> http.Shift:
    """Change a shift; rules that use it follow within seconds. Refused when somebody else changed it first."""
    made = await asking.change(lambda tx: tx.shifts(asking.scope).update(shift_id, body.version, body.content))
    asking.service.hub.tell_plant(asking.scope.factory_id)
    return made


async def delete_shift(shift_id: http.Identifier, asking: Asking) -> None:
    """Take a shift away; refused while a rule uses it."""
    await asking.change(lambda tx: tx.shifts(asking.scope).delete(shift_id))


async def list_positions(asking: Asking) -> http.PositionList:
    """All operating positions, by name; without any the whole factory is one."""
    return http.PositionList(positions=await asking.read(lambda tx: tx.positions(asking.scope).list()))


async def create_position(body: http.PositionContent, asking: Asking) -> http.Position:
    """Add an operating position; an area belongs to one position at most."""
    return await asking.change(lambda tx: tx.positions(asking.scope).create(body))


async def update_position(position_id: http.Identifier, body: http.PositionUpdate, asking: Asking) -> http.Position:
    """Change an operating position; refused when somebody else changed it first."""
    return await asking.change(lambda tx: tx.positions(asking.scope).update(position_id, body.version, body.content))


async def delete_position(position_id: http.Identifier, asking: Asking) -> None:
    """Take an operating position away; its areas then belong to none."""
    await asking.change(lambda tx: tx.positions(asking.scope).delete(position_id))
