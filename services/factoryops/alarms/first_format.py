"""The engine's saved state as the first version of this program wrote it, whose rules were thresholds.

An update goes on from it: the machines stand where they stood, so that no alarm is lost and none raised again.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.limits import PlainLimit
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.identity import FactoryId, RuleId
from factoryops.domain.rule import AlarmRecord, Rule, RuleDefinition, RuleInForce, RuleScope

FIRST_FORMAT: Final = 1
_ZONE: Final = "UTC"
"""The first format knew no zone; none of its rules has a schedule, and the database says the right one in a moment."""


class _ThresholdRule(msgspec.Struct, frozen=True):
    id: RuleId
    factory_id: FactoryId
    version: int
    name: str
    parameter_key: str
    comparison: Comparison
    limit: float
    priority: Priority
    device_keys: frozenset[str]
    deadband: float
    on_delay_s: float
    off_delay_s: float
    response: str

    def in_force(self) -> RuleInForce:
        """The rule as it is written today."""
        limit = PlainLimit(self.parameter_key, self.comparison, self.limit, self.deadband)
        definition = RuleDefinition(
            name=self.name,
            condition=limit.condition,
            priority=self.priority,
            scope=RuleScope(devices=tuple(sorted(self.device_keys))),
            on_delay_s=self.on_delay_s,
            off_delay_s=self.off_delay_s,
            record=AlarmRecord(action=self.response),
        )
        rule = Rule(self.id, self.factory_id, self.version, definition)
        return RuleInForce(rule, self.device_keys or None, _ZONE)


def with_definitions(plain: bytes, new_format: int) -> bytes:
    """The saved state with its rules as definitions; raises msgspec.DecodeError."""
    saved: dict[str, Any] = msgspec.msgpack.decode(plain)
    try:
        evaluator = saved["evaluator"]
        held = msgspec.convert(evaluator["rules"], list[_ThresholdRule])
    except (KeyError, TypeError) as error:
        raise msgspec.DecodeError(f"its rules are missing: {error}") from error
    rules = [one.in_force() for one in held]
    return msgspec.msgpack.encode(saved | {"format": new_format, "evaluator": evaluator | {"rules": rules}})
