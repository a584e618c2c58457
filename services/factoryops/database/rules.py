"""Alarm rules of one factory; every version is kept."""

from __future__ import annotations

import builtins

from factoryops.contracts import http
from factoryops.domain.identity import RuleId


class Rules:
    """The factory's rules; every change writes its audit entry."""

    def list(self) -> builtins.list[http.Rule]:
        """All in use, by name."""
        raise NotImplementedError

    def get(self, rule_id: RuleId | str) -> http.Rule:
        """One in use, or NotFoundError."""
        raise NotImplementedError

    def create(self, content: http.RuleContent, actor: str) -> http.Rule:
        """Add one.

        Raises:
            InvalidInputError: a field cannot be used.
            NotFoundError: a device is not of this factory.
        """
        raise NotImplementedError

    def update(self, rule_id: RuleId | str, version: int, content: http.RuleContent, actor: str) -> http.Rule:
        """Put a new version in force; raises ConflictError unless `version` is the present one."""
        raise NotImplementedError

    def delete(self, rule_id: RuleId | str) -> None:
        """Take it out of use; its alarms and their history stay."""
        raise NotImplementedError
