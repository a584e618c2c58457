"""The whole engine, restarted at any row: the same raises and clears, whichever way a rule is evaluated."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from factoryops.alarms.engine import AlarmEngine
from factoryops.contracts.transitions import AlarmTransition
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import (
    AllOf,
    Compare,
    Comparison,
    Condition,
    Constant,
    Count,
    Frozen,
    Held,
    NoData,
    Parameter,
    Window,
    WindowFunction,
)
from factoryops.domain.identity import FactoryId, RuleId
from factoryops.domain.rule import Rule, RuleDefinition, RuleInForce, RuleMode, RuleScope
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id
from factoryops.journal.records import Batch, ClockOffset, Entry, Gap, MessageLedger

S = 1_000_000
KEYS = [SeriesKey("f1", device, parameter) for device in ("a", "b") for parameter in ("x", "y")]
NAMES = {int(series_id(key)): key for key in KEYS}


def high(parameter: str = "x", device: str = "", limit: float = 2.0) -> Compare:
    return Compare(Parameter(parameter, device), Comparison.ABOVE, Constant(limit), maximum_age_s=8.0)


def rule(
    number: int, condition: Condition, *devices: str, on_delay_s: float = 0.0, off_delay_s: float = 0.0
) -> RuleInForce:
    definition = RuleDefinition(
        f"Rule {number}", condition, Priority.HIGH, RuleScope(devices), on_delay_s=on_delay_s, off_delay_s=off_delay_s
    )
    return RuleInForce(
        Rule(RuleId(f"rule-{number}"), FactoryId("f1"), 1, definition), frozenset(devices) or None, "UTC"
    )


RULES = [
    rule(1, high()),
    rule(2, AllOf((high(), high("y", "b"))), on_delay_s=3.0),
    rule(3, NoData(6.0), "a", "never-seen"),
    rule(4, Held(high("y"), 4.0)),
    rule(5, Count(high(), 2, 20.0)),
    rule(6, Window(Parameter("x"), WindowFunction.MEAN, 5.0, Comparison.ABOVE, 1.5)),
    rule(7, Frozen(Parameter("y"), 5.0)),
]


@st.composite
def journals(draw: st.DrawFn) -> list[Batch]:
    """Rows as ingest writes them: per device in order, late ones marked, a watermark two seconds behind."""
    rows: list[Batch] = []
    watermark_s = 0
    for second in range(3, draw(st.integers(10, 40))):
        picked = draw(st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, 3), st.booleans()), max_size=4))
        listed = [(int(series_id(key)), second * S, float(value)) for key, value, _ in picked]
        samples = SampleColumns.of(listed)
        samples.flags[:] = [SampleFlag.LATE if late and draw(st.booleans()) else 0 for _, _, late in picked]
        gaps = (Gap(second * S - 3 * S, second * S, "lost"),) if draw(st.integers(0, 9)) == 0 else ()
        clocks = (ClockOffset("f1", "b", draw(st.sampled_from([0, -S]))),) if draw(st.integers(0, 9)) == 0 else ()
        watermark_s = second - 2 if draw(st.booleans()) else 0
        entry = Entry(second * S, MessageLedger(), samples, watermark_us=watermark_s * S, gaps=gaps, clocks=clocks)
        rows.append(Batch(len(rows) + 1, entry))
    return rows


def run(rows: Sequence[Batch], restarts: set[int]) -> list[AlarmTransition]:
    engine = AlarmEngine()
    found = engine.set_rules(RULES)
    for number, row in enumerate(rows):
        if number in restarts:
            engine = AlarmEngine.restored(engine.dump(), engine.seq, NAMES)
        found += engine.feed(row, NAMES)
    return found


@settings(deadline=None, max_examples=60)
@given(journals(), st.sets(st.integers(0, 40)))
def test_a_restart_at_any_row_neither_loses_nor_repeats_nor_changes_a_transition(
    rows: list[Batch], restarts: set[int]
) -> None:
    assert run(rows, restarts) == run(rows, set())


def test_a_simple_condition_gives_the_same_alarms_either_way() -> None:
    rows = []
    for second in range(3, 40):
        samples = SampleColumns.of([(int(series_id(KEYS[0])), second * S, float(second % 7))])
        rows.append(Batch(second, Entry(second * S, MessageLedger(), samples, watermark_us=(second - 2) * S)))
    both = [rule(1, high(), on_delay_s=1.0), rule(2, AllOf((high(),)), on_delay_s=1.0)]
    engine = AlarmEngine()
    engine.set_rules(both)
    found = [one for row in rows for one in engine.feed(row, NAMES)]
    by_rule = {
        name: [(one.kind, one.at_us, one.value, one.annunciation) for one in found if one.rule_id == name]
        for name in ("rule-1", "rule-2")
    }
    assert len(by_rule["rule-2"]) > 8
    assert by_rule["rule-1"][: len(by_rule["rule-2"])] == by_rule["rule-2"]


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.integers(1, 7), st.sampled_from([1.0, 2.5, 4.0]), st.booleans(), st.booleans()), max_size=40),
    st.sampled_from([0.0, 3.0, 10.0]),
    st.sampled_from([0.0, 4.0, 9.0]),
    st.sets(st.integers(0, 40)),
)
def test_a_limit_says_what_it_says_as_a_program_whatever_is_of_bad_quality_or_too_old(
    sent: list[tuple[int, float, bool, bool]], on_delay_s: float, off_delay_s: float, restarts: set[int]
) -> None:
    rows: list[Batch] = []
    second, waiting = 3, [SampleColumns.empty()]
    for after_s, value, is_good, ends_row in sent:
        second += after_s
        flags = 0 if is_good else SampleFlag.UNCERTAIN
        waiting.append(SampleColumns.of([(int(series_id(KEYS[0])), second * S, value)], flags=flags))
        if ends_row:
            entry = Entry(second * S, MessageLedger(), SampleColumns.joined(waiting), watermark_us=(second - 2) * S)
            rows.append(Batch(second, entry))
            waiting = [SampleColumns.empty()]
    rows.append(Batch(second + 50, Entry((second + 50) * S, MessageLedger(), SampleColumns.joined(waiting))))
    rows.append(Batch(second + 60, Entry((second + 60) * S, MessageLedger(), watermark_us=(second + 50) * S)))
    engine = AlarmEngine()
    engine.set_rules(
        [
            rule(number, condition, on_delay_s=on_delay_s, off_delay_s=off_delay_s)
            for number, condition in ((1, high()), (2, AllOf((high(),))))
        ]
    )
    found: list[AlarmTransition] = []
    for number, row in enumerate(rows):
        if number in restarts:
            engine = AlarmEngine.restored(engine.dump(), engine.seq, NAMES)
        found += engine.feed(row, NAMES)
    limit, program = (
        [(one.kind, one.at_us, one.value, one.annunciation) for one in found if one.rule_id == name]
        for name in ("rule-1", "rule-2")
    )
    assert limit == program


def test_a_value_of_bad_quality_moves_no_limit_either() -> None:
    engine = AlarmEngine()
    engine.set_rules([rule(1, high())])
    bad = SampleColumns.of([(int(series_id(KEYS[0])), 5 * S, 3.0)], flags=SampleFlag.UNCERTAIN)
    assert engine.feed(Batch(1, Entry(5 * S, MessageLedger(), bad)), NAMES) == []
    good = SampleColumns.of([(int(series_id(KEYS[0])), 6 * S, 3.0)])
    assert [one.kind for one in engine.feed(Batch(2, Entry(6 * S, MessageLedger(), good)), NAMES)] == ["raised"]


def test_what_suppresses_an_alarm_moves_no_condition_and_is_told_before_what_it_suppresses() -> None:
    suppressed = msgspec.structs.replace(rule(1, high()).rule.definition, suppress_while=high("y"))
    engine = AlarmEngine()
    engine.set_rules([RuleInForce(Rule(RuleId("rule-1"), FactoryId("f1"), 1, suppressed), None, "UTC")])
    both = SampleColumns.of([(int(series_id(key)), 5 * S, 3.0) for key in KEYS[:2]])
    found = engine.feed(Batch(1, Entry(5 * S, MessageLedger(), both, watermark_us=4 * S)), NAMES)
    found += engine.feed(Batch(2, Entry(9 * S, MessageLedger(), watermark_us=7 * S)), NAMES)
    assert [one.kind for one in found] == ["suppressed", "raised"]
    assert engine.programs.runs > 0


def test_an_alarm_stays_raised_when_its_rule_becomes_more_than_a_limit_and_when_it_becomes_one_again() -> None:
    engine = AlarmEngine()
    engine.set_rules([rule(1, high())])
    samples = SampleColumns.of([(int(series_id(KEYS[0])), 5 * S, 3.0)])
    (raised,) = engine.feed(Batch(1, Entry(5 * S, MessageLedger(), samples, watermark_us=4 * S)), NAMES)
    both = AllOf((high(), high(limit=1.0)))
    assert engine.set_rules([rule(1, both)]) == []
    assert engine.feed(Batch(2, Entry(8 * S, MessageLedger(), watermark_us=6 * S)), NAMES) == []
    assert engine.set_rules([rule(1, high())]) == []
    low = SampleColumns.of([(int(series_id(KEYS[0])), 9 * S, 0.0)])
    (cleared,) = engine.feed(Batch(3, Entry(9 * S, MessageLedger(), low)), NAMES)
    assert (raised.kind, cleared.kind, cleared.annunciation) == ("raised", "cleared", 1)
    assert engine.set_rules([rule(1, both, "b")]) == []


def test_an_alarm_clears_when_its_rule_becomes_another_and_no_longer_watches_the_device() -> None:
    engine = AlarmEngine()
    engine.set_rules([rule(1, high())])
    samples = SampleColumns.of([(int(series_id(KEYS[0])), 5 * S, 3.0)])
    engine.feed(Batch(1, Entry(5 * S, MessageLedger(), samples, watermark_us=4 * S)), NAMES)
    assert [one.kind for one in engine.set_rules([rule(1, AllOf((high(),)), "b")])] == ["cleared"]


def test_a_transition_says_in_words_what_happened_and_why() -> None:
    engine = AlarmEngine()
    engine.set_rules([rule(1, NoData(6.0), "press-4"), rule(2, AllOf((high(), high("y")))), rule(3, high())])
    samples = SampleColumns.of([(int(series_id(key)), 5 * S, 3.0) for key in KEYS[:2]])
    engine.feed(Batch(1, Entry(5 * S, MessageLedger(), samples, watermark_us=4 * S)), NAMES)
    found = engine.feed(Batch(2, Entry(20 * S, MessageLedger(), watermark_us=18 * S)), NAMES)
    assert [one.message for one in found] == [
        "X is above 2 and Y is above 2 (it is 3.00)",
        "No data from Press 4 for 6 s",
    ]
    why = found[0].why
    assert why is not None
    assert [(leaf.path, leaf.text, leaf.state, leaf.value, leaf.limit) for leaf in why.leaves] == [
        ("0", "X is above 2", "true", 3.0, 2.0),
        ("1", "Y is above 2", "true", 3.0, 2.0),
    ]
    assert [one.at_us for leaf in why.leaves for one in leaf.samples] == [5 * S, 5 * S]


def in_mode(one: RuleInForce, mode: RuleMode, version: int) -> RuleInForce:
    definition = structs.replace(one.rule.definition, mode=mode)
    return structs.replace(one, rule=structs.replace(one.rule, version=version, definition=definition))


@pytest.mark.parametrize("condition", [high(), AllOf((high(), high("y", limit=-1.0)))], ids=["limit", "program"])
def test_a_shadow_rule_tells_nobody_and_what_stands_is_announced_when_it_becomes_live(condition: Condition) -> None:
    tried = rule(1, condition)
    engine = AlarmEngine()
    engine.set_rules([in_mode(tried, RuleMode.SHADOW, 1)])
    samples = SampleColumns.of([(int(series_id(key)), 5 * S, 3.0) for key in KEYS[:2]])
    found = [
        *engine.feed(Batch(1, Entry(5 * S, MessageLedger(), samples, watermark_us=3 * S)), NAMES),
        *engine.feed(Batch(2, Entry(9 * S, MessageLedger(), watermark_us=7 * S)), NAMES),
    ]
    raised = [one for one in found if one.kind == "raised"]
    assert raised
    assert all(one.is_shadow for one in found)
    promoted = engine.set_rules([in_mode(tried, RuleMode.LIVE, 2)])
    promoted += engine.feed(Batch(3, Entry(12 * S, MessageLedger(), watermark_us=10 * S)), NAMES)
    assert {(one.kind, one.is_shadow) for one in promoted} == {("cleared", True), ("raised", False)}
    again = [one for one in promoted if one.kind == "raised"]
    assert {(one.alarm_id, one.annunciation) for one in again} == {
        (one.alarm_id, one.annunciation + 1) for one in raised
    }
