from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.client.imagined import describe_devices
from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Compare, Comparison, Condition, Constant, Expression, NoData, Parameter
from factoryops.domain.rule import AlarmRecord, RuleDefinition, RuleMode, RuleScope
from factoryops.domain.schedules import Schedule, WeeklyWindow
from factoryops_app.models.condition_draft import NodeDraft
from factoryops_app.models.names import Names
from factoryops_app.models.plant import PlantStore, mistaken_rules
from factoryops_app.models.rule_draft import RecordDraft, RuleDraft, ScopeDraft
from factoryops_app.models.rule_picture import watched
from factoryops_app.models.rule_templates import Template, TemplateDraft
from factoryops_app.models.rule_words import mode_sentence, rule_sentence, rule_warning, scope_words
from factoryops_resources.words import set_language
from tests.unit.app.test_condition_draft import conditions


@pytest.fixture
def plant() -> Iterator[PlantStore]:
    store = PlantStore()
    store.replace(describe_devices().values(), ())
    yield store
    set_language("en")


GOOD = RuleDraft(
    name="Too hot",
    template=TemplateDraft(Template.HIGH, {"parameter": "bearing_temperature", "limit": "62", "deadband": "2"}),
    on_delay="5 s",
    off_delay="",
    priority=Priority.HIGH,
)
FULL = RuleDefinition(
    name="Pressure without flow",
    condition=Compare(Expression("pressure / flow"), Comparison.ABOVE, Constant(0.2)),
    priority=Priority.CRITICAL,
    scope=RuleScope(("pump-1",), ("compressor",), ("Utilities",)),
    schedule=Schedule((WeeklyWindow("06:00", "22:00", (1, 2, 3, 4, 5)),)),
    on_delay_s=90.0,
    off_delay_s=0.5,
    mode=RuleMode.SHADOW,
    is_latching=True,
    re_alarm_s=1_800.0,
    alarm_class="safety",
    suppress_while=NoData(60.0),
    parent_rule="a" * 32,
    record=AlarmRecord("Wear", "Stops the line", "Change it", "major", 600.0, "Maintenance", date(2026, 3, 31)),
    notify=("one", "two"),
)


def test_a_filled_form_has_no_errors_and_saves_what_it_says() -> None:
    assert GOOD.errors() == {}
    made = GOOD.definition()
    assert made.condition == Compare(Parameter("bearing_temperature"), Comparison.ABOVE, Constant(62.0), 2.0)
    assert (made.on_delay_s, made.off_delay_s, made.scope.is_whole_factory) == (5.0, 0.0, True)


def test_a_rule_with_everything_survives_being_shown_and_saved() -> None:
    draft = RuleDraft.of(FULL, "b" * 32, 3)
    assert draft.errors() == {}
    assert draft.definition() == FULL
    assert (draft.rule_id, draft.version) == ("b" * 32, 3)


@given(conditions)
def test_every_condition_survives_in_its_rule_as_a_short_form_or_a_tree(condition: Condition) -> None:
    draft = RuleDraft.of(RuleDefinition("x", condition, Priority.LOW))
    assert draft.condition() == condition
    assert draft.as_tree().condition() == condition


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"on_delay": "soon"}, "on_delay"),
        ({"off_delay": "25 h"}, "off_delay"),
        ({"re_alarm": "-1"}, "re_alarm"),
        ({"scope": ScopeDraft(is_everywhere=False)}, "scope"),
        ({"record": RecordDraft(cause="x" * 4_001)}, "record.cause"),
        ({"record": RecordDraft(review_on="some day")}, "record.review_on"),
        ({"record": RecordDraft(time_to_respond="0")}, "record.time_to_respond"),
        ({"template": TemplateDraft()}, "template.parameter"),
        ({"template": None}, "condition"),
        ({"suppress_while": RuleDraft().tree}, "suppress_while"),
    ],
)
def test_each_field_that_cannot_be_used_is_named(change: dict[str, object], field: str) -> None:
    assert next(iter(GOOD.with_(**change).errors())) == field


def test_a_condition_about_other_devices_asks_on_which_one_it_alarms() -> None:
    elsewhere = NodeDraft.of(Compare(Parameter("pressure", "pump-1"), Comparison.ABOVE, Constant(5.0)))
    assert "which device" in GOOD.with_(template=None, tree=elsewhere).errors()["scope"]


@given(st.text(max_size=12))
def test_no_text_at_all_breaks_the_form(text: str) -> None:
    texts = {"parameter": text, "limit": text, "deadband": text}
    draft = RuleDraft(name=text, template=TemplateDraft(Template.HIGH, texts), on_delay=text, re_alarm=text)
    if not draft.errors():
        draft.definition().check()
    assert rule_sentence(draft, Names(PlantStore())).endswith((".", "…"))
    assert draft.as_tree().tree is not None


def test_the_sentence_says_in_plain_words_what_will_happen(plant: PlantStore) -> None:
    assert rule_sentence(GOOD, Names(plant)) == (
        "High alarm on every device that has it once this has been so for 5 s: "
        "Bearing temperature is above 62 °C (until back below 60 °C)."
    )
    words = rule_sentence(RuleDraft.of(FULL), Names(plant))
    assert "Feed pump 1, every compressor, area Utilities" in words
    assert "Only Mon-Fri 06:00–22:00." in words
    assert words.endswith(f"Suppressed while the device has sent nothing for 1 min. {mode_sentence(RuleMode.SHADOW)}")


def test_the_sentence_has_gaps_where_something_is_missing(plant: PlantStore) -> None:
    assert "for 5 s: …." in rule_sentence(RuleDraft(), Names(plant))
    assert scope_words(RuleScope(kinds=("a", "b"), areas=("c", "d")), Names(plant)) == (
        "every a, every b, area c and 1 more"
    )


def test_missing_data_of_a_parameter_with_a_deadband_is_told_before_saving(plant: PlantStore) -> None:
    device = next(one for one in plant.devices if one.key == "pump-1")
    kept = [one.model_copy(update={"deadband": 0.5 if one.key == "flow" else None}) for one in device.parameters]
    sifted = device.model_copy(update={"parameters": kept})
    plant.replace([one if one.key != "pump-1" else sifted for one in plant.devices], plant.rules)
    silent = RuleDraft.of(RuleDefinition("", NoData(60.0, Parameter("flow")), Priority.LOW))
    assert "a deadband of flow on pump-1 holds samples back for up to 10 min" in rule_warning(silent, plant.parameters)
    for draft in (
        RuleDraft(),
        GOOD,
        RuleDraft.of(RuleDefinition("", NoData(601.0, Parameter("flow")), Priority.LOW)),
        RuleDraft.of(RuleDefinition("", NoData(60.0), Priority.LOW)),
    ):
        assert rule_warning(draft, plant.parameters) == ""
    (flow,) = [one for one in plant.parameters if one.parameter.key == "flow" and one.device.key == "pump-1"]
    content = http.RuleContent.of(silent.with_(name="Silent").definition())
    rule = http.Rule(id="a" * 32, version=1, content=content, changed_by="x", changed_at=datetime.now(UTC))
    assert (mistaken_rules([rule], flow, 0.5), mistaken_rules([rule], flow, None)) == (["Silent"], [])


def test_the_sentence_is_german_for_a_german_operator(plant: PlantStore) -> None:
    set_language("de")
    assert rule_sentence(GOOD, Names(plant)).startswith(
        "Alarm „Hoch“ auf jedem Gerät, das es hat, sobald 5 s lang gilt:"
    )


def test_the_picture_shows_what_is_watched_with_its_limits(plant: PlantStore) -> None:
    drawn = watched(GOOD, plant)
    assert [(one.measured.device.key, one.limits) for one in drawn] == [("pump-1", (62.0,))]
    assert watched(RuleDraft(), plant) == ()
    some = RuleDraft.of(FULL).with_(scope=ScopeDraft(is_everywhere=False, kinds=frozenset({"pump"})))
    assert {one.measured.parameter.key for one in watched(some, plant)} == {"pressure", "flow"}
