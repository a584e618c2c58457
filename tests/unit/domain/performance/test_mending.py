"""Proposals for nuisance alarms: what is tried, what it would have missed, and which change is the least."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.client.fake_back_tests import limit_episodes
from factoryops.domain.alarms import Priority
from factoryops.domain.back_tests import Episode, MarkedIncident
from factoryops.domain.conditions.limits import PlainLimit, plain_limit
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.performance.candidates import Basis, Breaks, Candidate, SignalFacts, candidates, noise_of
from factoryops.domain.performance.mending import baseline, judge_trial, least
from factoryops.domain.performance.proposing import Proposal, Question, propose
from factoryops.domain.performance.signal_practice import SignalKind, signal_kind
from factoryops.domain.performance.thresholds import DEFAULT
from factoryops.domain.rule import RuleDefinition

S = 1_000_000
SPAN = (0, 86_400 * S)


def rule(*, on_delay_s: float = 0.0, off_delay_s: float = 0.0, deadband: float = 0.0) -> RuleDefinition:
    condition = PlainLimit("pressure", Comparison.ABOVE, 100.0, deadband).condition
    return RuleDefinition("High", condition, Priority.HIGH, on_delay_s=on_delay_s, off_delay_s=off_delay_s)


def signal(*pieces: tuple[int, float]) -> list[float]:
    """Values at 1 Hz: so many seconds of each."""
    return [value for seconds, value in pieces for _ in range(seconds)]


UNKNOWN = SignalFacts()
CHATTER = [(3, 100.5), (2, 99.5)] * 20


def proposal(values: Sequence[float], of: RuleDefinition, facts: SignalFacts = UNKNOWN, **more: object) -> Proposal:
    time_us = [n * S for n in range(len(values))]
    question = Question((0, len(values) * S), **more)  # type: ignore[arg-type] # by name
    return propose(
        of,
        question,
        lambda rules: [limit_episodes("a", time_us, values, one) for one in rules],
        lambda made: facts,
    )


def episodes(*spans: tuple[float, float | None]) -> list[Episode]:
    return [
        Episode("a", round(since * S), None if until is None else round(until * S)) for since, until in spans
    ]  # fmt: skip


def test_a_signal_at_its_limit_gets_the_deadband_that_bridges_its_noise() -> None:
    values = signal((600, 50.0), *CHATTER, (600, 50.0), (300, 120.0), (600, 50.0))
    found = proposal(values, rule(), SignalFacts(SignalKind.PRESSURE, 200.0, 0.3))
    assert found.before.is_chattering
    assert (found.before.trial.raises, found.before.trial.most) == (21, 13)
    assert found.chosen is not None
    chosen = found.trials[found.chosen]
    assert (chosen.candidate.deadband, chosen.candidate.bases) == (0.9, (Basis.NOISE,))
    assert (chosen.raises, chosen.missed, chosen.later, chosen.delay_longest_s) == (2, 0, 0, 0.0)


def test_where_nobody_knows_the_noise_a_delay_longer_than_its_own_runs_is_proposed() -> None:
    values = signal((600, 50.0), *CHATTER, (600, 50.0), (300, 120.0), (600, 50.0))
    found = proposal(values, rule())
    assert found.chosen is not None
    chosen = found.trials[found.chosen]
    assert chosen.candidate == Candidate(off_delay_s=3.0, bases=(Basis.RUNS,))
    by_on_delay = next(one for one in found.trials if one.candidate.on_delay_s == 5.0)
    assert (by_on_delay.raises, by_on_delay.missed, by_on_delay.later, by_on_delay.delay_longest_s) == (1, 1, 1, 5.0)


def test_an_alarm_that_only_flickers_gets_on_delays_alone() -> None:
    values = signal(*[(600, 50.0), (3, 120.0)] * 6, (600, 50.0), (200, 120.0), (10, 50.0))
    found = proposal(values, rule(), SignalFacts(SignalKind.PRESSURE, 200.0, 2.0))
    assert (found.before.is_chattering, found.before.trial.fleeting) == (False, 6)
    assert all(one.candidate.deadband is None and one.candidate.off_delay_s is None for one in found.trials)
    assert found.chosen is not None
    chosen = found.trials[found.chosen]
    assert (chosen.candidate.on_delay_s, chosen.raises, chosen.delay_longest_s) == (5.0, 1, 5.0)


def test_a_calm_alarm_is_left_as_it_is() -> None:
    found = proposal(signal((600, 50.0), (300, 120.0), (600, 50.0)), rule())
    assert (found.before.trial.is_enough, found.trials, found.chosen) == (True, [], None)


def test_where_bridging_would_let_it_stand_for_days_a_delay_is_proposed() -> None:
    """Two days of a flicker every 25 s."""
    found = proposal(signal(*[(5, 120.0), (20, 50.0)] * 7_000), rule(), real_after_s=86_400)
    assert found.before.is_chattering
    bridged = [one for one in found.trials if one.candidate.off_delay_s and one.raises == 1]
    assert bridged
    assert not any(one.is_enough for one in bridged)
    assert found.chosen is not None
    assert found.trials[found.chosen].candidate.on_delay_s == 8.0


def test_a_change_that_misses_a_marked_incident_is_never_proposed() -> None:
    made = episodes((0, 5), (10, 15), (20, 25), (2_000, 2_008))
    incident = MarkedIncident("1", None, 2_001 * S, 2_100 * S)
    before = baseline(made, SPAN, [incident], DEFAULT, real_after_s=60)
    assert [(one.told_us // S, one.incident) for one in before.occasions] == [(2_000, "1")]
    blind = judge_trial(Candidate(on_delay_s=10.0), [], SPAN, [incident], before, DEFAULT)
    assert (blind.incidents_missed, blind.missed, blind.is_enough) == (1, 1, False)
    seeing = judge_trial(
        Candidate(on_delay_s=6.0), episodes((2_006, 2_008)), SPAN, [incident], before, DEFAULT
    )  # fmt: skip
    assert (seeing.later, seeing.delay_longest_s, seeing.is_enough) == (1, 6.0, True)
    assert least([blind, seeing]) == 1


def test_what_came_again_within_a_minute_is_one_occasion() -> None:
    before = baseline(
        episodes((0, 5), (30, 45), (70, 80), (500, 510)), SPAN, [], DEFAULT, real_after_s=60
    )  # fmt: skip
    assert [(one.told_us, one.end_us // S) for one in before.occasions] == [(0, 80)]
    standing = judge_trial(Candidate(deadband=1.0), episodes((-10, 700)), SPAN, [], before, DEFAULT)
    assert (standing.later, standing.missed, standing.delay_longest_s) == (0, 0, 0.0)


def test_an_alarm_that_would_never_go_again_is_no_mend() -> None:
    made = episodes((0, 5), (10, 15), (20, 25))
    before = baseline(made, (0, 3 * 86_400 * S), [], DEFAULT, real_after_s=60)
    stuck = judge_trial(Candidate(deadband=99.0), episodes((0, None)), (0, 3 * 86_400 * S), [], before, DEFAULT)
    assert (stuck.raises, stuck.is_enough) == (1, False)


def test_missing_nothing_comes_before_telling_at_once_and_that_before_standing_briefly() -> None:
    made = episodes((0, 5), (10, 15), (20, 90), (5_000, 5_100))
    before = baseline(made, SPAN, [], DEFAULT, real_after_s=60)
    tried = {
        "misses": episodes((0, 90)),
        "late": episodes((0, 90), (5_060, 5_100)),
        "long": episodes((0, 400), (5_000, 5_400)),
        "best": episodes((0, 95), (5_000, 5_105)),
    }
    trials = [judge_trial(Candidate(), one, SPAN, [], before, DEFAULT) for one in tried.values()]
    order = []
    names = list(tried)
    while trials:
        place = least(trials)
        assert place is not None
        order.append(names.pop(place))
        trials.pop(place)
    assert order == ["best", "long", "late", "misses"]


def test_every_candidate_makes_the_rule_calmer_than_it_is() -> None:
    of = rule(on_delay_s=2.0, off_delay_s=4.0, deadband=0.3)
    made = episodes((2, 9), (15, 20), (40, 48), (100, 130))
    found = candidates(of, made, SignalFacts(SignalKind.FLOW, 10.0, 0.05, (0.2, 0.34)), is_chattering=True)
    assert {one.deadband for one in found} - {None} == {0.35, 0.5}
    for one in found:
        changed = one.definition(of)
        plain = plain_limit(changed.condition)
        assert plain is not None
        assert plain.deadband >= 0.3
        assert changed.on_delay_s >= 2.0
        assert changed.off_delay_s >= 4.0
        assert changed != of


@pytest.mark.parametrize(("comparison", "sign"), [(Comparison.ABOVE, 1), (Comparison.AT_OR_BELOW, -1)])
def test_how_far_a_signal_came_back_is_seen_in_its_short_breaks_alone(comparison: Comparison, sign: int) -> None:
    of = RuleDefinition("Off", PlainLimit("pressure", comparison, 0.0).condition, Priority.HIGH)
    values = np.array(
        [sign * one for one in signal((3, 1.0), (2, -0.5), (3, 1.0), (2, -0.3), (3, 1.0), (90, -9.0), (3, 1.0))]
    )
    time_us = np.arange(len(values)) * S
    found = Breaks(of, limit_episodes("a", time_us.tolist(), values.tolist(), of))
    for half in (slice(0, 4), slice(4, None)):
        found.take(time_us[half], values[half])
    assert found.depths() == (0.5, 0.3)


def test_a_deadband_is_wider_than_the_signal_came_back() -> None:
    found = candidates(rule(), episodes((0, 3), (5, 8)), SignalFacts(depths=(0.5,)), is_chattering=True)
    assert [one.deadband for one in found if one.deadband] == [0.51]


def test_noise_is_told_from_slow_movement_and_single_jumps() -> None:
    generator = np.random.default_rng(7)
    slow = 50 * np.sin(np.arange(20_000) / 3_000)
    noisy = slow + generator.normal(0, 0.5, 20_000)
    noisy[::1_000] += 40
    assert noise_of(noisy) == pytest.approx(0.5, rel=0.1)
    assert noise_of(np.zeros(0)) == 0.0
    assert noise_of(np.repeat([1.0, 2.0], 500)) > 0


@pytest.mark.parametrize(
    ("key", "unit", "kind"),
    [
        ("zone_1", "°C", SignalKind.TEMPERATURE),
        ("discharge", "bar", SignalKind.PRESSURE),
        ("q", "m³/h", SignalKind.FLOW),
        ("oil_level", "%", SignalKind.LEVEL),
        ("flowers", "", None),
        ("speed", "rpm", None),
    ],
)
def test_a_signal_is_known_by_its_unit_or_its_name(key: str, unit: str, kind: SignalKind | None) -> None:
    assert signal_kind(key, unit) is kind


@given(
    st.lists(st.tuples(st.integers(1, 120), st.sampled_from([50.0, 99.4, 100.6, 130.0])), min_size=1, max_size=60),
    st.sampled_from([rule(), rule(on_delay_s=3.0, off_delay_s=2.0), rule(deadband=0.5)]),
)
def test_whatever_the_signal_does_a_proposal_is_calm_and_misses_no_more_than_it_says(
    pieces: list[tuple[int, float]], of: RuleDefinition
) -> None:
    found = proposal(signal(*pieces), of, SignalFacts(SignalKind.PRESSURE, 200.0, 0.6))
    assert found.before.trial.later == found.before.trial.missed == 0
    for one in found.trials:
        unheard = [told for told in one.told if told.after_s is None]
        assert (one.missed, one.later) == (len(unheard), len(one.told) - len(unheard))
        assert one.missed + one.later <= len(found.before.occasions)
    if found.chosen is not None:
        chosen = found.trials[found.chosen]
        is_chatter = chosen.most >= DEFAULT.chatter_count or (chosen.raises > 1 and chosen.index >= 0.05)
        assert not is_chatter if found.before.is_chattering else chosen.fleeting == 0
