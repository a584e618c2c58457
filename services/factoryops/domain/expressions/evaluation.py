"""What an expression comes to, on whole columns at once.

The tree of plain operators is evaluated at every moment at which one of its inputs has a sample, each input held to its
next one while it is not too old. A time function is evaluated so for itself, at the moments of its own inputs, and is
then an input like any other. Where there is no value (no input, an input too old, a division by 0) there is none above
it either. The result at a moment follows from the samples within the expression's reach before it and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

import numpy as np

from factoryops.domain.expressions.checking import is_timed
from factoryops.domain.expressions.track import Marks, Numbers, Times, Track, Values, merged
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
from factoryops.domain.expressions.windows import over_window, since_previous
from factoryops.domain.expressions.work import Work


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an expression is evaluated from.

    Attributes:
        tracks: the samples of each parameter it names, as far back as `reach_us` says.
        maximum_age_us: how long a sample holds.
        work: what may be looked at; None where nobody waits.
    """

    tracks: Mapping[Reference, Track]
    maximum_age_us: int
    work: Work | None = None


def reach_us(node: Node, maximum_age_us: int) -> int:
    """How far back from a moment the samples lie that can matter to its result, in microseconds."""
    if not children(node):
        return maximum_age_us
    below = max(reach_us(child, maximum_age_us) for child in children(node))
    if isinstance(node, Call) and is_timed(node):
        return 2 * maximum_age_us + _window_us(node) + below
    return below


def evaluate(tree: Node, inputs: Inputs, start_us: int) -> Track:
    """The expression at every moment from `start_us` on at which one of its inputs has a sample.

    Raises:
        TooMuchWorkError: it would look at more than it may.
    """
    with np.errstate(all="ignore"):
        return _plain_track(tree, inputs, start_us)


def _plain_track(node: Node, inputs: Inputs, start_us: int) -> Track:
    leaves = {leaf: _leaf_track(leaf, inputs, start_us - inputs.maximum_age_us) for leaf in _leaves(node)}
    moments = _moments([*leaves.values()], start_us)
    if not len(moments):
        return Track.empty()
    if inputs.work is not None:
        inputs.work.look_up(len(leaves), len(moments))
    held = {leaf: track.at(moments) for leaf, track in leaves.items()}
    return Track(moments, _At(len(moments), held).values(node))


def _is_leaf(node: Node) -> bool:
    """Whether a part is an input of the plain operators above it: a parameter, or a time function."""
    return isinstance(node, Reference) or (isinstance(node, Call) and is_timed(node))


def _leaves(node: Node) -> list[Node]:
    if _is_leaf(node):
        return [node]
    return list(dict.fromkeys(leaf for child in children(node) for leaf in _leaves(child)))


def _leaf_track(leaf: Node, inputs: Inputs, start_us: int) -> Track:
    if isinstance(leaf, Call):
        return _timed_track(leaf, inputs, start_us)
    if not isinstance(leaf, Reference):
        raise TypeError(leaf)
    return inputs.tracks.get(leaf, Track.empty()).since(start_us)


def _timed_track(call: Call, inputs: Inputs, start_us: int) -> Track:
    window_us = _window_us(call)
    inner = _plain_track(call.arguments[0], inputs, start_us - window_us - inputs.maximum_age_us)
    if inputs.work is not None:
        inputs.work.look_back(len(inner))
    if not window_us:
        return since_previous(call.function, inner, start_us)
    return over_window(call.function, inner, window_us, start_us)


def _window_us(call: Call) -> int:
    last = call.arguments[-1]
    return last.us if isinstance(last, Duration) else 0


def _moments(tracks: Sequence[Track], start_us: int) -> Times:
    if len(tracks) == 1:
        return tracks[0].since(start_us).time_us
    return merged([track.since(start_us).time_us for track in tracks])


class _At:
    """Evaluates plain operators at given moments."""

    def __init__(self, count: int, held: Mapping[Node, Values]) -> None:
        self._count = count
        self._held = held

    def values(self, node: Node) -> Values:
        if _is_leaf(node):
            return self._held[node]
        match node:
            case Number():
                return Values.constant(node.value, self._count)
            case Truth():
                return Values.constant(float(node.value), self._count)
            case Unary():
                operand = self.values(node.operand)
                return _joined(_UNARY[node.operator](operand.value), [operand])
            case Binary():
                sides = [self.values(node.left), self.values(node.right)]
                return _joined(_BINARY[node.operator](sides[0].value, sides[1].value), sides)
            case Call():
                return self._called(node)
            case _:
                raise TypeError(node)

    def _called(self, node: Call) -> Values:
        arguments = [self.values(argument) for argument in node.arguments]
        if node.function == "fallback":
            return _chosen(arguments[0].is_known, *arguments)
        if node.function == "if":
            condition, *branches = arguments
            chosen = _chosen(condition.value != 0, *branches)
            return _joined(np.where(condition.is_known, chosen.value, np.nan), [condition, chosen])
        return _joined(_CALLS[node.function](*(argument.value for argument in arguments)), arguments)


def _joined(value: Numbers, parts: Sequence[Values]) -> Values:
    """A value made from `parts`: as long and as certain as all of them; none where it is not a finite number."""
    finite = np.where(np.isfinite(value), value, np.nan)
    until = reduce(np.minimum, [part.until_us for part in parts])
    return Values(finite, until, np.logical_or.reduce([part.is_uncertain for part in parts]))


def _chosen(is_first: Marks, first: Values, second: Values) -> Values:
    return Values(
        np.where(is_first, first.value, second.value),
        np.where(is_first, first.until_us, second.until_us),
        np.where(is_first, first.is_uncertain, second.is_uncertain),
    )


def _when_known(condition: Numbers | Marks, *operands: Numbers) -> Numbers:
    unknown = np.logical_or.reduce([np.isnan(operand) for operand in operands])
    return np.where(unknown, np.nan, np.asarray(condition, np.float64))


def _power(base: Numbers, exponent: Numbers) -> Numbers:
    found: Numbers = np.power(base, exponent)
    return found


_UNARY: Final[Mapping[str, Callable[[Numbers], Numbers]]] = {
    "-": lambda a: -a,
    "not": lambda a: _when_known(a == 0, a),
}

_BINARY: Final[Mapping[str, Callable[[Numbers, Numbers], Numbers]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": _power,
    "=": lambda a, b: _when_known(a == b, a, b),
    "!=": lambda a, b: _when_known(a != b, a, b),
    "<": lambda a, b: _when_known(a < b, a, b),
    "<=": lambda a, b: _when_known(a <= b, a, b),
    ">": lambda a, b: _when_known(a > b, a, b),
    ">=": lambda a, b: _when_known(a >= b, a, b),
    "and": lambda a, b: _when_known((a != 0) & (b != 0), a, b),
    "or": lambda a, b: _when_known((a != 0) | (b != 0), a, b),
}

_CALLS: Final[Mapping[str, Callable[..., Numbers]]] = {
    "abs": np.abs,
    "sqrt": np.sqrt,
    "log": np.log,
    "log10": np.log10,
    "exp": np.exp,
    "round": np.round,
    "floor": np.floor,
    "ceil": np.ceil,
    "clamp": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "min": lambda *many: reduce(np.minimum, many),
    "max": lambda *many: reduce(np.maximum, many),
    "mean": lambda *many: reduce(np.add, many) / len(many),
}
