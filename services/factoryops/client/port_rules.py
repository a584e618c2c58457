"""Alarm rules. Part of `factoryops.client.port.PlantClient`."""

from __future__ import annotations

from typing import Protocol

from factoryops.contracts import http


class RulesClient(Protocol):
    """What a client of the service can ask and change about rules.

    `reason` says why; it is kept with the version and in the audit trail.
    """

    async def rules(self) -> list[http.Rule]:
        """All rules."""
        ...

    async def create_rule(self, content: http.RuleContent, *, reason: str = "") -> http.Rule:
        """Add a rule; raises InvalidInputError naming the field that cannot be used."""
        ...

    async def update_rule(self, rule_id: str, update: http.RuleUpdate) -> http.Rule:
        """Change a rule; raises ConflictError when somebody else changed it first."""
        ...

    async def delete_rule(self, rule_id: str, *, reason: str = "") -> None:
        """Take a rule out of use; its alarms and their history stay."""
        ...

    async def rule_versions(self, rule_id: str) -> list[http.Rule]:
        """Every version of a rule, the newest first."""
        ...

    async def rule_differences(self, rule_id: str, old: int, new: int) -> list[http.RuleDifference]:
        """What version `new` has different from version `old`, in plain words; raises NotFoundError."""
        ...

    async def roll_back_rule(self, rule_id: str, wanted: http.RuleRollBack) -> http.Rule:
        """Put an older content in force again, as a new version; raises ConflictError as `update_rule` does."""
        ...

    async def import_rules(self, request: http.RuleImport) -> http.RuleImportReport:
        """Import the original product's rules, or, in a dry run, hear what would come of each."""
        ...
