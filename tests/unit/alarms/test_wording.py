"""What an alarm says."""

from __future__ import annotations

from typing import Any

import pytest

from factoryops.alarms.directory import Description
from factoryops.alarms.wording import message_of
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.identity import AlarmId
from factoryops.domain.samples import SeriesKey
from factoryops.rules.compiler import Watching
from factoryops.rules.delays import Move
from factoryops.rules.evaluator import Moved, Watch
from factoryops.rules.immediate import immediate
from factoryops.rules.threshold import ThresholdMachine
from tests.support.rules import limit_rule

PRESSURE = Description("Pump 1", "Hall 2", "Pressure", "bar", 2)


def said(value: float, kind: AlarmEventKind = AlarmEventKind.RAISED, *, gone: bool = False, **fields: Any) -> str:
    rule = limit_rule("r", "f", **fields)
    threshold = immediate(rule.rule.definition)
    assert threshold is not None
    watching = Watching(rule, threshold)
    watch = Watch(watching, 0, 1, SeriesKey("f", "pump-1", "pressure"), ThresholdMachine(threshold), AlarmId("a"))
    return message_of(Moved(watch, Move(kind, 0, value, 0), watching, is_withdrawn=gone), PRESSURE)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (said(5.31), "Pressure is 5.31 bar, above the limit of 5 bar"),
        (said(5.0004), "Pressure is 5.0004 bar, above the limit of 5 bar"),
        (said(5.0, comparison=Comparison.AT_OR_ABOVE), "Pressure is 5.00 bar, at or above the limit of 5 bar"),
        (said(1.0, comparison=Comparison.BELOW, limit=1.5), "Pressure is 1.00 bar, below the limit of 1.5 bar"),
        (said(5.3, on_delay_s=30), "Pressure is 5.30 bar, above the limit of 5 bar for 30 s"),
        (said(5.3, on_delay_s=300), "Pressure is 5.30 bar, above the limit of 5 bar for 5 min"),
        (said(4.2, AlarmEventKind.CLEARED), "Pressure is back at 4.20 bar, within the limit of 5 bar"),
        (
            said(4.2, AlarmEventKind.CLEARED, gone=True),
            "Pressure is no longer watched: the rule was changed, disabled or deleted",
        ),
    ],
)
def test_it_is_one_plain_sentence_that_never_contradicts_itself(sentence: str, expected: str) -> None:
    assert sentence == expected
