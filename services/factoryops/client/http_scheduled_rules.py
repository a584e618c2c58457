"""Scheduled rules over HTTP: the part of `HttpPlant` that implements `ScheduledRulesClient`."""

from __future__ import annotations

from factoryops.client.http_sources import Asks
from factoryops.contracts import http


class HttpScheduledRules:
    """Scheduled rules."""

    async def scheduled_rules(self: Asks) -> list[http.ScheduledRule]:
        """All scheduled rules, by name."""
        return (await self._ask("GET", "scheduled-rules", http.ScheduledRuleList)).scheduled_rules

    async def create_scheduled_rule(self: Asks, content: http.ScheduledRuleContent) -> http.ScheduledRule:
        """Add one; raises InvalidInputError when a device has no such parameter."""
        return await self._ask("POST", "scheduled-rules", http.ScheduledRule, body=content)

    async def update_scheduled_rule(
        self: Asks, scheduled_rule_id: str, update: http.ScheduledRuleUpdate
    ) -> http.ScheduledRule:
        """Change one; raises ConflictError when somebody else changed it first."""
        return await self._ask("PUT", f"scheduled-rules/{scheduled_rule_id}", http.ScheduledRule, body=update)

    async def delete_scheduled_rule(self: Asks, scheduled_rule_id: str) -> None:
        """Take one away and clear its alarms."""
        await self._send("DELETE", f"scheduled-rules/{scheduled_rule_id}")
