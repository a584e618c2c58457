"""Conditions as data: what is taken, what is refused and in which words."""

from __future__ import annotations

from datetime import date

import pytest

from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.checking import check, from_json, is_about_own_device, references, to_json
from factoryops.domain.conditions.tree import (
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Condition,
    Constant,
    Count,
    Deviation,
    Expression,
    Frozen,
    Held,
    NoData,
    Not,
    Outside,
    Parameter,
    Rate,
    Window,
    WindowFunction,
)
from factoryops.domain.errors import ExpressionError, InvalidInputError
from factoryops.domain.expressions.tree import Reference
from factoryops.domain.rule import RuleDefinition, RuleScope
from factoryops.domain.schedules import Schedule, WeeklyWindow

HOT = Compare(Parameter("temperature"), Comparison.ABOVE, Constant(80.0), deadband=2.0)
NIGHT = Schedule(weekly=(WeeklyWindow("22:00", "06:00", (1, 2, 3, 4, 5)),))
EVERYTHING: Condition = AllOf(
    (
        AnyOf((HOT, Not(HOT), Held(HOT, 30.0), Count(HOT, 3, 60.0))),
        Compare(Parameter("inlet", "cooler"), Comparison.BELOW, Expression("outlet - 5")),
        Rate(Parameter("temperature"), Comparison.ABOVE, 0.5, 60.0),
        Deviation(Parameter("pressure"), 1.0, 600.0),
        Window(Expression("voltage * current"), WindowFunction.MEAN, 600.0, Comparison.ABOVE, 5_000.0),
        Frozen(Parameter("level"), 300.0, 0.01),
        NoData(60.0),
        NoData(60.0, Parameter("pressure")),
        Outside(NIGHT),
    )
)


def test_a_condition_comes_back_from_its_json_as_it_was() -> None:
    check(EVERYTHING)
    assert from_json(to_json(EVERYTHING)) == EVERYTHING


def test_it_knows_every_parameter_it_speaks_of_once() -> None:
    assert [(one.parameter, one.device) for one in references(EVERYTHING)] == [
        ("temperature", ""), ("inlet", "cooler"), ("outlet", ""), ("pressure", ""), ("voltage", ""), ("current", ""),
        ("level", ""),
    ]  # fmt: skip
    assert references(HOT) == (Reference("temperature"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"kind": "maybe"}', "Invalid value 'maybe'"),
        ('{"kind": "not"}', "missing required field `of`"),
        ('{"kind": "all", "of": [{"kind": "no_data", "for_s": "soon"}]}', "$.of[0].for_s"),
        ('{"kind": "no_data", "for_s": 3, "colour": 1}', "unknown field `colour`"),
        ("[", "got `array`"),
    ],
)
def test_what_is_no_condition_is_refused_saying_where(text: str, said: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        from_json(text)
    assert said in str(raised.value)
    assert "condition" in raised.value.fields


@pytest.mark.parametrize(
    "condition",
    [
        AllOf(()),
        Held(HOT, 0.0),
        Held(HOT, 86_401.0),
        Count(HOT, 0, 60.0),
        Compare(Constant(1.0), Comparison.ABOVE, Constant(2.0)),
        Compare(Parameter(""), Comparison.ABOVE, Constant(2.0)),
        Compare(Parameter("a"), Comparison.ABOVE, Constant(float("nan"))),
        Compare(Parameter("a"), Comparison.EQUAL, Constant(1.0), deadband=0.1),
        Compare(Parameter("a"), Comparison.ABOVE, Constant(1.0), deadband=-0.1),
        Rate(Parameter("a"), Comparison.EQUAL, 1.0, 60.0),
        Window(Parameter("a"), WindowFunction.MAX, 0.0, Comparison.ABOVE, 1.0),
        Frozen(Parameter("a"), 60.0, tolerance=-1.0),
        Outside(Schedule(weekly=(WeeklyWindow("25:00", "06:00"),))),
        AllOf(tuple(HOT for _ in range(1_000))),
    ],
)
def test_what_cannot_be_evaluated_is_refused(condition: Condition) -> None:
    with pytest.raises(InvalidInputError):
        check(condition)


def test_an_expression_in_a_condition_is_checked_as_everywhere() -> None:
    with pytest.raises(ExpressionError):
        check(Compare(Expression("1 +"), Comparison.ABOVE, Constant(0.0)))


def test_a_condition_nested_without_end_is_refused_before_anything_walks_down_it() -> None:
    deep: Condition = HOT
    for _ in range(200):
        deep = Not(deep)
    with pytest.raises(InvalidInputError, match="nested"):
        check(deep)
    with pytest.raises(InvalidInputError):
        from_json('{"kind":"not","of":' * 100_000)


def test_a_rule_about_named_devices_only_must_say_where_its_alarm_is_raised() -> None:
    other = Compare(Parameter("inlet", "cooler"), Comparison.ABOVE, Constant(80.0))
    assert is_about_own_device(HOT)
    assert is_about_own_device(NoData(60.0))
    assert not is_about_own_device(other)
    with pytest.raises(InvalidInputError, match="scope"):
        RuleDefinition("Cooler", other, Priority.HIGH).check()
    RuleDefinition("Cooler", other, Priority.HIGH, RuleScope(devices=("cooler",))).check()


def test_a_schedule_that_ends_before_it_begins_is_refused() -> None:
    assert Schedule().is_always
    with pytest.raises(InvalidInputError, match="before it begins"):
        Schedule(first=date(2026, 2, 1), last=date(2026, 1, 1)).check()


def test_plain_comparisons_may_be_many_and_others_may_not() -> None:
    plain = tuple(
        Compare(Parameter(f"p{number % 500}"), Comparison.ABOVE, Constant(float(number))) for number in range(890)
    )
    costly = tuple(NoData(10.0 + number, Parameter(f"p{number % 20}")) for number in range(100))
    check(AnyOf((*plain, *costly)))
    more, wider = NoData(5.0, Parameter("p1")), NoData(5.0, Parameter("p21"))
    looking_back = tuple(Rate(Parameter("p1"), Comparison.ABOVE, float(number), 60.0) for number in range(51))
    for condition, said in (
        (AnyOf((*plain, *costly, more)), "more than 100 parts"),
        (AnyOf((*plain, *looking_back)), "earlier values in 51 places"),
        (AnyOf((*plain, *costly[1:], wider)), "more than 20 parameters"),
        (AnyOf((*plain, *plain)), "more than 1,000 parts"),
        (AnyOf((*plain, Compare(Parameter("other"), Comparison.ABOVE, Constant(1.0)))), "more than 500 parameters"),
    ):
        with pytest.raises(InvalidInputError, match=said):
            check(condition)
