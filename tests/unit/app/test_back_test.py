from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.conditions.limits import PlainLimit, plain_limit
from factoryops.domain.conditions.tree import Comparison
from factoryops_app.models.back_test import (
    SweepDraft,
    episodes,
    figure_sentences,
    lasted_words,
    proposed_sweep,
    with_trial,
)
from factoryops_app.models.rule_draft import RuleDraft
from factoryops_app.models.rule_templates import Template, TemplateDraft
from factoryops_app.models.typed import typed_moment
from factoryops_resources.words import set_language

T0 = datetime(2026, 2, 1, tzinfo=UTC)
FIGURES = http.BackTestFigures(
    alarms=12, alarms_per_day=0.4, longest_s=840.0, shortest_s=6.0, short_share=0.25, hits=2, misses=1, apart=9
)
HIGH = RuleDraft(
    name="High", template=TemplateDraft(Template.HIGH, {"parameter": "pressure", "limit": "5", "deadband": "0.1"})
)


def _event(device: str, kind: AlarmEventKind, second: int, *, is_told: bool = False) -> http.BackTestEvent:
    return http.BackTestEvent(
        device_key=device, kind=kind, at=T0 + timedelta(seconds=second), value=float(second), is_told=is_told
    )


def _outcome(**changes: object) -> http.BackTestOutcome:
    load = http.AlarmLoad(
        per_day=31.0, peak_10_min=8, per_hour=1.3, per_10_min=0.2, flood_share=0.0, priority_shares=[0.0, 0.1, 0.1, 0.8]
    )
    more = load.model_copy(update={"per_day": 33.0, "peak_10_min": 9, "flood_share": 0.012, "chattering": 1})
    held = http.BackTestOutcome(
        rule_name="x", start=T0, end=T0 + timedelta(days=30), samples=100, figures=FIGURES,
        load_without=load, load_with=more,
    )  # fmt: skip
    return held.model_copy(update=changes)


def test_each_raise_is_shown_with_the_clear_of_its_own_device() -> None:
    raised, cleared = AlarmEventKind.RAISED, AlarmEventKind.CLEARED
    rows = episodes([_event("a", raised, 0), _event("b", raised, 5), _event("a", cleared, 10), _event("a", raised, 20)])
    assert [(one.device_key, one.lasted_s, one.value) for one in rows] == [
        ("a", 10.0, 0.0), ("b", None, 5.0), ("a", None, 20.0),
    ]  # fmt: skip
    assert [lasted_words(one.lasted_s) for one in rows] == ["10 s", "still standing", "still standing"]
    assert episodes([_event("a", cleared, 3)]) == []


def test_a_row_says_when_operators_are_told_of_what_was_suppressed_by_design() -> None:
    kind = AlarmEventKind
    rows = episodes(
        [
            _event("a", kind.RAISED, 0, is_told=True), _event("a", kind.SUPPRESSED, 3),
            _event("a", kind.UNSUPPRESSED, 5), _event("a", kind.RENEWED, 5, is_told=True),
            _event("a", kind.CLEARED, 9), _event("a", kind.SUPPRESSED, 12), _event("a", kind.RAISED, 14),
            _event("a", kind.CLEARED, 16), _event("a", kind.RAISED, 20),
            _event("a", kind.UNSUPPRESSED, 30), _event("a", kind.RENEWED, 30, is_told=True),
        ]
    )  # fmt: skip
    told_s = [None if one.told_at is None else (one.told_at - T0).total_seconds() for one in rows]
    assert (told_s, [one.lasted_s for one in rows]) == ([0.0, None, 30.0], [9.0, 2.0, None])
    figures = FIGURES.model_copy(update={"suppressed": 2})
    assert "2 more were suppressed by design" in " ".join(figure_sentences(_outcome(figures=figures)))


def test_the_figures_are_said_in_sentences() -> None:
    words = " ".join(figure_sentences(_outcome(notes=["5 samples came late."], is_cut=True)))
    assert "12 alarms, 0.4 a day." in words
    assert "The longest stood for 14 min, the shortest for 6 s; 25 % were over within a minute." in words
    assert (
        "Alarm figures of the factory, without it → with it: Alarms a day 31.0 → 33.0; Most in 10 min 8 → 9; "
        "Time in flood 0.0 % → 1.2 %; Chattering alarms 0 → 1." in words
    )
    assert "figures of the factory" not in " ".join(figure_sentences(_outcome(load_without=None, load_with=None)))
    same = _outcome().load_without
    assert "stay as they are" in " ".join(figure_sentences(_outcome(load_with=same)))
    assert "Of 3 marked incidents it saw 2; 9 alarms were during none." in words
    assert words.endswith("the figures count all. 5 samples came late.")
    none = http.BackTestFigures(alarms=0, alarms_per_day=0.0)
    assert figure_sentences(_outcome(figures=none))[0] == "0 alarms, 0 a day."
    one = http.BackTestFigures(alarms=1, alarms_per_day=0.5)
    assert figure_sentences(_outcome(figures=one))[0] == "One alarm, 0.5 a day."


def test_lists_of_values_are_typed_with_semicolons_or_spaces() -> None:
    sweep = SweepDraft("4,8; 5 5.2", "0;0,1", "0; 30 s; 1 min", "").sweep()
    assert (sweep.limits, sweep.deadbands, sweep.on_delays_s) == ([4.8, 5.0, 5.2], [0.0, 0.1], [0.0, 30.0, 60.0])
    assert SweepDraft().sweep().trials == 0


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (SweepDraft(limits="high"), "limits"),
        (SweepDraft(deadbands="-1"), "deadbands"),
        (SweepDraft(on_delays="soon"), "on_delays"),
        (SweepDraft(off_delays="1; x"), "off_delays"),
        (SweepDraft(limits=" ".join(map(str, range(21))), deadbands=" ".join(map(str, range(20)))), "limits"),
    ],
)
def test_a_list_that_cannot_be_tried_is_named(draft: SweepDraft, field: str) -> None:
    assert list(draft.errors()) == [field]


def test_values_are_proposed_around_those_of_the_rule() -> None:
    proposed = proposed_sweep(HIGH.definition())
    assert proposed.errors() == {}
    sweep = proposed.sweep()
    assert sweep.limits == [4.5, 4.75, 5.0, 5.25, 5.5]
    assert 0.1 in sweep.deadbands
    assert 5.0 in sweep.on_delays_s
    silent = RuleDraft(name="x", template=TemplateDraft.new(Template.NO_DATA))
    assert proposed_sweep(silent.definition()).sweep().limits == []


def test_a_row_of_the_sweep_is_taken_over_into_the_rule() -> None:
    trial = http.BackTestTrial(limit=5.25, deadband=0.3, on_delay_s=30.0, off_delay_s=0.0, figures=FIGURES)
    changed = with_trial(HIGH, trial)
    assert changed.template is not None
    assert plain_limit(changed.condition()) == PlainLimit("pressure", Comparison.ABOVE, 5.25, 0.3)
    assert (changed.definition().on_delay_s, changed.name) == (30.0, "High")
    as_tree = with_trial(HIGH.as_tree(), trial)
    assert as_tree.template is None
    assert as_tree.condition() == changed.condition()
    silent = RuleDraft(name="x", template=TemplateDraft.new(Template.NO_DATA))
    other = trial.model_copy(update={"limit": None, "deadband": None})
    assert with_trial(silent, other).definition().on_delay_s == 30.0


def test_moments_are_typed_on_the_factorys_clock() -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert typed_moment("2026-03-31 14:30", zone) == datetime(2026, 3, 31, 12, 30, tzinfo=UTC)
    assert typed_moment("31.03.2026 14:30:05", zone) == datetime(2026, 3, 31, 12, 30, 5, tzinfo=UTC)
    assert typed_moment("yesterday", zone) is None


def test_the_figures_are_german_for_a_german_operator() -> None:
    set_language("de")
    try:
        assert figure_sentences(_outcome())[0] == "12 Alarme, 0.4 am Tag."
    finally:
        set_language("en")
