"""Alarm rules over HTTP: the part of `HttpPlant` that implements `RulesClient`."""

from __future__ import annotations

from factoryops.client.http_sources import Asks
from factoryops.contracts import http


class HttpRules:
    """Rules and their versions."""

    async def rules(self: Asks) -> list[http.Rule]:
        """All rules."""
        return (await self._ask("GET", "rules", http.RuleList)).rules

    async def create_rule(self: Asks, content: http.RuleContent, *, reason: str = "") -> http.Rule:
        """Add a rule."""
        return await self._ask("POST", "rules", http.Rule, body=content, query=_why(reason))

    async def update_rule(self: Asks, rule_id: str, update: http.RuleUpdate) -> http.Rule:
        """Change a rule; raises ConflictError when somebody else changed it first."""
        return await self._ask("PUT", f"rules/{rule_id}", http.Rule, body=update)

    async def delete_rule(self: Asks, rule_id: str, *, reason: str = "") -> None:
        """Take a rule out of use."""
        await self._send("DELETE", f"rules/{rule_id}", query=_why(reason))

    async def rule_versions(self: Asks, rule_id: str) -> list[http.Rule]:
        """Every version of a rule, the newest first."""
        return (await self._ask("GET", f"rules/{rule_id}/versions", http.RuleVersions)).versions

    async def rule_differences(self: Asks, rule_id: str, old: int, new: int) -> list[http.RuleDifference]:
        """What version `new` has different from version `old`."""
        query = {"old": old, "new": new}
        return (await self._ask("GET", f"rules/{rule_id}/differences", http.RuleDifferences, query=query)).changes

    async def roll_back_rule(self: Asks, rule_id: str, wanted: http.RuleRollBack) -> http.Rule:
        """Put an older content in force again, as a new version."""
        return await self._ask("POST", f"rules/{rule_id}/roll-back", http.Rule, body=wanted)

    async def import_rules(self: Asks, request: http.RuleImport) -> http.RuleImportReport:
        """Import the original product's rules, or hear what would come of each."""
        return await self._ask("POST", "rules/import", http.RuleImportReport, body=request)


def _why(reason: str) -> dict[str, str] | None:
    return {"reason": reason} if reason else None
