"""Alarm rules and their versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from factoryops.api.call import Asking
from factoryops.contracts import http
from factoryops.contracts.http.rules import Reason
from factoryops.contracts.rule_versions import differences_between

Why = Annotated[Reason, Query(description="Why; kept with the version and in the audit trail.")]


async def list_rules(asking: Asking) -> http.RuleList:
    """All rules in use."""
    return http.RuleList(rules=await asking.read(lambda tx: tx.rules(asking.scope).list()))


async def create_rule(body: http.RuleContent, asking: Asking, reason: Why = "") -> http.Rule:
    """Add a rule; the engine takes it up within seconds."""
    rule = await asking.change(lambda tx: tx.rules(asking.scope).create(body, asking.scope.actor, reason))
    asking.service.hub.tell_plant(asking.scope.factory_id)
    return rule


async def update_rule(rule_id: http.Identifier, body: http.RuleUpdate, asking: Asking) -> http.Rule:
    """Put a new version of a rule in force; refused when somebody else changed it first."""
    rule = await asking.change(
        lambda tx: tx.rules(asking.scope).update(rule_id, body.version, body.content, asking.scope.actor, body.reason)
    )
    asking.service.hub.tell_plant(asking.scope.factory_id)
    return rule


async def delete_rule(rule_id: http.Identifier, asking: Asking, reason: Why = "") -> None:
    """Take a rule out of use; its alarms and their history stay."""
    await asking.change(lambda tx: tx.rules(asking.scope).delete(rule_id, reason))
    asking.service.hub.tell_plant(asking.scope.factory_id)


async def list_versions(rule_id: http.Identifier, asking: Asking) -> http.RuleVersions:
    """Every version of a rule: who made it, when, why, and from which row of the journal it held."""
    return http.RuleVersions(versions=await asking.read(lambda tx: tx.rules(asking.scope).versions(rule_id)))


async def compare_versions(
    rule_id: http.Identifier,
    asking: Asking,
    old: Annotated[int, Query(ge=1, le=2_147_483_647)],
    new: Annotated[int, Query(ge=1, le=2_147_483_647)],
) -> http.RuleDifferences:
    """What version `new` has different from version `old`, in plain words."""
    first, second = await asking.read(
        lambda tx: (tx.rules(asking.scope).version(rule_id, old), tx.rules(asking.scope).version(rule_id, new))
    )
    return differences_between(first, second)


async def roll_back(rule_id: http.Identifier, body: http.RuleRollBack, asking: Asking) -> http.Rule:
    """Put an older content in force again, as a new version; refused when somebody else changed the rule first."""
    rule = await asking.change(lambda tx: tx.rules(asking.scope).roll_back(rule_id, body, asking.scope.actor))
    asking.service.hub.tell_plant(asking.scope.factory_id)
    return rule


async def import_original(body: http.RuleImport, asking: Asking) -> http.RuleImportReport:
    """Import the original product's rules, or, in a dry run, say what would come of each and what is different."""
    report = await asking.change(lambda tx: tx.rules(asking.scope).take_over(body, asking.scope.actor))
    if not body.is_dry_run:
        asking.service.hub.tell_plant(asking.scope.factory_id)
    return report
