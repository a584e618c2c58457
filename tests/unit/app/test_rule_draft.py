from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.client.imagined import describe_devices
from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.limits import PlainLimit, plain_limit
from factoryops.domain.conditions.tree import Comparison, Not
from factoryops.domain.rule import AlarmRecord, RuleMode
from factoryops_app.models.plant import PlantStore
from factoryops_app.models.rule_draft import RuleDraft, parsed, plain, sentence
from factoryops_resources.words import set_language


@pytest.fixture
def plant() -> PlantStore:
    store = PlantStore()
    store.replace(describe_devices().values(), ())
    return store


GOOD = RuleDraft(
    name="Too hot", parameter_key="bearing_temperature", limit="62", deadband="2", on_delay_s="5", off_delay_s="0",
    priority=Priority.HIGH,
)  # fmt: skip


def test_a_filled_form_has_no_errors_and_saves_what_it_says() -> None:
    assert GOOD.errors() == {}
    content = GOOD.content()
    assert plain_limit(content.condition) == PlainLimit("bearing_temperature", Comparison.ABOVE, 62.0, 2.0)
    assert content.scope.is_whole_factory


def test_what_the_form_does_not_show_stays_as_it_was() -> None:
    record = AlarmRecord(cause="Blocked strainer", action="Open the bypass.")
    content = GOOD.content().model_copy(update={"record": record, "is_latching": True, "mode": RuleMode.SHADOW})
    rule = http.Rule(id="b" * 32, version=3, content=content, changed_by="x", changed_at=datetime.now(UTC))
    draft = RuleDraft.of(rule)
    assert draft.content() == content
    changed = draft.with_(response="Close the valve.").content()
    assert (changed.record.cause, changed.record.action) == ("Blocked strainer", "Close the valve.")
    assert draft.with_(is_enabled=False).content().mode is RuleMode.OFF


def test_a_rule_of_more_than_one_limit_cannot_be_changed_in_the_form() -> None:
    more = GOOD.content().model_copy(update={"condition": Not(GOOD.content().condition)})
    rule = http.Rule(id="b" * 32, version=3, content=more, changed_by="x", changed_at=datetime.now(UTC))
    draft = RuleDraft.of(rule)
    assert (draft.name, [*draft.errors()]) == ("Too hot", ["name"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "  "), ("name", "x" * 201), ("parameter_key", ""), ("limit", "warm"), ("limit", "nan"), ("limit", ""),
        ("deadband", "-1"), ("deadband", ""), ("on_delay_s", "-0.1"), ("off_delay_s", "86401"), ("on_delay_s", "x"),
        ("response", "x" * 4_001),
    ],
)  # fmt: skip
def test_each_field_that_cannot_be_used_is_named(field: str, value: str) -> None:
    assert list(GOOD.with_(**{field: value}).errors()) == [field]


def test_some_devices_must_be_chosen_when_not_all_are_meant() -> None:
    assert list(GOOD.with_(is_for_all=False).errors()) == ["device_keys"]


def test_the_sentence_says_in_plain_words_what_will_happen(plant: PlantStore) -> None:
    assert sentence(GOOD, plant) == (
        "When Bearing temperature of any device that has it rises above 62 °C for 5 s, raise a high alarm; "
        "it returns to normal below 60 °C."
    )
    low = GOOD.with_(comparison=Comparison.BELOW, is_enabled=False)
    assert sentence(low, plant).startswith("Switched off: When Bearing temperature of any device")
    assert "above 64 °C" in sentence(low, plant)


def test_the_sentence_has_gaps_where_something_is_missing(plant: PlantStore) -> None:
    assert sentence(RuleDraft(), plant).startswith("When … of any device that has it rises above …")


def test_the_sentence_is_german_for_a_german_operator(plant: PlantStore) -> None:
    set_language("de")
    assert sentence(GOOD, plant).startswith("Wenn Bearing temperature (jedes Gerät, das ihn hat) 62 °C überschreitet")


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9).map(lambda x: round(x, 4)))
def test_numbers_survive_being_shown_and_typed(value: float) -> None:
    assert parsed(plain(value)) == pytest.approx(value, rel=1e-9)


@given(st.text(max_size=12))
def test_no_text_at_all_breaks_the_form(text: str) -> None:
    errors = RuleDraft(name=text, limit=text, deadband=text, on_delay_s=text).errors()
    assert ("limit" in errors) is (parsed(text) is None)


def test_a_comma_is_understood_as_a_decimal_point() -> None:
    assert parsed("3,5") == 3.5
    assert parsed("\N{MINUS SIGN}2") == -2.0
