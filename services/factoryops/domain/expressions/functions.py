"""The functions an expression may use: one table for the checker, the evaluator, the editor and the handbook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from factoryops.domain.time import US_PER_S

LONGEST_WINDOW_US: Final = 86_400 * US_PER_S


class Kind(StrEnum):
    """What an expression yields, or a function wants.

    A parameter passes for a number and, where a condition is wanted, for "is not 0".
    """

    NUMBER = "number"
    CONDITION = "condition"
    DURATION = "duration"
    SAME = "same"
    """In a signature: numbers or conditions, but all of one kind; the function yields that kind."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function.

    Attributes:
        wants: the kinds of its arguments.
        most: the most arguments; those beyond `wants` are of its last kind.
    """

    wants: tuple[Kind, ...]
    most: int

    def fits(self, count: int) -> bool:
        """Whether so many arguments may be given."""
        return len(self.wants) <= count <= self.most

    def want(self, place: int) -> Kind:
        """The kind of the argument at `place`."""
        return self.wants[min(place, len(self.wants) - 1)]


@dataclass(frozen=True, slots=True)
class Function:
    """A function.

    Attributes:
        plain: how it is called without looking at time; None when it always does.
        timed: how it is called over earlier values of its first argument; None when it never looks at them.
        usage: how it is written.
        purpose: one sentence.
        yields: its kind; SAME: that of its arguments.
    """

    name: str
    usage: str
    purpose: str
    plain: Signature | None = None
    timed: Signature | None = None
    yields: Kind = Kind.NUMBER


_N, _C, _D, _S = Kind.NUMBER, Kind.CONDITION, Kind.DURATION, Kind.SAME
_MANY: Final = 20
_ONE: Final = Signature((_N,), 1)
_SEVERAL: Final = Signature((_N, _N), _MANY)
_WINDOW: Final = Signature((_N, _D), 2)


def _plain(name: str, usage: str, purpose: str, signature: Signature = _ONE) -> Function:
    return Function(name, usage, purpose, plain=signature)


_ALL: Final = (
    _plain("abs", "abs(x)", "The value without its sign."),
    _plain("sqrt", "sqrt(x)", "The square root; of a negative value, none."),
    _plain("log", "log(x)", "The natural logarithm; of 0 and below, none."),
    _plain("log10", "log10(x)", "The logarithm to base 10; of 0 and below, none."),
    _plain("exp", "exp(x)", "e to the power of x."),
    _plain("round", "round(x)", "The nearest whole number; halves go to the even one."),
    _plain("floor", "floor(x)", "The whole number at or below x."),
    _plain("ceil", "ceil(x)", "The whole number at or above x."),
    _plain("clamp", "clamp(x, low, high)", "x, but not below low and not above high.", Signature((_N, _N, _N), 3)),
    Function("if", "if(condition, a, b)", "a where the condition holds, b where it does not.",
             plain=Signature((_C, _S, _S), 3), yields=_S),
    _plain("fallback", "fallback(x, y)", "x, or y where x has no value.", Signature((_N, _N), 2)),
    Function("min", "min(a, b, …) or min(x, 10 min)", "The least of several values, or of one within a window.",
             _SEVERAL, _WINDOW),
    Function("max", "max(a, b, …) or max(x, 10 min)", "The greatest of several values, or of one within a window.",
             _SEVERAL, _WINDOW),
    Function("mean", "mean(a, b, …) or mean(x, 10 min)",
             "The mean of several values, or the time-weighted mean of one within a window.", _SEVERAL, _WINDOW),
    Function("rate", "rate(x) or rate(x, 10 min)",
             "Change per second since the previous value, or over a window.", timed=Signature((_N,), 2)),
    Function("delta", "delta(x) or delta(x, 10 min)",
             "Change since the previous value, or over a window.", timed=Signature((_N,), 2)),
    Function("integral", "integral(x, 1 h)", "The sum of value × seconds within a window, each value held to the next.",
             timed=_WINDOW),
    Function("total", "total(x, 1 h)", "The sum of the values that came within a window.", timed=_WINDOW),
    Function("count", "count(x, 1 h)", "How many values came within a window.", timed=_WINDOW),
)  # fmt: skip

FUNCTIONS: Final[Mapping[str, Function]] = {one.name: one for one in _ALL}
