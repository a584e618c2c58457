"""What two versions have different, said so that a supervisor understands it."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from factoryops.domain.alarms import Priority
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
from factoryops.domain.conditions.words import condition_words
from factoryops.domain.rule import AlarmRecord, RuleDefinition, RuleMode, RuleScope
from factoryops.domain.rule_diff import RuleChange, differences
from factoryops.domain.schedules import Schedule, WeeklyWindow

HOT = Compare(Parameter("temperature"), Comparison.ABOVE, Constant(80.0))
RUNNING = Compare(Parameter("speed"), Comparison.ABOVE, Constant(0.0))
SILENT = NoData(60.0)
BASE = RuleDefinition("Too hot", HOT, Priority.HIGH)
NIGHT = Schedule((WeeklyWindow("22:00", "06:00", (1, 5)),))


def changed(**fields: Any) -> list[tuple[str, str, str]]:
    return [(one.path, one.old, one.new) for one in differences(BASE, msgspec.structs.replace(BASE, **fields))]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"name": "Hot"}, [("name", "Too hot", "Hot")]),
        ({"priority": Priority.LOW}, [("priority", "high", "low")]),
        ({"on_delay_s": 2.5}, [("on-delay (s)", "0", "2.5")]),
        ({"is_latching": True}, [("latching", "no", "yes")]),
        ({"mode": RuleMode.SHADOW}, [("mode", "live", "shadow")]),
        ({"scope": RuleScope(kinds=("press", "fan"))}, [("scope / kinds", "–", "press, fan")]),
        ({"schedule": NIGHT}, [("schedule", "always", "Mon Fri 22:00-06:00")]),
        ({"suppress_while": SILENT}, [("suppressed while", "–", "no data of anything for 1 min")]),
        ({"record": AlarmRecord(review_on=date(2026, 5, 1))}, [("record / review on", "–", "2026-05-01")]),
        ({"notify": ("a" * 4,)}, [("notification policies", "–", "aaaa")]),
        (
            {"condition": msgspec.structs.replace(HOT, right=Constant(85.0), deadband=2.0)},
            [("condition / limit", "80", "85"), ("condition / deadband", "0", "2")],
        ),
        ({"condition": Not(HOT)}, [("condition", "temperature > 80", "not (temperature > 80)")]),
    ],
)
def test_each_field_is_said_with_its_old_and_new_value(fields: dict[str, Any], expected: list[tuple[str, ...]]) -> None:
    assert changed(**fields) == expected


def test_a_part_put_between_others_is_the_only_difference() -> None:
    old = msgspec.structs.replace(BASE, condition=AllOf((HOT, SILENT)))
    new = msgspec.structs.replace(BASE, condition=AllOf((HOT, RUNNING, SILENT)))
    assert differences(old, new) == [RuleChange("condition / part 2", "–", "speed > 0")]
    assert differences(new, old) == [RuleChange("condition / part 2 of before", "speed > 0", "–")]


def test_a_change_deep_inside_names_its_place() -> None:
    def nested(limit: float) -> Condition:
        low = Compare(Parameter("level"), Comparison.BELOW, Constant(limit))
        return AllOf((RUNNING, AnyOf((SILENT, Held(low, 30.0)))))

    old = msgspec.structs.replace(BASE, condition=nested(5.0))
    new = msgspec.structs.replace(BASE, condition=nested(4.0))
    assert differences(old, new) == [RuleChange("condition / part 2 / part 2 / part / limit", "5", "4")]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (AllOf((HOT, AnyOf((RUNNING, SILENT)))),
         "all of (temperature > 80; any of (speed > 0; no data of anything for 1 min))"),
        (Held(HOT, 90.0), "(temperature > 80) for 90 s"),
        (Count(HOT, 3, 3_600.0), "(temperature > 80) 3 times within 1 h"),
        (
            Compare(Parameter("inlet", "cooler"), Comparison.BELOW, Expression("outlet - 5"), 0.5),
            "cooler.inlet < (outlet - 5), deadband 0.5",
        ),
        (Rate(Parameter("level"), Comparison.BELOW, -0.1, 60.0), "change of level over 1 min < -0.1 per second"),
        (Deviation(Parameter("level"), 3.0, 600.0), "level more than 3 away from its mean of 10 min"),
        (
            Window(Parameter("flow"), WindowFunction.SUM, 60.0, Comparison.AT_OR_ABOVE, 9.0),
            "sum of flow over 1 min ≥ 9",
        ),
        (Frozen(Parameter("level"), 60.0, 0.1), "level unmoved within 0.1 for 1 min"),
        (NoData(60.0, Parameter("level")), "no data of level for 1 min"),
        (Outside(NIGHT), "outside (Mon Fri 22:00-06:00)"),
    ],
)  # fmt: skip
def test_every_kind_of_condition_has_words(condition: Condition, words: str) -> None:
    assert condition_words(condition) == words
