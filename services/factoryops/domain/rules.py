"""Threshold rules: when a condition on a parameter is true."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from factoryops.domain.alarms import Priority
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import FactoryId, RuleId


class Comparison(StrEnum):
    """How the value is compared with the limit."""

    ABOVE = "gt"
    AT_OR_ABOVE = "gte"
    BELOW = "lt"
    AT_OR_BELOW = "lte"

    @property
    def is_high(self) -> bool:
        """Whether larger values are the abnormal ones."""
        return self in (Comparison.ABOVE, Comparison.AT_OR_ABOVE)


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """A limit on one parameter, for some or all devices of a factory.

    The condition turns true when the value compares so with `limit`, and false again when it no longer compares so
    with the limit moved back by `deadband` (so that without a deadband it is the comparison itself). It raises after
    `on_delay_s` of staying true, clears after `off_delay_s` of staying false, both counted on the samples' own time.

    Attributes:
        version: grows by one with each change.
        device_keys: the devices it watches; empty means every device that has the parameter, future ones too.
        deadband: at or above 0, in the parameter's unit.
    """

    id: RuleId
    factory_id: FactoryId
    version: int
    name: str
    parameter_key: str
    comparison: Comparison
    limit: float
    priority: Priority
    device_keys: frozenset[str] = frozenset()
    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    is_enabled: bool = True
    response: str = ""

    def check(self) -> None:
        """Raise InvalidInputError naming each field that cannot be used."""
        faults: dict[str, str] = {}
        if not self.name.strip():
            faults["name"] = "give the rule a name"
        if not self.parameter_key:
            faults["parameter_key"] = "choose a parameter"
        if not math.isfinite(self.limit):
            faults["limit"] = "the limit must be a number"
        for field in ("deadband", "on_delay_s", "off_delay_s"):
            number = getattr(self, field)
            if not math.isfinite(number) or number < 0:
                faults[field] = "must be zero or more"
        if faults:
            raise InvalidInputError("The rule cannot be saved: " + "; ".join(faults.values()) + ".", fields=faults)


__all__ = ["Comparison", "Priority", "ThresholdRule"]
