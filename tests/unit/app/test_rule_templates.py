from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.conditions.checking import check
from factoryops.domain.conditions.tree import AnyOf, Compare, Comparison, Condition, Constant, Not, Parameter
from factoryops.domain.conditions.tree import Held as HeldFor
from factoryops_app.models.rule_templates import (
    FIELDS,
    Template,
    TemplateDraft,
    recognised,
    template_hints,
    template_names,
)
from tests.unit.app.test_condition_draft import conditions

FILLED = {
    Template.HIGH: {"parameter": "pressure", "limit": "5", "deadband": "0,5"},
    Template.LOW: {"parameter": "pressure", "limit": "-2", "deadband": "0"},
    Template.BAND: {"parameter": "pressure", "high": "5", "low": "3", "deadband": "0.1"},
    Template.OUTSIDE_HOURS: {"parameter": "power", "limit": "3"},
    Template.IDLE: {"parameter": "power", "limit": "3", "for_s": "30 min"},
    Template.NO_DATA: {"parameter": "", "for_s": "1 min"},
    Template.FROZEN: {"parameter": "pressure", "for_s": "10 min", "tolerance": "0.01"},
    Template.FAST: {"parameter": "pressure", "change": "3", "window_s": "1 min", "direction": "either"},
}


@pytest.mark.parametrize("template", Template)
def test_each_short_form_makes_a_condition_and_opens_in_itself_again(template: Template) -> None:
    draft = TemplateDraft(template, FILLED[template])
    assert draft.errors() == {}
    condition = draft.condition()
    check(condition)
    again = recognised(condition)
    assert again is not None
    assert again.template is template
    assert again.condition() == condition
    assert template in template_names()
    assert template in template_hints()


@pytest.mark.parametrize("direction", ["above", "below", "either"])
@given(change=st.integers(1, 10_000), window_s=st.integers(1, 3_600))
def test_how_fast_is_too_fast_is_kept_to_the_last_digit(direction: str, change: int, window_s: int) -> None:
    texts = {"parameter": "pressure", "change": str(change), "window_s": f"{window_s} s", "direction": direction}
    condition = TemplateDraft(Template.FAST, texts).condition()
    again = recognised(condition)
    assert again is None or again.condition() == condition


@given(conditions)
def test_whatever_a_short_form_takes_up_it_makes_again_exactly(condition: Condition) -> None:
    draft = recognised(condition)
    assert draft is None or draft.condition() == condition


@pytest.mark.parametrize(
    "condition",
    [
        Compare(Parameter("pressure", "pump-1"), Comparison.ABOVE, Constant(5.0)),
        Compare(Parameter("pressure"), Comparison.AT_OR_ABOVE, Constant(5.0)),
        Compare(Parameter("pressure"), Comparison.ABOVE, Constant(5.0), 0.0, 60.0),
        Compare(Parameter("pressure"), Comparison.EQUAL, Constant(5.0)),
        Not(Compare(Parameter("pressure"), Comparison.ABOVE, Constant(5.0))),
        AnyOf((Compare(Parameter("a"), Comparison.ABOVE, Constant(5.0)),
               Compare(Parameter("b"), Comparison.BELOW, Constant(3.0)))),
        HeldFor(Compare(Parameter("a"), Comparison.BELOW, Constant(5.0), 0.5), 60.0),
    ],
)  # fmt: skip
def test_what_says_more_than_a_short_form_can_is_left_to_the_tree(condition: Condition) -> None:
    assert recognised(condition) is None


@pytest.mark.parametrize("template", Template)
def test_an_empty_form_names_what_is_missing(template: Template) -> None:
    missing = set(TemplateDraft.new(template).errors())
    assert missing == {one.key for one in FIELDS[template] if not one.default and not one.is_optional}


def test_a_band_has_its_low_limit_below_its_high_one() -> None:
    draft = TemplateDraft(Template.BAND, {**FILLED[Template.BAND], "low": "6"})
    assert set(draft.errors()) == {"low"}


def test_another_form_keeps_what_it_has_in_common() -> None:
    high = TemplateDraft(Template.HIGH, FILLED[Template.HIGH])
    assert TemplateDraft.new(Template.LOW, high).texts == FILLED[Template.HIGH]
    assert TemplateDraft.new(Template.FROZEN, high).texts["parameter"] == "pressure"
