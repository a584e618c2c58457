"""Expressions for property tests, and a slow model of what they come to."""

from __future__ import annotations

import math
import operator
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from factoryops.domain.errors import ExpressionError
from factoryops.domain.expressions.checking import check, is_timed
from factoryops.domain.expressions.track import Track
from factoryops.domain.expressions.tree import (
    Binary,
    Call,
    Duration,
    Node,
    Number,
    Reference,
    Truth,
    Unary,
    children,
)

S = 1_000_000
KEYS = ("a", "b", "c")

names = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=8).filter(str.isprintable)
references = st.builds(Reference, names, st.just("") | names)
constants = st.builds(Number, st.floats(0, 1e300) | st.integers(0, 1000).map(float))
durations = st.builds(Duration, st.integers(1, 86_400_000).map(lambda ms: ms * 1_000))


def trees(leaves: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Any tree, whether or not its parts fit together."""
    return st.recursive(
        leaves,
        lambda below: (
            st.builds(Unary, st.sampled_from(["-", "not"]), below)
            | st.builds(
                Binary,
                st.sampled_from(["+", "-", "*", "/", "^", "and", "or", "=", "!=", "<", "<=", ">", ">="]),
                below,
                below,
            )
            | st.builds(Call, st.sampled_from(["min", "abs", "if", "rate"]), st.lists(below, max_size=3).map(tuple))
        ),
        max_leaves=12,
    )


known = st.sampled_from([Reference(key) for key in KEYS])
small = st.integers(0, 9).map(lambda whole: Number(float(whole)))
windows = st.integers(1, 30).map(lambda seconds: Duration(seconds * S))


def numbers(depth: int = 3) -> st.SearchStrategy[Node]:
    """Trees that yield a number."""
    if depth == 0:
        return known | small
    below = numbers(depth - 1)
    return st.one_of(
        known,
        st.builds(Unary, st.just("-"), below),
        st.builds(Binary, st.sampled_from(["+", "-", "*", "/"]), below, below),
        st.builds(lambda f, x, y: Call(f, (x, y)), st.sampled_from(["min", "max", "mean", "fallback"]), below, below),
        st.builds(lambda c, x, y: Call("if", (c, x, y)), conditions(depth - 1), below, below),
        st.builds(lambda f, x: Call(f, (x,)), st.sampled_from(["abs", "sqrt", "rate", "delta"]), below),
        st.builds(
            lambda f, x, w: Call(f, (x, w)),
            st.sampled_from(["min", "max", "mean", "rate", "delta", "integral", "total", "count"]),
            below,
            windows,
        ),
    )


def conditions(depth: int = 2) -> st.SearchStrategy[Node]:
    """Trees that yield a condition."""
    compared = st.builds(
        Binary, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), numbers(max(0, depth - 1)), numbers(0)
    )
    if depth <= 0:
        return compared
    below = conditions(depth - 1)
    return (
        compared
        | st.builds(Unary, st.just("not"), below)
        | st.builds(Binary, st.sampled_from(["and", "or"]), below, below)
    )


samples = st.dictionaries(st.integers(0, 90), st.integers(-5, 5).map(float), max_size=25)
"""Whole seconds -> value of one series."""


def track_of(column: Mapping[int, float], age_s: int) -> Track:
    times = sorted(column)
    return Track.of_samples(
        np.array([time * S for time in times], np.int64),
        np.array([column[time] for time in times], np.float64),
        np.zeros(len(times), np.uint8),
        age_s * S,
    )


@dataclass(frozen=True)
class Row:
    """A value (None for none) and the last second at which it still holds."""

    value: float | None
    until: float


class Model:
    """Evaluates one moment at a time, in whole seconds, straight from what the handbook says."""

    def __init__(self, columns: Mapping[str, Mapping[int, float]], age_s: int) -> None:
        self._columns = columns
        self._age_s = age_s

    def moments(self, node: Node) -> list[int]:
        found: set[int] = set()
        if isinstance(node, Reference):
            found = set(self._columns.get(node.parameter, {}))
        for child in children(node):
            found |= set(self.moments(child))
        return sorted(found)

    def row(self, node: Node, at: float) -> Row:
        """What the node comes to at a moment, time functions and parameters held to it."""
        match node:
            case Number():
                return Row(node.value, math.inf)
            case Truth():
                return Row(float(node.value), math.inf)
            case Reference():
                return self._held(self._own(node), at)
            case Call() if is_timed(node):
                return self._held(self._own(node), at)
            case _:
                return self._plain(node, at)

    def _own(self, node: Node) -> list[tuple[int, Row]]:
        """The rows of a parameter or a time function."""
        if isinstance(node, Reference):
            column = self._columns.get(node.parameter, {})
            return [(time, Row(column[time], time + self._age_s)) for time in sorted(column)]
        assert isinstance(node, Call)
        inner = node.arguments[0]
        rows = [(time, self.row(inner, time)) for time in self.moments(inner)]
        return [(time, self._timed(node, rows, place)) for place, (time, _) in enumerate(rows)]

    @staticmethod
    def _held(rows: Sequence[tuple[int, Row]], at: float) -> Row:
        place = bisect_right([time for time, _ in rows], at) - 1
        if place < 0 or at > rows[place][1].until:
            return Row(None, -math.inf)
        return rows[place][1]

    def _plain(self, node: Node, at: float) -> Row:
        parts = [self.row(child, at) for child in children(node)]
        values = [part.value for part in parts]
        if isinstance(node, Call) and node.function == "fallback":
            return parts[0] if parts[0].value is not None else parts[1]
        if isinstance(node, Call) and node.function == "if":
            chosen = parts[1] if values[0] else parts[2]
            return Row(None if values[0] is None else chosen.value, min(parts[0].until, chosen.until))
        until = min(part.until for part in parts)
        if any(value is None for value in values):
            return Row(None, until)
        return Row(_applied(node, [value for value in values if value is not None]), until)

    def _timed(self, node: Call, rows: Sequence[tuple[int, Row]], place: int) -> Row:
        held = rows[place][1]
        value = None if held.value is None else self._timed_value(node, rows, place)
        return Row(value, held.until)

    def _timed_value(self, node: Call, rows: Sequence[tuple[int, Row]], place: int) -> float | None:
        now, held = rows[place]
        assert held.value is not None
        if len(node.arguments) == 1:
            if place == 0 or rows[place - 1][1].until < now or rows[place - 1][1].value is None:
                return None
            change = held.value - (rows[place - 1][1].value or 0.0)
            return change if node.function == "delta" else change / (now - rows[place - 1][0])
        window = node.arguments[1]
        assert isinstance(window, Duration)
        start = now - window.us / S
        first = self._held(rows[: place + 1], start).value
        if node.function in ("delta", "rate"):
            if first is None:
                return None
            return (held.value - first) / (window.us / S if node.function == "rate" else 1)
        inside = [(time, row) for time, row in rows[: place + 1] if time > start]
        values = [row.value for _, row in inside if row.value is not None]
        if node.function in ("total", "count"):
            return sum(values) if node.function == "total" else float(len(values))
        if node.function in ("min", "max"):
            chosen = [*values, *([] if first is None else [first])]
            return min(chosen) if node.function == "min" else max(chosen)
        return self._area(node.function, rows[: place + 1], start, now, held.value)

    @staticmethod
    def _area(function: str, rows: Sequence[tuple[int, Row]], start: float, now: float, value: float) -> float:
        area = seconds = 0.0
        for (time, row), (after, _) in pairwise(rows):
            span = min(after, row.until, now) - max(time, start)
            if row.value is not None and span > 0:
                area, seconds = area + row.value * span, seconds + span
        if function == "integral":
            return area
        return area / seconds if seconds else value


def _applied(node: Node, values: list[float]) -> float | None:
    a, b = values[0], values[-1]
    if isinstance(node, Unary):
        return -a if node.operator == "-" else float(not a)
    if isinstance(node, Call):
        return _called(node.function, values)
    assert isinstance(node, Binary)
    if node.operator == "/":
        return a / b if b else None
    return float(_OPERATORS[node.operator](a, b))


_OPERATORS: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "=": operator.eq, "!=": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "and": lambda a, b: bool(a) and bool(b), "or": lambda a, b: bool(a) or bool(b),
}  # fmt: skip


def _called(function: str, values: list[float]) -> float | None:
    match function:
        case "abs":
            return abs(values[0])
        case "sqrt":
            return math.sqrt(values[0]) if values[0] >= 0 else None
        case "mean":
            return sum(values) / len(values)
        case _:
            return min(values) if function == "min" else max(values)


def is_sound(tree: Node) -> bool:
    """Whether its parts fit together."""
    try:
        check(tree)
    except ExpressionError:
        return False
    return True
