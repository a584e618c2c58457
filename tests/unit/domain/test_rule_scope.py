"""On which devices a rule is evaluated: one answer live, in back-tests, and for alarms put aside early."""

from __future__ import annotations

import pytest

from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import AllOf, Compare, Comparison, Condition, Constant, NoData, Parameter
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import FactoryId, RuleId
from factoryops.domain.rule import Rule, RuleDefinition, RuleInForce, RuleScope
from factoryops.domain.samples import SeriesKey
from factoryops.rules.conditions.instances import KnownSeries, is_evaluated_for

FACTORY = FactoryId("works")


def _above(parameter: str) -> Condition:
    return Compare(Parameter(parameter), Comparison.ABOVE, Constant(1.0))


BOTH = AllOf((_above("x"), _above("y")))
SILENT = NoData(60.0, Parameter("x"))
FACTORY_WIDE, NAMED = RuleScope(), RuleScope(devices=("pump-1",))


@pytest.mark.parametrize(
    ("condition", "scope", "parameters", "is_about"),
    [
        (BOTH, FACTORY_WIDE, {"x", "y"}, True),
        (BOTH, FACTORY_WIDE, {"x"}, False),
        (BOTH, RuleScope(kinds=("pump",)), {"x"}, False),
        (BOTH, RuleScope(areas=("elsewhere",)), {"x", "y"}, False),
        (SILENT, NAMED, set(), True),
        (SILENT, FACTORY_WIDE, {"y"}, False),
        (NoData(60.0), FACTORY_WIDE, {"y"}, True),
        (BOTH, RuleScope(devices=("pump-2",)), {"x", "y"}, False),
    ],
)
def test_a_rule_is_about_a_device_that_has_all_it_looks_at_or_that_it_names(
    condition: Condition, scope: RuleScope, parameters: set[str], *, is_about: bool
) -> None:
    definition = RuleDefinition(name="Rule", condition=condition, priority=Priority.LOW, scope=scope)
    assert definition.is_about("pump-1", "pump", "hall", parameters) is is_about
    if is_about:
        definition.check_is_about("pump-1", "pump", "hall", parameters)
    else:
        with pytest.raises(InvalidInputError, match="is not evaluated on the device pump-1"):
            definition.check_is_about("pump-1", "pump", "hall", parameters)
    known = KnownSeries(SeriesKey(FACTORY, "pump-1", parameter) for parameter in parameters)
    covered = frozenset({"pump-1"} if scope.covers("pump-1", "pump", "hall") else ())
    in_force = RuleInForce(Rule(RuleId("r"), FACTORY, 1, definition), covered, "UTC", {})
    assert is_evaluated_for(in_force, "pump-1", known) is is_about
