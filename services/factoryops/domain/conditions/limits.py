"""The simplest condition, which most rules have: one parameter of the rule's own device against a fixed limit."""

from __future__ import annotations

import msgspec

from factoryops.domain.conditions.tree import Compare, Comparison, Condition, Constant, Parameter


class PlainLimit(msgspec.Struct, frozen=True):
    """A limit that can be drawn beside the parameter's curve.

    Attributes:
        deadband: how far the value must come back beyond the limit, in the parameter's unit.
    """

    parameter_key: str
    comparison: Comparison
    limit: float
    deadband: float = 0.0

    @property
    def condition(self) -> Compare:
        """As the rule language writes it."""
        left, right = Parameter(self.parameter_key), Constant(self.limit)
        return Compare(left, self.comparison, right, deadband=self.deadband)


def plain_limit(condition: Condition) -> PlainLimit | None:
    """The limit that a condition consists of; None where it is anything more."""
    match condition:
        case Compare(left=Parameter(key=key, device=""), comparison=comparison, right=Constant(value=limit)):
            return PlainLimit(key, comparison, limit, condition.deadband) if comparison.is_ordered else None
        case _:
            return None
