"""The condition of a threshold rule: a pure function of samples and rule."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.conditions.tree import Comparison
from factoryops.rules.delays import MachineState, Move
from factoryops.rules.immediate import Threshold
from factoryops.rules.threshold import ThresholdMachine

US = 1_000_000
VALUES = st.sampled_from([3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0])


ORDERED = [comparison for comparison in Comparison if comparison.is_ordered]


def rule(comparison: Comparison = Comparison.ABOVE, limit: float = 5.0, **fields: float) -> Threshold:
    return Threshold("pressure", comparison, limit, **fields)


def fed(machine: ThresholdMachine, time_us: int, value: float | None) -> tuple[Move, ...]:
    """A sample; of bad quality where there is no value."""
    return machine.lose(time_us) if value is None else machine.sample(time_us, value)


def moves_of(
    made: Threshold, samples: Sequence[tuple[int, float | None]], until_us: int
) -> list[tuple[str, int, float | None]]:
    machine = ThresholdMachine(made)
    found = [move for time_us, value in samples for move in fed(machine, time_us, value)]
    return told([*found, *machine.tick(until_us)])


def told(moves: list[Move]) -> list[tuple[str, int, float | None]]:
    return [(move.kind.value, move.at_us, move.value) for move in moves]


@pytest.mark.parametrize(
    ("comparison", "value", "is_raised"),
    [
        (Comparison.ABOVE, 5.0, False), (Comparison.ABOVE, math.nextafter(5.0, 9), True),
        (Comparison.AT_OR_ABOVE, 5.0, True), (Comparison.AT_OR_ABOVE, math.nextafter(5.0, 0), False),
        (Comparison.BELOW, 5.0, False), (Comparison.BELOW, math.nextafter(5.0, 0), True),
        (Comparison.AT_OR_BELOW, 5.0, True), (Comparison.AT_OR_BELOW, math.nextafter(5.0, 9), False),
    ],
)  # fmt: skip
def test_equality_at_the_limit_is_decided_by_the_comparison(
    comparison: Comparison, value: float, is_raised: bool
) -> None:
    assert bool(moves_of(rule(comparison), [(1, value)], 2)) is is_raised


@pytest.mark.parametrize(
    ("comparison", "over", "held", "back"),
    [
        (Comparison.ABOVE, 6.0, math.nextafter(4.5, 9), 4.5),
        (Comparison.AT_OR_ABOVE, 5.0, 4.5, math.nextafter(4.5, 0)),
        (Comparison.BELOW, 4.0, math.nextafter(5.5, 0), 5.5),
        (Comparison.AT_OR_BELOW, 5.0, 5.5, math.nextafter(5.5, 9)),
    ],
)
def test_a_value_inside_the_deadband_keeps_the_alarm(
    comparison: Comparison, over: float, held: float, back: float
) -> None:
    made = rule(comparison, deadband=0.5)
    assert [one[0] for one in moves_of(made, [(1, over), (2, held)], 3)] == ["raised"]
    assert [one[0] for one in moves_of(made, [(1, over), (2, held), (3, back)], 4)] == ["raised", "cleared"]


def test_a_switch_that_goes_back_to_zero_clears_without_a_deadband() -> None:
    assert told_of(rule(limit=0.0), [(1, 0.0), (2, 1.0), (3, 0.0)]) == [("raised", 2), ("cleared", 3)]


def told_of(made: Threshold, samples: list[tuple[int, float]]) -> list[tuple[str, int]]:
    return [(kind, at_us) for kind, at_us, _ in moves_of(made, samples, samples[-1][0])]


def test_delays_date_the_alarm_when_due_not_when_noticed() -> None:
    made = rule(on_delay_s=10, off_delay_s=5)
    samples = [(0, 6.0), (60 * US, 7.0), (100 * US, 1.0), (200 * US, 1.0)]
    assert moves_of(made, samples, 200 * US) == [("raised", 10 * US, 6.0), ("cleared", 105 * US, 1.0)]


def test_a_sample_at_the_very_moment_a_delay_is_due_comes_after_it() -> None:
    made = rule(on_delay_s=10)
    assert told_of(made, [(0, 6.0), (10 * US, 1.0)]) == [("raised", 10 * US), ("cleared", 10 * US)]


def test_a_return_before_the_delay_is_due_raises_nothing() -> None:
    assert told_of(rule(on_delay_s=10), [(0, 6.0), (10 * US - 1, 1.0), (90 * US, 1.0)]) == []


def test_a_sample_older_than_what_was_seen_moves_nothing() -> None:
    machine = ThresholdMachine(rule())
    machine.sample(10, 1.0)
    assert machine.sample(9, 9.0) == ()


def test_a_delay_longer_than_anyone_lives_stays_within_the_stores_numbers() -> None:
    machine = ThresholdMachine(rule(on_delay_s=1e300))
    machine.sample(0, 9.0)
    assert machine.state.due_us is not None
    assert machine.state.due_us < 1 << 62


class Step(NamedTuple):
    samples: list[tuple[int, float | None]]
    delays: tuple[float, float]
    deadband: float
    comparison: Comparison
    ticks: list[int]
    age_s: float

    @property
    def rule(self) -> Threshold:
        on_delay_s, off_delay_s = self.delays
        return rule(
            self.comparison, on_delay_s=on_delay_s, off_delay_s=off_delay_s, deadband=self.deadband,
            maximum_age_s=self.age_s,
        )  # fmt: skip


@st.composite
def steps(draw: st.DrawFn) -> Step:
    gaps = draw(st.lists(st.integers(1, 6), min_size=1, max_size=40))
    times = [sum(gaps[: end + 1]) * US for end in range(len(gaps))]
    samples = [(time_us, draw(st.one_of(VALUES, VALUES, st.none()))) for time_us in times]
    delays = (draw(st.sampled_from([0, 1, 3, 10])), draw(st.sampled_from([0, 2, 7])))
    ticks = [draw(st.integers(0, time_us)) for time_us in times]
    deadband, age_s = draw(st.sampled_from([0.0, 0.5, 1.0])), draw(st.sampled_from([3, 600]))
    return Step(samples, delays, deadband, draw(st.sampled_from(ORDERED)), ticks, age_s)


COMPARE: dict[Comparison, Callable[[float, float], bool]] = {
    Comparison.ABOVE: operator.gt,
    Comparison.AT_OR_ABOVE: operator.ge,
    Comparison.BELOW: operator.lt,
    Comparison.AT_OR_BELOW: operator.le,
}


def naive(made: Threshold, samples: list[tuple[int, float | None]], until_us: int) -> list[tuple[str, int]]:
    """What the words say, second by second: no due times, only looking back."""
    compare = COMPARE[made.comparison]
    release = made.limit + (-made.deadband if made.comparison.is_high else made.deadband)
    found: list[tuple[str, int]] = []
    is_true = is_active = False
    since = 0
    newest: tuple[int, float | None] = (0, None)
    there = dict(samples)

    def run_out(at: int) -> None:
        nonlocal is_active
        delay = made.on_delay_s if is_true else made.off_delay_s
        if is_true != is_active and at >= since + delay * US:
            is_active = is_true
            found.append(("raised" if is_active else "cleared", at))

    for at in range(0, until_us + 1, US):
        if at in there:
            newest = (at, there[at])
        value = newest[1]
        if value is None or at > newest[0] + made.maximum_age_s * US:
            continue
        becomes = compare(value, release if is_true else made.limit)
        if becomes == is_true or at == since + (made.on_delay_s if is_true else made.off_delay_s) * US:
            run_out(at)
        if becomes != is_true:
            is_true, since = becomes, at
            run_out(at)
    return found


@given(steps())
def test_it_does_what_the_words_of_the_rule_say(step: Step) -> None:
    made = step.rule
    until_us = step.samples[-1][0] + 20 * US
    assert [one[:2] for one in moves_of(made, step.samples, until_us)] == naive(made, step.samples, until_us)


@given(steps(), st.integers(0, 40))
def test_ticks_restarts_and_samples_give_the_same_list_in_any_interleaving(step: Step, restart_at: int) -> None:
    made = step.rule
    until_us = step.samples[-1][0] + 20 * US
    machine = ThresholdMachine(made)
    found: list[Move] = []
    for number, ((time_us, value), tick_us) in enumerate(zip(step.samples, step.ticks, strict=True)):
        if number == restart_at:
            state: MachineState = machine.state
            machine = ThresholdMachine(made, state)
        found += [*machine.tick(tick_us), *fed(machine, time_us, value)]
    assert told([*found, *machine.tick(until_us)]) == moves_of(made, step.samples, until_us)


def test_a_raised_limit_clears_and_a_lowered_one_raises_from_that_moment() -> None:
    machine = ThresholdMachine(rule())
    machine.sample(10, 6.0)
    assert told([*machine.change(rule(limit=8.0), 50, 6.0)]) == [("cleared", 50, 6.0)]
    assert told([*machine.change(rule(limit=2.0), 60, 6.0)]) == [("raised", 60, 6.0)]


def test_a_shortened_delay_never_dates_an_alarm_before_the_change() -> None:
    machine = ThresholdMachine(rule(on_delay_s=100))
    machine.sample(0, 6.0)
    assert told([*machine.change(rule(on_delay_s=10), 50 * US, 6.0)]) == [("raised", 50 * US, 6.0)]


def test_a_delay_that_an_older_service_saved_goes_on() -> None:
    older = msgspec.convert(
        {"is_true": True, "is_active": False, "since_us": 10 * US, "due_us": 20 * US, "value": 9.0, "seen_us": 10 * US},
        MachineState,
    )
    machine = ThresholdMachine(rule(on_delay_s=10), older)
    assert told([*machine.tick(30 * US)]) == [("raised", 20 * US, 9.0)]
