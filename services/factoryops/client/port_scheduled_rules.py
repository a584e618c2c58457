"""Rules that the clock evaluates over history. Part of `factoryops.client.port.PlantClient`."""

from __future__ import annotations

from typing import Protocol

from factoryops.contracts import http


class ScheduledRulesClient(Protocol):
    """What a client of the service can ask and change about scheduled rules."""

    async def scheduled_rules(self) -> list[http.ScheduledRule]:
        """All scheduled rules, by name."""
        ...

    async def create_scheduled_rule(self, content: http.ScheduledRuleContent) -> http.ScheduledRule:
        """Add one; raises InvalidInputError when a device has no such parameter."""
        ...

    async def update_scheduled_rule(
        self, scheduled_rule_id: str, update: http.ScheduledRuleUpdate
    ) -> http.ScheduledRule:
        """Change one; raises ConflictError when somebody else changed it first."""
        ...

    async def delete_scheduled_rule(self, scheduled_rule_id: str) -> None:
        """Take one away and clear its alarms."""
        ...
