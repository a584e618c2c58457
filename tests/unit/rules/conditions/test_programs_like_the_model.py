"""Programs say what the definitions say, however the stream is cut, ordered between devices or interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    Direction,
    Expression,
    Frozen,
    Held,
    NoData,
    Not,
    Parameter,
    Rate,
    Window,
    WindowFunction,
)
from factoryops.domain.identity import FactoryId, RuleId
from factoryops.domain.rule import Rule, RuleDefinition, RuleInForce, RuleScope
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.rules.conditions import programs as programs_module
from factoryops.rules.conditions.program import ProgramMoved
from factoryops.rules.conditions.programs import Programs
from factoryops.rules.conditions.state import ProgramsState
from tests.support.condition_model import BAD, OWN, Row, World, moves, states

START = 1_000
LENGTH = 60
FACTORY = FactoryId("f1")
KEYS = [SeriesKey(FACTORY, device, parameter) for device in (OWN, "b") for parameter in ("x", "y")]
NAMES = {int(series_id(key)): key for key in KEYS}

spans = st.integers(1, 15).map(lambda many: many / 1_000_000)
comparisons = st.sampled_from([*Comparison])
ordered = st.sampled_from([one for one in Comparison if one.is_ordered])
parameters = st.builds(Parameter, st.sampled_from(["x", "y"]), st.sampled_from(["", "b"]))
numbers = st.sampled_from([0.0, 1.0, 2.0])
deadbands = st.sampled_from([0.0, 0.5, 1.0])
expressions = st.sampled_from(["x + b.y", "x * 2 - y", "if(b.x > 1, x, 3)", "fallback(y, 1)"]).map(Expression)


@st.composite
def compares(draw: st.DrawFn) -> Compare:
    comparison = draw(comparisons)
    deadband = draw(deadbands) if comparison.is_ordered else 0.0
    left = draw(st.one_of(parameters, parameters, expressions))
    right = draw(st.one_of(numbers.map(Constant), numbers.map(Constant), parameters, expressions))
    return Compare(left, comparison, right, deadband, draw(spans))


leaves = st.one_of(
    compares(),
    compares(),
    st.builds(Frozen, parameters, spans, st.sampled_from([0.0, 1.0])),
    st.builds(NoData, spans, st.one_of(st.none(), parameters)),
    st.builds(Rate, parameters, ordered, numbers, spans, st.just(0.0), spans),
    st.builds(Deviation, parameters, numbers, spans, st.sampled_from(Direction), deadbands, spans),
    st.builds(Window, parameters, st.sampled_from(WindowFunction), spans, ordered, numbers, deadbands, spans),
)


def groups(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(AllOf, several),
        st.builds(AnyOf, several),
        st.builds(Not, parts),
        st.builds(Held, parts, spans),
        st.builds(Count, parts, st.integers(1, 3), spans),
    )


conditions: st.SearchStrategy[Condition] = st.recursive(leaves, groups, max_leaves=4)


class Recorded(NamedTuple):
    """A gap, told as soon as everything before `told_us` is evaluated."""

    start_us: int
    end_us: int
    told_us: int


@dataclass(frozen=True)
class Case:
    condition: Condition
    before: list[Row]
    rows: list[Row]
    gaps: list[Recorded]
    on_us: int
    off_us: int

    def world(self, marks: Sequence[int]) -> World:
        """What there is to know when time comes to `marks` one after the other."""
        begins = [START, *marks[:-1]]
        told = [(gap, next((at for at in begins if at >= gap.told_us), None)) for gap in self.gaps]
        ahead = [(max(gap.start_us, at), gap.end_us) for gap, at in told if at is not None and gap.end_us >= at]
        return World([*self.before, *self.rows], ahead, START, START + LENGTH)

    @property
    def rule(self) -> RuleInForce:
        definition = RuleDefinition(
            "Any", self.condition, Priority.HIGH, RuleScope((OWN,)), on_delay_s=self.on_us / 1_000_000,
            off_delay_s=self.off_us / 1_000_000,
        )  # fmt: skip
        return RuleInForce(Rule(RuleId("rule"), FACTORY, 1, definition), frozenset({OWN}), "UTC")

    def newest(self, key: SeriesKey) -> SampleColumns:
        return columns([row for row in self.before if row[:2] == key[1:]])

    def programs(self) -> Programs:
        made = Programs()
        made.appear(KEYS, self.newest)
        made.advance(START)
        made.set([self.rule], self.newest)
        return made


@st.composite
def recorded(draw: st.DrawFn) -> Recorded:
    start_us, end_us = sorted(draw(st.tuples(*[st.integers(START - 10, START + LENGTH + 10)] * 2)))
    return Recorded(start_us, end_us, draw(st.sampled_from([START, START, end_us - 5, end_us, end_us + 5])))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    condition = AllOf((draw(conditions),))  # a group, for a limit alone is evaluated sample by sample
    before = [
        (device, parameter, START - draw(st.integers(1, 20)), draw(numbers), 0)
        for _, device, parameter in KEYS
        if draw(st.booleans())
    ]
    rows: list[Row] = []
    for _, device, parameter in KEYS:
        times = draw(st.sets(st.integers(START, START + LENGTH - 1), max_size=12))
        rows += [(device, parameter, at, draw(numbers), draw(st.sampled_from([0, 0, 0, BAD]))) for at in sorted(times)]
    gaps = draw(st.lists(recorded(), max_size=3))
    delays = st.sampled_from([0, 0, 3, 10])
    return Case(condition, before, draw(st.permutations(rows)), gaps, draw(delays), draw(delays))


def columns(rows: Sequence[Row]) -> SampleColumns:
    listed = [(int(series_id(SeriesKey(FACTORY, *row[:2]))), row[2], row[3]) for row in rows]
    made = SampleColumns.of(listed)
    made.flags[:] = [row[4] for row in rows]
    return made


def restarted(programs: Programs, rule: RuleInForce) -> Programs:
    told = msgspec.msgpack.decode(msgspec.msgpack.encode(programs.state), type=ProgramsState)
    return Programs.restored(told, [rule], NAMES)


def run(case: Case, marks: Sequence[int], restarts: set[int]) -> list[ProgramMoved]:
    programs = case.programs()
    found: list[ProgramMoved] = []
    waiting, gaps = list(case.rows), list(case.gaps)
    for number, mark in enumerate(marks):
        programs.take(columns([row for row in waiting if row[2] < mark]))
        waiting = [row for row in waiting if row[2] >= mark]
        for gap in (gap for gap in gaps if gap.told_us <= programs.since_us):
            programs.take_gap(gap.start_us, gap.end_us, "")
        gaps = [gap for gap in gaps if gap.told_us > programs.since_us]
        if number in restarts:
            programs = restarted(programs, case.rule)
        found += programs.advance(mark)
    return found


def told(found: Sequence[ProgramMoved]) -> list[tuple[str, int]]:
    return [(one.move.kind.value, one.move.at_us) for one in found]


marks = st.sets(st.integers(START + 1, START + LENGTH - 1), max_size=12).map(
    lambda some: [*sorted(some), START + LENGTH]
)


@settings(deadline=None, max_examples=400)
@given(cases(), marks, st.sets(st.integers(0, 12)))
def test_programs_say_what_the_definitions_say_moment_by_moment(
    case: Case, marks: list[int], restarts: set[int]
) -> None:
    world = case.world(marks)
    signal = states(case.condition, world)
    assert told(run(case, marks, restarts)) == moves(signal, world, case.on_us, case.off_us)


@settings(deadline=None, max_examples=150)
@given(cases(), marks, st.sets(st.integers(0, 12)), st.integers(1, 20), st.integers(1, 4))
def test_neither_cuts_nor_restarts_change_what_is_said_nor_why(
    case: Case, marks: list[int], restarts: set[int], longest_us: int, most: int
) -> None:
    case = replace(case, gaps=[gap._replace(told_us=START) for gap in case.gaps])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs_module, "LONGEST_STEP_US", longest_us)
        patch.setattr(programs_module, "MOST_IN_A_STEP", most)
        found = run(case, marks, restarts)
    assert [(one.move, one.why) for one in found] == [(one.move, one.why) for one in run(case, [START + LENGTH], set())]
