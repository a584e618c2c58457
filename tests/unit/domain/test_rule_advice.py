"""What the author of a rule is told before it is saved."""

from __future__ import annotations

import pytest

from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Compare, Comparison, Condition, Constant, NoData, Not, Parameter
from factoryops.domain.rule import RuleDefinition, RuleScope
from factoryops.domain.rule_advice import Sifted, mistaken_for_silence

LEVEL = Sifted("tank-1", "tank", "Yard", "level", 600.0)
OTHER = Sifted("tank-2", "tank", "Hall", "level", 600.0)


@pytest.mark.parametrize(
    ("condition", "scope", "found"),
    [
        (NoData(60.0, Parameter("level")), RuleScope(), [LEVEL, OTHER]),
        (Not(NoData(60.0, Parameter("level"))), RuleScope(areas=("Yard",)), [LEVEL]),
        (NoData(60.0, Parameter("level", "tank-2")), RuleScope(("tank-1",)), [OTHER]),
        (NoData(601.0, Parameter("level")), RuleScope(), []),
        (NoData(60.0, Parameter("flow")), RuleScope(), []),
        (NoData(60.0), RuleScope(), []),
        (Compare(Parameter("level"), Comparison.ABOVE, Constant(1.0)), RuleScope(), []),
    ],
)
def test_no_data_of_a_parameter_takes_what_a_deadband_holds_back_for_silence(
    condition: Condition, scope: RuleScope, found: list[Sifted]
) -> None:
    definition = RuleDefinition("Silent", condition, Priority.HIGH, scope)
    assert mistaken_for_silence(definition, [LEVEL, OTHER]) == found
