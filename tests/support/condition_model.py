"""Conditions as their definitions say, moment by moment: slow, and written without looking at how they are evaluated.

Times are whole microseconds and spans are a few of them, so that every moment can be looked at.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

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
    Operand,
    Parameter,
    Rate,
    Window,
    WindowFunction,
)
from factoryops.domain.expressions.evaluation import Inputs, evaluate
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.track import Track
from factoryops.domain.expressions.tree import Binary, Call, Duration, Node, Reference, references
from factoryops.domain.samples import SampleFlag

FALSE, UNKNOWN, TRUE = 0, 1, 2
OWN: Final = "a"
BAD: Final = int(SampleFlag.UNCERTAIN)

Row = tuple[str, str, int, float, int]
"""Device, parameter, time in µs, value, flags."""

_OPERATORS: Final[Mapping[Comparison, Callable[[float, float], bool]]] = {
    Comparison.ABOVE: operator.gt,
    Comparison.AT_OR_ABOVE: operator.ge,
    Comparison.BELOW: operator.lt,
    Comparison.AT_OR_BELOW: operator.le,
    Comparison.EQUAL: operator.eq,
    Comparison.UNEQUAL: operator.ne,
}


@dataclass(frozen=True)
class World:
    """Everything that happened, of which conditions are judged from `start_us` to before `end_us`.

    Attributes:
        rows: on-time samples, at most one of a series at a time.
        gaps: (start, end) of each, as far as it lay ahead when it was told.
    """

    rows: Sequence[Row]
    gaps: Sequence[tuple[int, int]]
    start_us: int
    end_us: int

    @property
    def moments(self) -> range:
        return range(self.start_us, self.end_us)

    def of(self, device: str, parameter: str) -> list[tuple[int, float, int]]:
        found = [row[2:] for row in self.rows if row[:2] == (device or OWN, parameter)]
        return sorted(found)


def us(seconds: float) -> int:
    return round(seconds * 1_000_000)


def states(node: Condition, world: World) -> list[int]:
    """What the condition says at each moment."""
    match node:
        case AllOf():
            return [min(one) for one in zip(*(states(part, world) for part in node.of), strict=True)]
        case AnyOf():
            return [max(one) for one in zip(*(states(part, world) for part in node.of), strict=True)]
        case Not():
            return [TRUE - one for one in states(node.of, world)]
        case Held():
            return _held(states(node.of, world), us(node.for_s))
        case Count():
            return _count(states(node.of, world), node.at_least, us(node.window_s))
        case _:
            return _leaf(node, world)


def _leaf(node: Condition, world: World) -> list[int]:
    match node:
        case Frozen():
            return _frozen(node, world)
        case NoData():
            return _no_data(node, world)
        case Compare():
            sides = [_values(side, world, us(node.maximum_age_s)) for side in (node.left, node.right)]
            return _compared(sides[0], node.comparison, sides[1], node.deadband)
        case Rate() | Window() | Deviation():
            value = _calculated(_tree(node), world, us(node.maximum_age_s))
            comparison = Comparison.ABOVE if isinstance(node, Deviation) else node.comparison
            return _compared(value, comparison, [node.limit] * len(value), node.deadband)
        case _:
            raise AssertionError(node)


def _held(part: list[int], for_us: int) -> list[int]:
    """The least of all that lies within the time; before the beginning, unknown."""
    padded = [UNKNOWN] * for_us + part
    return [min(padded[at : at + for_us + 1]) for at in range(len(part))]


def _count(part: list[int], at_least: int, window_us: int) -> list[int]:
    found: list[int] = []
    turns: list[int] = []
    known = UNKNOWN
    for at, state in enumerate(part):
        if known == FALSE and state == TRUE:
            turns.append(at)
        known = state if state != UNKNOWN else known
        count = sum(at - window_us < turn <= at for turn in turns)
        found.append(TRUE if count >= at_least else UNKNOWN if state == UNKNOWN else FALSE)
    return found


def _frozen(node: Frozen, world: World) -> list[int]:
    for_us = us(node.for_s)
    good = [(time_us, value) for time_us, value, flags in world.of(node.of.device, node.of.key) if not flags & BAD]
    before = [row for row in good if row[0] < world.start_us][-1:]
    rows = dict(before + [row for row in good if row[0] >= world.start_us])
    found: list[int] = []
    anchor: tuple[int, float] | None = None
    newest, state = 0, UNKNOWN
    for moment in range(min([world.start_us, *rows]), world.end_us):
        if anchor is not None and moment - newest > for_us:
            anchor, state = None, UNKNOWN
        if moment in rows:
            if anchor is None or abs(rows[moment] - anchor[1]) > node.tolerance:
                anchor = (moment, rows[moment])
            newest = moment
            state = TRUE if moment - anchor[0] >= for_us else FALSE
        if moment >= world.start_us:
            found.append(state)
    return found


def _no_data(node: NoData, world: World) -> list[int]:
    for_us = us(node.for_s)
    of = node.of
    signs = {row[2] for row in world.rows if row[0] == ((of and of.device) or OWN) and (of is None or row[1] == of.key)}
    before = [sign for sign in signs if sign <= world.start_us]
    alive = max(before, default=world.start_us)
    signs |= {end_us for _, end_us in world.gaps if end_us >= world.start_us}
    found: list[int] = []
    for moment in world.moments:
        alive = moment if moment in signs else alive
        due = alive + for_us
        is_ours = any(start_us <= due <= end_us for start_us, end_us in world.gaps)
        found.append(TRUE if moment >= due and not is_ours else FALSE)
    return found


def _compared(
    left: list[float | None], comparison: Comparison, right: Sequence[float | None], deadband: float
) -> list[int]:
    found: list[int] = []
    latch = False
    for one, two in zip(left, right, strict=True):
        if one is None or two is None:
            found.append(UNKNOWN)
            continue
        release = two - deadband if comparison.is_high else two + deadband
        latch = _OPERATORS[comparison](one, release if latch else two)
        found.append(TRUE if latch else FALSE)
    return found


def _values(operand: Operand, world: World, age_us: int) -> list[float | None]:
    match operand:
        case Constant():
            return [operand.value] * len(world.moments)
        case Parameter():
            return [_newest(world.of(operand.device, operand.key), moment, age_us) for moment in world.moments]
        case Expression():
            return _calculated(Formula.of(operand.text).tree, world, age_us)


def _newest(rows: list[tuple[int, float, int]], moment: int, age_us: int) -> float | None:
    until = [row for row in rows if row[0] <= moment]
    if not until or moment - until[-1][0] > age_us or until[-1][2] & BAD:
        return None
    return until[-1][1]


def _calculated(tree: Node, world: World, age_us: int) -> list[float | None]:
    tracks = {}
    for one in references(tree):
        rows = world.of(one.device, one.parameter)
        time_us = np.array([row[0] for row in rows], np.int64)
        value = np.array([np.nan if row[2] & BAD else row[1] for row in rows], np.float64)
        tracks[one] = Track.of_samples(time_us, value, np.zeros(len(rows), np.uint8), age_us)
    track = evaluate(tree, Inputs(tracks, age_us), -(10**6))
    held = track.at(np.array(world.moments, np.int64))
    return [None if np.isnan(value) else value for value in held.value.tolist()]


def _tree(node: Rate | Window | Deviation) -> Node:
    assert isinstance(node.of, Parameter)
    of, window = Reference(node.of.key, node.of.device), Duration(us(node.window_s))
    match node:
        case Rate():
            return Call("rate", (of, window))
        case Window():
            return Call("total" if node.function is WindowFunction.SUM else node.function.value, (of, window))
        case Deviation():
            mean = Call("mean", (of, window))
            above, below = Binary("-", of, mean), Binary("-", mean, of)
            if node.direction is Direction.EITHER:
                return Call("max", (above, below))
            return above if node.direction is Direction.ABOVE else below


def moves(signal: list[int], world: World, on_us: int, off_us: int) -> list[tuple[str, int]]:
    """Raises and clears with their delays, each when it is due, or when the condition is next known to be the same."""
    found: list[tuple[str, int]] = []
    is_true = is_active = False
    due: int | None = None
    for moment, state in zip(world.moments, signal, strict=True):
        if state == UNKNOWN:
            continue
        if due == moment or (due is not None and due < moment and (state == TRUE) is is_true):
            is_active, due = is_true, None
            found.append(("raised" if is_active else "cleared", moment))
        if (state == TRUE) is not is_true:
            is_true = not is_true
            due = moment + (on_us if is_true else off_us) if is_true is not is_active else None
            if due == moment:
                is_active, due = is_true, None
                found.append(("raised" if is_active else "cleared", moment))
    return found
