from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from factoryops.contracts import http
from factoryops.domain.performance.thresholds import DEFAULT, Target, Thresholds
from factoryops.domain.scheduled_rules import ScheduledWindow
from factoryops_app.models.organisation_drafts import (
    EXPRESSION,
    PARAMETER,
    PositionDraft,
    ScheduledRuleDraft,
    ShiftDraft,
    scheduled_words,
)
from factoryops_app.models.philosophy_draft import ClassDraft, PhilosophyDraft, SeverityDraft, bounds_s
from factoryops_app.models.schedule_draft import WindowDraft
from factoryops_app.models.thresholds_draft import KINDS, ThresholdsDraft, typed_of
from factoryops_resources.words import set_language

KEPT = {"id": "a" * 32, "version": 3, "changed_by": "admin", "changed_at": datetime(2026, 3, 1, tzinfo=UTC)}
ENERGY = http.ScheduledRuleContent.model_validate(
    {
        "name": "Compressors use too much", "devices": ["compressor-1"], "parameter": "power", "aggregate": "total",
        "window": "yesterday", "comparison": "gt", "limit": 900, "local_time": "06:15", "priority": 4,
        "response": "Look for leaks.\nThen for valves.",
    }
)  # fmt: skip


@pytest.fixture(autouse=True)
def _english() -> None:
    set_language("en")


def test_a_shift_comes_back_as_it_was_and_says_what_it_lacks() -> None:
    night = http.ShiftContent(name="Night", windows=[http.ShiftWindow(start="22:00", end="06:00", days=[1, 2, 5])])
    draft = ShiftDraft.of(http.Shift.model_validate(KEPT | {"content": night}))
    assert (draft.errors(), draft.content(), draft.version) == ({}, night, 3)
    assert ShiftDraft().errors() == {"name": "Give it a name.", "windows": "Say when it works: add a row."}
    typed = ShiftDraft("Night", (WindowDraft("Mon", "25:00", "06:00"),)).errors()
    assert typed["windows[0].start"] == "Write a time as 06:30."


def test_a_position_watches_at_least_one_area() -> None:
    assert PositionDraft("Furnaces").errors() == {"areas": "Choose the areas it watches."}
    assert PositionDraft("Furnaces", frozenset({"B", "A"})).content().areas == ["A", "B"]


def test_a_scheduled_rule_comes_back_as_it_was() -> None:
    draft = ScheduledRuleDraft.of(http.ScheduledRule.model_validate(KEPT | {"content": ENERGY}))
    assert (draft.errors(), draft.content()) == ({}, ENERGY)
    assert scheduled_words(ENERGY) == "Value times hours of power, yesterday, is above 900"


def test_a_scheduled_rule_is_for_kinds_areas_or_everything() -> None:
    scope = {"devices": [], "kinds": ["pump"], "areas": ["Hall A", "Hall B"]}
    of_kinds = http.ScheduledRuleContent.model_validate(ENERGY.model_dump() | scope)
    draft = ScheduledRuleDraft.of(http.ScheduledRule.model_validate(KEPT | {"content": of_kinds}))
    assert (draft.errors(), draft.content(), draft.is_everywhere) == ({}, of_kinds, False)
    everywhere = replace(draft, is_everywhere=True)
    assert (everywhere.errors(), everywhere.content().scope.is_whole_factory) == ({}, True)
    nothing = replace(draft, kinds=frozenset(), areas=frozenset())
    assert nothing.errors() == {"devices": "Choose the devices it is for."}


def test_a_scheduled_rule_of_the_last_shift_asks_which() -> None:
    draft = ScheduledRuleDraft("Energy", frozenset({"a"}), "power", limit="1,5", days="Mon-Sun")
    assert draft.errors() == {}
    assert draft.content().limit == 1.5
    of_a_shift = ScheduledRuleDraft(
        "Energy", frozenset({"a"}), "power", window=ScheduledWindow.LAST_SHIFT.value, limit="1", days="Mon-Sun"
    )
    assert of_a_shift.errors() == {"shift_id": "Choose the shift."}


def test_a_scheduled_rule_of_an_expression_says_what_is_wrong_with_it_and_comes_back_as_it_was() -> None:
    draft = ScheduledRuleDraft(
        "Per piece", frozenset({"a"}), "power", limit="1", days="Mon-Sun", looks_at=EXPRESSION,
        expression="power / ", maximum_age_s="0",
    )  # fmt: skip
    assert set(draft.errors()) == {"expression", "maximum_age_s"}
    assert draft.expression_fault is not None
    assert replace(draft, expression="").errors()["expression"] == "Write an expression."
    whole = replace(draft, expression="power / speed ", maximum_age_s="30")
    content = whole.content()
    assert (content.parameter, content.expression, content.maximum_age_s) == (None, "power / speed", 30.0)
    assert scheduled_words(content) == "Mean of power / speed, yesterday, is above 1"
    kept = http.ScheduledRule(id="0" * 32, version=1, content=content, changed_by="", changed_at=datetime.now(UTC))
    assert ScheduledRuleDraft.of(kept).content() == content
    as_parameter = replace(ScheduledRuleDraft.of(kept), looks_at=PARAMETER, parameter="power").content()
    assert (as_parameter.parameter, as_parameter.expression, as_parameter.maximum_age_s) == ("power", None, 600.0)


def test_every_field_of_a_scheduled_rule_says_what_it_wants() -> None:
    draft = ScheduledRuleDraft(limit="much", least_known="101", local_time="6", days="never")
    assert set(draft.errors()) == {"name", "devices", "parameter", "limit", "least_known", "local_time", "days"}


def test_classes_and_matrix_come_back_as_they_were() -> None:
    draft = PhilosophyDraft.of(http.FIRST_PHILOSOPHY)
    assert draft.errors() == {}
    assert draft.content().philosophy() == http.FIRST_PHILOSOPHY.philosophy()
    assert draft.bounds == "5 min; 15 min; 30 min"


def test_faults_of_classes_are_named_by_cell() -> None:
    draft = PhilosophyDraft(
        (ClassDraft("a", "One", longest_shelving_s="8 d", re_alarm_s="often"), ClassDraft("a", "One")),
        "15 min; 5 min",
        (SeverityDraft("minor", ("4",)),),
    )
    assert draft.errors() == {
        "classes[1].id": "Give it a key of its own.",
        "classes[1].name": "Give it a name of its own.",
        "classes[0].longest_shelving_s": "Between 1 min and 7 days.",
        "classes[0].re_alarm_s": "Between 0 s and 24 h.",
        "bounds": "Write ascending times apart by semicolons, such as 5 min; 15 min.",
    }
    assert PhilosophyDraft().errors()["classes"] == "There must be at least one class."


def test_bounds_are_ascending_times() -> None:
    assert bounds_s("5 min; 15 min") == [300.0, 900.0]
    assert bounds_s("") == []
    assert bounds_s("15 min; 5 min") is None
    assert bounds_s("soon") is None


def test_targets_come_back_as_they_were_in_either_language() -> None:
    odd = replace(DEFAULT, chatter_index=0.0125, stale_s=5_400.0, share_of_time=Target(0.015, 0.07))
    held = http.FIRST_PHILOSOPHY.model_copy(update={"thresholds": odd, "version": 4})
    shown = []
    for code in ("de", "en"):
        set_language(code)
        draft = ThresholdsDraft.of(held)
        assert draft.errors() == {}
        assert draft.content() == http.PhilosophyChange.model_validate(
            held.model_dump(include={*http.PhilosophyChange.model_fields})
        )
        shown.append((draft.typed["share_of_time_good"], draft.typed["stale_s"]))
    assert shown == [("1,5", "90 min"), ("1.5", "90 min")]


def test_every_target_and_threshold_can_be_typed() -> None:
    thresholds = {key.removesuffix("_good").removesuffix("_most") for key in KINDS}
    assert thresholds == {one.name for one in fields(Thresholds)}


def test_a_target_that_cannot_be_used_says_what_it_wants() -> None:
    typed = typed_of(DEFAULT) | {
        "busy_hour": "10.5", "flood_exit": "11", "chatter_span_s": "soon", "chatter_index": "2",
        "rate_per_hour_most": "5", "top_ten_good": "-1", "busiest_good": "12,000",
    }  # fmt: skip
    assert ThresholdsDraft(typed).errors() == {
        "busy_hour": "A whole number from 1 to 1000000.",
        "chatter_span_s": "Between 1 s and 400 days, such as 90 s or 24 h.",
        "top_ten_good": "Between 0 and 100 per cent.",
        "busiest_good": 'Write 12000 without a separator of thousands; decimals come after a ".".',
    }
    read = {key: typed[key] for key in ("flood_exit", "chatter_index", "rate_per_hour_most")}
    assert ThresholdsDraft(typed_of(DEFAULT) | read).errors() == {
        "flood_exit": "A whole number, not above the one a flood begins with.",
        "chatter_index": "Between 0.0001 and 1.",
        "rate_per_hour_most": "Not below the target, and at most 1000000.",
    }
