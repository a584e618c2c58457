"""Alarm figures and proposals in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind, Priority
from factoryops.domain.performance.candidates import Basis
from factoryops.domain.performance.history import HistoryLine
from factoryops.domain.performance.judging import Band
from factoryops.domain.performance.thresholds import DEFAULT, Target, Thresholds
from factoryops.domain.time import to_us
from factoryops_app.models.mends import (
    affected_words,
    change_words,
    changed_content,
    outcome_words,
    proposal_words,
    raises_words,
    reason_words,
    sentences,
    trial_rows,
)
from factoryops_app.models.outages import OutageDraft
from factoryops_app.models.performance import figure_rows, is_nothing_judged, listed, nuisance_ids, pair_rows, summary
from tests.support.rules import limit_content

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def measured(
    raised_s: list[float], *, days: float = 30, outages: Sequence[tuple[int, int]] = (), alarms: int = 1,
    limits: Thresholds = DEFAULT, declared: Sequence[tuple[int, int]] = (),
) -> http.AlarmPerformance:  # fmt: skip
    """One raise after the other, of `alarms` different alarms in turn."""
    end = to_us(NOW)
    start = to_us(NOW - days * DAY)
    lines = [
        HistoryLine(
            f"{(10 + n % alarms) % 16:x}" * 32,
            n,
            AlarmEventKind.RAISED.value,
            start + round(at * 1e6),
            2,
            True,
            "High",
            "Pump 1",
            "North",
        )
        for n, at in enumerate(raised_s)
    ]
    return http.AlarmPerformance.of(lines, (start, end), outages, declared, None, limits)


def test_every_figure_says_its_target_and_whether_it_is_beyond() -> None:
    found = measured([n * 4.0 for n in range(40)])
    rows = {row.key: row for row in figure_rows(found.figures)}
    assert (rows["all"].text, rows["all"].target, rows["all"].verdict) == ("40", "", "")
    assert (rows["day"].text, rows["day"].target, rows["day"].verdict) == (
        "1.3", "up to 144, at most 288", "within target",
    )  # fmt: skip
    assert (rows["busiest"].text, rows["busiest"].verdict, rows["busiest"].is_beyond) == ("40", "! beyond target", True)
    assert (rows["top"].text, rows["top"].target) == ("100.0 %", "up to 5 %")
    assert (rows["chattering"].text, rows["chattering"].verdict) == ("1", "! beyond target")
    assert rows["fleeting"].verdict == "within target"


def test_the_share_of_the_ten_most_frequent_is_judged_only_where_there_are_others() -> None:
    for alarms, verdict in (
        (1, "too few alarms to judge"),
        (10, "too few alarms to judge"),
        (11, "!! far beyond target"),
    ):
        rows = {row.key: row for row in figure_rows(measured([n * 900.0 for n in range(44)], alarms=alarms).figures)}
        assert rows["top"].verdict == verdict
    nothing = {row.key: row for row in figure_rows(measured([]).figures)}
    assert (nothing["top"].text, nothing["top"].verdict) == ("\N{EN DASH}", "")


def test_targets_are_those_of_the_site() -> None:
    limits = Thresholds(
        rate_per_hour=Target(0.02, 0.05), share_of_time=Target(0.005, 0.1), busiest=Target(50, 60),
        top_ten=Target(0.07, 0.2), stale_at_once=Target(2, 3), busy_interval=39,
    )  # fmt: skip
    rows = {row.key: row for row in figure_rows(measured([n * 4.0 for n in range(40)], limits=limits).figures)}
    assert (rows["day"].target, rows["day"].verdict) == ("up to 0.48, at most 1.20", "!! far beyond target")
    assert (rows["busiest"].target, rows["busiest"].verdict) == ("up to 50", "within target")
    assert (rows["busy_intervals"].name, rows["busy_intervals"].target) == ("10 min with more than 39", "up to 0.50 %")
    assert (rows["top"].target, rows["stale"].target) == ("up to 7 %", "up to 2")


def test_what_could_not_be_judged_has_a_dash_and_no_verdict() -> None:
    start, end = to_us(NOW - DAY), to_us(NOW)
    rows = {row.key: row for row in figure_rows(measured([], days=1, outages=[(start, end)]).figures)}
    assert all((rows[key].text, rows[key].band) == ("\N{EN DASH}", Band.UNKNOWN) for key in ("day", "flood", "busiest"))


def test_short_and_interrupted_times_are_told() -> None:
    start = to_us(NOW - DAY)
    told = summary(measured([1.0], days=1, outages=[(start, start + 7_200_000_000)]))
    assert told[0].startswith("The load on the operator is")
    assert told[1].startswith("Indicative only: 0.9 of the 30 days")
    assert told[2] == "2.0 h in which nothing could be received are left out."


def test_declared_outages_are_told_apart_from_what_could_not_be_received() -> None:
    start, hour_us = to_us(NOW - DAY), 3_600_000_000
    span = (start, start + 2 * hour_us)
    told = summary(measured([], days=1, outages=[span], declared=[(start + hour_us, start + 5 * hour_us)]))
    assert told[2:] == [
        "2.0 h in which nothing could be received are left out.", "3.0 h of declared outages are left out.",
    ]  # fmt: skip
    assert summary(measured([], days=1, declared=[span]))[2:] == ["2.0 h of declared outages are left out."]


def test_a_time_that_was_all_declared_is_shown_so_that_it_can_be_withdrawn() -> None:
    whole = [(to_us(NOW - DAY), to_us(NOW))]
    assert is_nothing_judged(measured([], days=1, outages=whole).figures)
    assert not is_nothing_judged(measured([], days=1, declared=whole).figures)


def test_an_outage_is_typed_on_the_factory_s_clock() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    draft = OutageDraft("2026-07-01 06:00", "01.07.2026 12:00", " Planned stop ")
    content = draft.content(berlin)
    assert draft.fault(berlin) == ""
    assert (content.start, content.end) == (datetime(2026, 7, 1, 4, tzinfo=UTC), datetime(2026, 7, 1, 10, tzinfo=UTC))
    assert content.reason == "Planned stop"
    assert replace(draft, begin="soon").fault(berlin) == "Write both moments as 2026-03-31 14:30."
    assert replace(draft, end="2026-07-01 06:00").fault(berlin) == "An outage must end after it begins."
    assert replace(draft, reason=" ").fault(berlin) == "Say why the time is to be left out."
    twice = OutageDraft("2026-10-25 02:30", "2026-10-25 03:10", "The clock is put back")
    assert twice.fault(berlin) == ""


def test_lists_name_their_alarms() -> None:
    found = measured([0.0, 10.0, 20.0])
    (row,) = listed(found, found.figures.chattering, lambda one: one.alarm)
    assert (row.alarm.rule_name, row.alarm.device_name, row.of.most) == ("High", "Pump 1", 3)
    assert pair_rows(found) == []
    assert nuisance_ids(found) == ["a" * 32]
    assert nuisance_ids(measured([])) == nuisance_ids(None) == []


RULE = http.Rule(
    id="1" * 32, version=3, content=limit_content(name="High", limit=5.0), changed_by="eva", changed_at=NOW
)  # fmt: skip
ALARM = http.MendedAlarm(
    alarm_id="2" * 32, rule_id=RULE.id, rule_name="High", rule_version=3, device_key="pump-1", device_name="Pump 1",
    area="North", priority=Priority.HIGH, recorded=40,
)  # fmt: skip


def trial(**fields: object) -> http.MendTrial:
    values: dict[str, object] = {
        "deadband": 0.0, "on_delay_s": 0.0, "off_delay_s": 0.0, "raises": 2, "most_in_span": 1, "chatter_index": 0.0,
        "fleeting": 0, "active_s": 60.0,
    }  # fmt: skip
    return http.MendTrial.model_validate({**values, **fields})


TRIALS = [
    trial(deadband=0.5, bases=[Basis.NOISE], is_enough=True),
    trial(off_delay_s=15.0, bases=[Basis.RUNS, Basis.PRACTICE], raises=12),
    trial(on_delay_s=60.0, bases=[Basis.RUNS], incidents_missed=1, missed=1, later=2, delay_longest_s=60.0),
]


def mend(**fields: object) -> http.AlarmMend:
    values: dict[str, object] = {
        "alarm": ALARM, "is_chattering": True, "unit": "bar", "before": trial(raises=40), "occasions": 3,
        "trials": TRIALS, "proposed": 0,
    }  # fmt: skip
    return http.AlarmMend.model_validate({**values, **fields})


def test_trials_are_told_with_their_change_their_origin_and_their_verdict() -> None:
    rows = trial_rows(mend())
    assert [(row.change, row.verdict) for row in rows] == [
        ("as it is", ""), ("deadband 0.5 bar", "proposed"), ("off-delay 15 s", "not enough"),
        ("on-delay 1 min", "misses an incident"),
    ]  # fmt: skip
    assert [row.basis for row in rows] == ["", "noise of the signal", "its own runs, common practice", "its own runs"]
    assert trial_rows(mend(before=None, trials=[], proposed=None)) == []


@pytest.mark.parametrize(
    ("fields", "words", "raises"),
    [
        ({}, "deadband 0.5 bar", "40 \N{RIGHTWARDS ARROW} 2"),
        ({"proposed": None}, "nothing is enough", "40"),
        ({"proposed": None, "before": trial(is_enough=True)}, "calm as it is now", "2"),
        ({"proposed": None, "before": None}, "cannot be tried", "\N{EN DASH}"),
    ],
)
def test_a_proposal_or_its_absence_is_a_few_words(fields: dict[str, object], words: str, raises: str) -> None:
    assert (proposal_words(mend(**fields)), raises_words(mend(**fields))) == (words, raises)


def test_what_a_proposal_costs_is_told_in_sentences() -> None:
    assert sentences(mend(notes=["It watches 3 devices."])) == [
        "Deadband 0.5 bar: 2 alarms in place of 40.",
        "Of 3 real occasions all would have been told as soon as now.",
        "It watches 3 devices.",
    ]
    assert sentences(mend(proposed=2))[1] == (
        "Of 3 real occasions 2 would have been told later, by 1 min at most, and 1 not at all."
    )
    assert "never told of real trouble" in sentences(mend(occasions=0))[1]
    assert (affected_words(None), affected_words(15.0)) == ("not told", "15 s later")


def test_a_trial_becomes_the_rules_next_version_unless_the_rule_has_changed_meanwhile() -> None:
    content = changed_content(RULE, mend(), TRIALS[0])
    assert content is not None
    assert content.definition() == limit_content(name="High", limit=5.0, deadband=0.5).definition()
    delayed = changed_content(RULE, mend(), TRIALS[2])
    assert delayed is not None
    assert (delayed.on_delay_s, delayed.condition) == (60.0, RULE.content.condition)
    assert changed_content(RULE.model_copy(update={"version": 4}), mend(), TRIALS[0]) is None
    assert reason_words(mend(), TRIALS[0]) == (
        "Deadband 0.5 bar against chattering of Pump 1: 2 alarms in place of 40 on its own history"
    )


def test_what_was_left_out_is_said() -> None:
    outcome = http.MendOutcome(start=NOW - DAY, end=NOW, mends=[mend(), mend(proposed=None)])
    assert outcome_words(outcome) == "Alarms looked at: 2, proposals: 1."
    assert "4 more were left out" in outcome_words(outcome.model_copy(update={"left_out": 4}))
    assert change_words(mend(before=None), TRIALS[0]) == ""
