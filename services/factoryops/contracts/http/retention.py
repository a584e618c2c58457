"""How long history is kept, as administrators decide it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from factoryops.contracts.http.parts import LINE, Key, Received, Sent, example
from factoryops.domain.retention import MOST_DAYS, Keep, RetentionPolicy

_Days = Annotated[int, Field(ge=0, le=MOST_DAYS)]


class RetentionRule(Sent):
    """How long history of some parameters is kept, in days; 0 is for ever.

    Attributes:
        parameters: their keys, on every device; empty for all that no other rule names.
    """

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=LINE)]
    parameters: Annotated[list[Key], Field(max_length=500)] = []
    raw_days: _Days = 0
    minute_days: _Days = 0
    hour_days: _Days = 0

    def policy(self) -> RetentionPolicy:
        """What the historian applies."""
        keep = Keep(self.raw_days, self.minute_days, self.hour_days)
        return RetentionPolicy(self.name, keep, tuple(self.parameters))


class RetentionChange(Sent):
    """All rules anew; `version` is the one the change was made from, so that nobody overwrites another's."""

    model_config = example({"version": 0, "rules": [{"name": "All", "raw_days": 90, "minute_days": 365}]})

    version: Annotated[int, Field(ge=0)]
    rules: Annotated[list[RetentionRule], Field(max_length=50)]


class Retention(Received):
    """All rules of the factory as they are; without any, history is kept for ever."""

    version: int
    rules: list[RetentionRule]
    changed_by: str = ""
    changed_at: datetime | None = None


def retention_faults(rules: list[RetentionRule]) -> dict[str, str]:
    """Why rules cannot be used together, by field."""
    faults: dict[str, str] = {}
    named: set[str] = set()
    has_general = False
    for place, rule in enumerate(rules):
        for field, fault in rule.policy().keep.faults().items():
            faults[f"rules.{place}.{field}"] = fault
        if named & set(rule.parameters) or (not rule.parameters and has_general):
            faults[f"rules.{place}.parameters"] = "another rule is for the same parameters"
        named |= set(rule.parameters)
        has_general = has_general or not rule.parameters
    return faults
