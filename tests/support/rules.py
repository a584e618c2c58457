"""Rules of one limit, written as briefly as a test wants them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.limits import PlainLimit, plain_limit
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.identity import FactoryId, RuleId
from factoryops.domain.rule import AlarmRecord, Rule, RuleDefinition, RuleInForce, RuleMode, RuleScope

ZONE: Final = "Europe/Berlin"


@dataclass(frozen=True)
class LimitRule:
    """A rule of one limit."""

    name: str = "Pressure high"
    parameter_key: str = "pressure"
    comparison: Comparison = Comparison.ABOVE
    limit: float = 5.0
    priority: Priority = Priority.HIGH
    device_keys: Iterable[str] = ()
    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    is_enabled: bool = True
    response: str = ""

    def definition(self) -> RuleDefinition:
        return RuleDefinition(
            name=self.name,
            condition=PlainLimit(self.parameter_key, self.comparison, self.limit, self.deadband).condition,
            priority=self.priority,
            scope=RuleScope(devices=tuple(sorted(self.device_keys))),
            on_delay_s=self.on_delay_s,
            off_delay_s=self.off_delay_s,
            mode=RuleMode.LIVE if self.is_enabled else RuleMode.OFF,
            record=AlarmRecord(action=self.response),
        )


def limit_of(content: http.RuleContent) -> PlainLimit:
    """The limit of a rule that has one."""
    found = plain_limit(content.condition)
    assert found is not None, content
    return found


def limit_content(**fields: Any) -> http.RuleContent:
    """A rule of one limit as it travels."""
    return http.RuleContent.of(LimitRule(**fields).definition())


def changed_content(content: http.RuleContent, **fields: Any) -> http.RuleContent:
    """The same rule with some of the fields of a LimitRule changed."""
    limit = limit_of(content)
    held = LimitRule(
        content.name, limit.parameter_key, limit.comparison, limit.limit, content.priority, content.scope.devices,
        limit.deadband, content.on_delay_s, content.off_delay_s, content.is_on, content.record.action,
    )  # fmt: skip
    return http.RuleContent.of(replace(held, **fields).definition())


def limit_rule(rule_id: str, factory: str = "f1", version: int = 1, **fields: Any) -> RuleInForce:
    """A rule of one limit as the engine evaluates it."""
    definition = LimitRule(**fields).definition()
    rule = Rule(RuleId(rule_id), FactoryId(factory), version, definition)
    return RuleInForce(rule, frozenset(definition.scope.devices) or None, ZONE)
