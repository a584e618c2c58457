"""Rules that the clock evaluates over history."""

from __future__ import annotations

from factoryops.api.call import Asking
from factoryops.contracts import http


async def list_scheduled_rules(asking: Asking) -> http.ScheduledRuleList:
    """All scheduled rules, by name."""
    return http.ScheduledRuleList(scheduled_rules=await asking.read(lambda tx: tx.scheduled_rules(asking.scope).list()))


async def create_scheduled_rule(body: http.ScheduledRuleContent, asking: Asking) -> http.ScheduledRule:
    """Add a scheduled rule; it is due for the first time after this moment."""
    return await asking.change(lambda tx: tx.scheduled_rules(asking.scope).create(body))


async def update_scheduled_rule(
    scheduled_rule_id: http.Identifier, body: http.ScheduledRuleUpdate, asking: Asking
) -> http.ScheduledRule:
    """Change a scheduled rule; alarms on devices that are no longer its own are cleared."""
    return await asking.change(
        lambda tx: tx.scheduled_rules(asking.scope).update(scheduled_rule_id, body.version, body.content)
    )


async def delete_scheduled_rule(scheduled_rule_id: http.Identifier, asking: Asking) -> None:
    """Take a scheduled rule away and clear its alarms; their history stays."""
    await asking.change(lambda tx: tx.scheduled_rules(asking.scope).delete(scheduled_rule_id))
