"""How the imagined plant works: the part of `FakePlant` that implements `OrganisationClient`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from factoryops.client.fake_rules import RuleShelf
from factoryops.contracts import http
from factoryops.domain.errors import ConflictError, NotFoundError, OutdatedError
from factoryops.domain.identity import Permission, new_id
from factoryops.domain.organisation import check_areas, check_name
from factoryops.domain.time import from_us

_CHANGED = "Somebody else changed it meanwhile: look at it again and repeat your change."


class OrganisationBook:
    """Early, late and night shift, and no operating positions at first."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self.shifts: dict[str, http.Shift] = {}
        self.positions: dict[str, http.Position] = {}
        for name, start, end in (("Early", "06:00", "14:00"), ("Late", "14:00", "22:00"), ("Night", "22:00", "06:00")):
            window = http.ShiftWindow(start=start, end=end)
            self.put_shift(new_id(), 1, http.ShiftContent(name=name, windows=[window]), "admin")

    def shift(self, identity: str) -> http.Shift:
        """One, or NotFoundError."""
        if identity not in self.shifts:
            raise NotFoundError("There is no such shift.")
        return self.shifts[identity]

    def put_shift(self, identity: str, version: int, content: http.ShiftContent, actor: str) -> http.Shift:
        """Keep a version of a shift."""
        check_name(content.name, (one.content.name for one in self.shifts.values() if one.id != identity))
        self.shifts[identity] = http.Shift(
            id=identity, version=version, content=content, changed_by=actor, changed_at=from_us(self._clock())
        )
        return self.shifts[identity]

    def position(self, identity: str) -> http.Position:
        """One, or NotFoundError."""
        if identity not in self.positions:
            raise NotFoundError("There is no such operating position.")
        return self.positions[identity]

    def put_position(self, identity: str, version: int, content: http.PositionContent, actor: str) -> http.Position:
        """Keep a version of an operating position."""
        others = {one.content.name: one.content.areas for one in self.positions.values() if one.id != identity}
        check_name(content.name, others)
        check_areas(content.areas, others)
        self.positions[identity] = http.Position(
            id=identity, version=version, content=content, changed_by=actor, changed_at=from_us(self._clock())
        )
        return self.positions[identity]


class FakeOrganisation:
    """Shifts and operating positions in memory."""

    _organisation: OrganisationBook
    _rules: RuleShelf
    _scheduled: Mapping[str, http.ScheduledRule]

    async def _enter(self, permission: Permission) -> str:
        raise NotImplementedError

    async def shifts(self) -> list[http.Shift]:
        """All shifts, by name."""
        await self._enter(Permission.VIEW)
        return sorted(self._organisation.shifts.values(), key=lambda one: one.content.name)

    async def create_shift(self, content: http.ShiftContent) -> http.Shift:
        """Add a shift."""
        actor = await self._enter(Permission.EDIT_RULES)
        return self._organisation.put_shift(new_id(), 1, content, actor)

    async def update_shift(self, shift_id: str, update: http.ShiftUpdate) -> http.Shift:
        """Change a shift."""
        actor = await self._enter(Permission.EDIT_RULES)
        if self._organisation.shift(shift_id).version != update.version:
            raise OutdatedError(_CHANGED)
        return self._organisation.put_shift(shift_id, update.version + 1, update.content, actor)

    async def delete_shift(self, shift_id: str) -> None:
        """Take a shift away."""
        await self._enter(Permission.EDIT_RULES)
        held = self._organisation.shift(shift_id)
        users = [rule.content.name for rule in self._rules.all() if shift_id in rule.content.definition().shifts]
        users += [rule.content.name for rule in self._scheduled.values() if rule.content.shift_id == shift_id]
        if users:
            raise ConflictError(f"The shift is used by {users[0]}: change that rule first, then delete it.")
        del self._organisation.shifts[held.id]

    async def positions(self) -> list[http.Position]:
        """All operating positions, by name."""
        await self._enter(Permission.VIEW)
        return sorted(self._organisation.positions.values(), key=lambda one: one.content.name)

    async def create_position(self, content: http.PositionContent) -> http.Position:
        """Add one."""
        actor = await self._enter(Permission.EDIT_RULES)
        return self._organisation.put_position(new_id(), 1, content, actor)

    async def update_position(self, position_id: str, update: http.PositionUpdate) -> http.Position:
        """Change one."""
        actor = await self._enter(Permission.EDIT_RULES)
        if self._organisation.position(position_id).version != update.version:
            raise OutdatedError(_CHANGED)
        return self._organisation.put_position(position_id, update.version + 1, update.content, actor)

    async def delete_position(self, position_id: str) -> None:
        """Take one away."""
        await self._enter(Permission.EDIT_RULES)
        del self._organisation.positions[self._organisation.position(position_id).id]
