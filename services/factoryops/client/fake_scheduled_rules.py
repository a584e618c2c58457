"""Scheduled rules of the imagined plant: the part of `FakePlant` that implements `ScheduledRulesClient`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from factoryops.client.fake_organisation import OrganisationBook
from factoryops.contracts import http
from factoryops.contracts.http.scheduled_rules import check_parameters
from factoryops.domain.errors import NotFoundError, OutdatedError
from factoryops.domain.identity import Permission, new_id
from factoryops.domain.organisation import check_name
from factoryops.domain.time import from_us


class FakeScheduledRules:
    """Scheduled rules in memory; nothing evaluates them."""

    _clock: Callable[[], int]
    _devices: dict[str, http.Device]
    _organisation: OrganisationBook
    _scheduled: Mapping[str, http.ScheduledRule] = {}

    async def _enter(self, permission: Permission) -> str:
        raise NotImplementedError

    async def scheduled_rules(self) -> list[http.ScheduledRule]:
        """All scheduled rules, by name."""
        await self._enter(Permission.VIEW)
        return sorted(self._scheduled.values(), key=lambda one: one.content.name)

    async def create_scheduled_rule(self, content: http.ScheduledRuleContent) -> http.ScheduledRule:
        """Add one."""
        actor = await self._enter(Permission.EDIT_RULES)
        return self._put_scheduled(new_id(), 1, content, actor)

    async def update_scheduled_rule(
        self, scheduled_rule_id: str, update: http.ScheduledRuleUpdate
    ) -> http.ScheduledRule:
        """Change one."""
        actor = await self._enter(Permission.EDIT_RULES)
        if self._scheduled_one(scheduled_rule_id).version != update.version:
            raise OutdatedError("Somebody else changed it meanwhile: look at it again and repeat your change.")
        return self._put_scheduled(scheduled_rule_id, update.version + 1, update.content, actor)

    async def delete_scheduled_rule(self, scheduled_rule_id: str) -> None:
        """Take one away."""
        await self._enter(Permission.EDIT_RULES)
        gone = self._scheduled_one(scheduled_rule_id).id
        self._scheduled = {one: rule for one, rule in self._scheduled.items() if one != gone}

    def _scheduled_one(self, identity: str) -> http.ScheduledRule:
        if identity not in self._scheduled:
            raise NotFoundError("There is no such scheduled rule.")
        return self._scheduled[identity]

    def _put_scheduled(
        self, identity: str, version: int, content: http.ScheduledRuleContent, actor: str
    ) -> http.ScheduledRule:
        check_name(content.name, (one.content.name for one in self._scheduled.values() if one.id != identity))
        if content.shift_id is not None:
            self._organisation.shift(content.shift_id)
        there = {(device.key, one.key) for device in self._devices.values() for one in device.parameters}
        check_parameters(content, lambda device, parameter: (device, parameter) in there)
        made = http.ScheduledRule(
            id=identity, version=version, content=content, changed_by=actor, changed_at=from_us(self._clock())
        )
        self._scheduled = {**self._scheduled, identity: made}
        return made
