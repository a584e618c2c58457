"""Rules of the original product: each part of a rule, and each fault of theirs that is not repeated."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.original import UnreadableConditionError, read_condition
from factoryops.domain.conditions.tree import AllOf, AnyOf, Compare, Comparison, Condition, Constant, Parameter
from factoryops.domain.original_rules import read_rule
from factoryops.domain.rule import RuleMode, RuleScope
from factoryops.domain.schedules import ALWAYS, Schedule, WeeklyWindow

A = {"parameter": "a", "operator": "gt", "value": 5}
B = {"parameter": "b", "operator": "lte", "value": 1.5}
NEVER = {"parameter": "a", "operator": "between", "value": 5}
EMPTY: dict[str, Any] = {"operator": "OR", "conditions": []}


def leaf(key: str, comparison: Comparison, value: float) -> Compare:
    return Compare(Parameter(key), comparison, Constant(value))


A_MADE, B_MADE = leaf("a", Comparison.ABOVE, 5.0), leaf("b", Comparison.AT_OR_BELOW, 1.5)


def group(operator: str | None, *parts: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"conditions": [*parts]}
    return made if operator is None else {"operator": operator, **made}


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (group("AND", A), A_MADE),
        (group("AND", A, B), AllOf((A_MADE, B_MADE))),
        (group("or", A, B), AnyOf((A_MADE, B_MADE))),
        (group(None, A, B), AllOf((A_MADE, B_MADE))),
        (group("AND", A, group("OR", B, A)), AllOf((A_MADE, AnyOf((B_MADE, A_MADE))))),
        (group("AND", A, group("AND", B)), AllOf((A_MADE, B_MADE))),
        (group("AND"), None),
        (group("OR", A, EMPTY), A_MADE),
        (group("AND", A, EMPTY), None),
        (group("OR", A, NEVER), A_MADE),
        (group("AND", A, NEVER), None),
        (group("OR", group("AND", A, NEVER), B), B_MADE),
        (group("XOR", A, B), None),
        (group("OR", {"operator": "gt", "value": 1}, A), A_MADE),
        (group("AND", {"parameter": "a", "operator": "neq", "value": 0}), leaf("a", Comparison.UNEQUAL, 0.0)),
        (group("AND", {"parameter": "a", "operator": "eq", "value": 1}), leaf("a", Comparison.EQUAL, 1.0)),
    ],
)  # fmt: skip
def test_a_tree_becomes_what_it_amounts_to(tree: dict[str, Any], expected: Condition | None) -> None:
    assert read_condition(tree) == expected


@pytest.mark.parametrize(
    "tree",
    [
        None, [], "AND", 5, A, group("AND", {"parameter": "a", "operator": "gt", "value": "hot"}),
        group("AND", {"parameter": "a", "operator": "gt", "value": None}), {"operator": "AND", "conditions": "a"},
        {"operator": "AND", "conditions": [1]}, {"operator": "AND", "conditions": None},
        group("AND", {"parameter": "a", "operator": "gt", "value": float("nan")}),
    ],
)  # fmt: skip
def test_what_is_no_tree_is_said_to_be_none(tree: object) -> None:
    with pytest.raises(UnreadableConditionError):
        read_condition(tree)


def test_any_depth_is_read() -> None:
    tree = group("AND", A)
    for _ in range(5_000):
        tree = group("AND", tree)
    assert read_condition(tree) == A_MADE


def trees() -> st.SearchStrategy[dict[str, Any]]:
    leaves = st.builds(
        lambda key, operator, value: {"parameter": key, "operator": operator, "value": value},
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["gt", "lt", "gte", "lte", "eq", "neq", "wrong"]),
        st.integers(0, 3),
    )
    parts = st.recursive(
        leaves,
        lambda inner: st.builds(
            lambda operator, found: {"operator": operator, "conditions": found},
            st.sampled_from(["AND", "OR", "and", "XOR"]),
            st.lists(inner, max_size=3),
        ),
        max_leaves=12,
    )
    return st.builds(lambda found: {"operator": "OR", "conditions": found}, st.lists(parts, max_size=3))


def as_there(tree: dict[str, Any], metrics: dict[str, float]) -> bool:
    """The original's evaluation, as it is written down."""
    if "conditions" in tree:
        found = [as_there(one, metrics) for one in tree["conditions"]]
        match tree.get("operator", "AND").upper():
            case "AND":
                return bool(found) and all(found)
            case "OR":
                return any(found)
            case _:
                return False
    compare = {
        "gt": float.__gt__, "lt": float.__lt__, "gte": float.__ge__, "lte": float.__le__, "eq": float.__eq__,
        "neq": float.__ne__,
    }  # fmt: skip
    operator = tree["operator"]
    return operator in compare and bool(compare[operator](metrics[tree["parameter"]], float(tree["value"])))


def as_here(condition: Condition | None, metrics: dict[str, float]) -> bool:
    match condition:
        case None:
            return False
        case AllOf():
            return all(as_here(one, metrics) for one in condition.of)
        case AnyOf():
            return any(as_here(one, metrics) for one in condition.of)
        case Compare(left=Parameter(key=key), right=Constant(value=value)):
            return as_there({"parameter": key, "operator": condition.comparison.value, "value": value}, metrics)
        case _:
            raise AssertionError(condition)


@given(trees(), st.fixed_dictionaries({key: st.integers(0, 3).map(float) for key in "abc"}))
def test_with_all_metrics_in_one_message_it_is_true_exactly_when_it_was_there(
    tree: dict[str, Any], metrics: dict[str, float]
) -> None:
    assert as_here(read_condition(tree), metrics) is as_there(tree, metrics)


def rule(**fields: Any) -> dict[str, Any]:
    return {"name": "Hot", "scope": "global", "conditions": group("AND", A), "cooldown_minutes": 0, **fields}


NIGHT = {"start_time": "22:00", "end_time": "06:00", "days": [1, 5]}


@pytest.mark.parametrize(
    ("fields", "schedule", "said"),
    [
        ({"schedule_type": "always"}, ALWAYS, ""),
        (
            {"schedule_type": "time_window", "schedule_config": NIGHT},
            Schedule((WeeklyWindow("22:00", "06:00", (1, 5)),)),
            "across midnight",
        ),
        (
            {"schedule_type": "time_window", "schedule_config": {"start_time": "08:00", "end_time": "16:00"}},
            Schedule((WeeklyWindow("08:00", "16:00"),)),
            "own clock",
        ),
        (
            {"schedule_type": "time_window", "schedule_config": {"start_time": "08:00", "end_time": "08:00"}},
            Schedule((WeeklyWindow("08:00", "08:00"),)),
            "whole day",
        ),
        ({"schedule_type": "time_window", "schedule_config": {"start_time": "8"}}, ALWAYS, "cannot be read"),
        ({"schedule_type": "time_window", "schedule_config": NIGHT | {"days": [9]}}, ALWAYS, "cannot be read"),
        ({"schedule_type": "time_window", "schedule_config": NIGHT | {"days": "x"}}, ALWAYS, "cannot be read"),
        ({"schedule_type": "date_range", "schedule_config": None}, ALWAYS, "cannot be read"),
        ({"schedule_type": "lunar", "schedule_config": {}}, ALWAYS, "cannot be read"),
        (
            {"schedule_type": "date_range", "schedule_config": {"start_date": "2026-01-01", "end_date": "2026-02-28"}},
            Schedule(first=date(2026, 1, 1), last=date(2026, 2, 28)),
            "own clock",
        ),
    ],
)
def test_each_schedule_holds_when_it_was_meant_to(fields: dict[str, Any], schedule: Schedule, said: str) -> None:
    made = read_rule(rule(**fields), {})
    assert made.definition is not None, made.notes
    assert made.definition.schedule == schedule
    assert said in " ".join(made.notes)


def test_a_rule_keeps_its_name_priority_devices_and_switch() -> None:
    fields = {"scope": "device", "device_ids": [7, "press-2", 7], "severity": "critical", "is_active": False}
    made = read_rule(rule(**fields, description="Belt slips"), {"7": "press-1"}).definition
    assert made is not None
    assert (made.name, made.priority, made.scope) == ("Hot", Priority.CRITICAL, RuleScope(("press-1", "press-2")))
    assert (made.mode, made.record.cause, made.condition) == (RuleMode.OFF, "Belt slips", A_MADE)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"cooldown_minutes": 30}, "one alarm"),
        ({"conditions": group("AND", A, B)}, "different messages"),
        ({"severity": "dire"}, "medium priority"),
        ({"notification_channels": ["email"]}, "notification policies"),
    ],
)
def test_what_is_different_from_then_on_is_said(fields: dict[str, Any], said: str) -> None:
    made = read_rule(rule(**fields), {})
    assert made.definition is not None
    assert said in " ".join(made.notes)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"conditions": EMPTY}, "never be true"),
        ({"conditions": A}, "never be true"),
        ({"scope": "device", "device_ids": []}, "names none"),
        ({"name": "\x00 "}, "name"),
        (
            {"conditions": group("OR", *({"parameter": f"p{n}", "operator": "gt", "value": 1} for n in range(501)))},
            "500",
        ),
        (
            {
                "schedule_type": "date_range",
                "schedule_config": {"start_date": "2026-03-01", "end_date": "2026-02-01"},
            },
            "never held",
        ),
    ],
)
def test_what_cannot_be_imported_is_left_out_and_says_why(fields: dict[str, Any], said: str) -> None:
    made = read_rule(rule(**fields), {})
    assert made.definition is None
    assert said in " ".join(made.notes)


def test_large_rules_of_the_original_come_over_whole() -> None:
    wide = group("OR", *({"parameter": f"p{number % 480}", "operator": "gt", "value": number} for number in range(999)))
    deep = group("AND", A)
    for number in range(60):
        deep = group("AND" if number % 2 else "OR", deep, B)
    for conditions in (wide, deep):
        made = read_rule({"name": "Large", "conditions": conditions}, {})
        assert made.definition is not None
        assert made.definition.condition == read_condition(conditions)
