"""The rules of the imagined plant."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from factoryops.client.imagined import FACTORY_ID, STARTER_RULES, StarterRule
from factoryops.contracts import http
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from factoryops.domain.identity import derived_id, new_id
from factoryops.domain.rule import RuleScope
from factoryops.domain.time import from_us


class FakeRules:
    """Rules in memory, with versions.

    Attributes:
        starters: the rules the plant begins with, and how their alarms stand.
    """

    def __init__(self, devices: Mapping[str, http.Device], clock: Callable[[], int]) -> None:
        self._devices = devices
        self._clock = clock
        self._rules: dict[str, http.Rule] = {}
        self.starters: list[tuple[http.Rule, StarterRule]] = []
        for starter in STARTER_RULES:
            rule_id = derived_id(FACTORY_ID, "rule", starter.content.name)
            device = next(one for one in devices.values() if one.key == starter.machine)
            content = starter.content.model_copy(update={"scope": RuleScope(devices=(device.key,))})
            self._rules[rule_id] = self._made(rule_id, 1, content, "supervisor")
            self.starters.append((self._rules[rule_id], starter))

    def _made(self, rule_id: str, version: int, content: http.RuleContent, actor: str, reason: str = "") -> http.Rule:
        return http.Rule(
            id=rule_id, version=version, content=content, changed_by=actor, changed_at=from_us(self._clock()),
            reason=reason, holds_from_seq=1,
        )  # fmt: skip

    def _check(self, content: http.RuleContent) -> None:
        definition = content.definition()
        definition.check()
        known = {device.key for device in self._devices.values()}
        missing = next((key for key in definition.scope.devices if key not in known), None)
        if missing is not None:
            raise InvalidInputError(
                f"There is no device {missing!r} in this factory.", fields={"scope": "no such device"}
            )

    def all(self) -> list[http.Rule]:
        """Every rule, by name."""
        return sorted(self._rules.values(), key=lambda rule: rule.content.name)

    def get(self, rule_id: str) -> http.Rule:
        """One rule."""
        if rule_id not in self._rules:
            raise NotFoundError("There is no such rule.")
        return self._rules[rule_id]

    def create(self, content: http.RuleContent, actor: str, reason: str = "") -> http.Rule:
        """Add a rule."""
        self._check(content)
        rule = self._made(new_id(), 1, content, actor, reason)
        self._rules[rule.id] = rule
        return rule

    def update(self, rule_id: str, update: http.RuleUpdate, actor: str) -> http.Rule:
        """Change a rule."""
        held = self.get(rule_id)
        self._check(update.content)
        if held.version != update.version:
            raise ConflictError(f"{held.changed_by} changed this rule meanwhile; look at it again before saving.")
        self._rules[rule_id] = self._made(rule_id, held.version + 1, update.content, actor, update.reason)
        return self._rules[rule_id]

    def delete(self, rule_id: str) -> None:
        """Take a rule out of use."""
        self.get(rule_id)
        del self._rules[rule_id]
