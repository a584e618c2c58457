"""The tree of a condition. It is data: it travels and is stored as JSON in which `kind` names each node.

A leaf that names no device speaks of the device the rule is evaluated for; with a device's key it speaks of that one.
Each node is true, false or, where a value it needs is missing, too old or of bad quality, unknown. Unknown neither
raises nor clears an alarm. "All of" is false as soon as one part is false and "any of" true as soon as one is true,
whatever is unknown beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from factoryops.domain.schedules import Schedule

DEFAULT_AGE_S: Final = 600.0


class Comparison(StrEnum):
    """How a value is compared."""

    ABOVE = "gt"
    AT_OR_ABOVE = "gte"
    BELOW = "lt"
    AT_OR_BELOW = "lte"
    EQUAL = "eq"
    UNEQUAL = "neq"

    @property
    def is_high(self) -> bool:
        """Whether larger values are the abnormal ones."""
        return self in (Comparison.ABOVE, Comparison.AT_OR_ABOVE)

    @property
    def is_ordered(self) -> bool:
        """Whether it asks which value is the larger one, so that a deadband makes sense."""
        return self not in (Comparison.EQUAL, Comparison.UNEQUAL)


class WindowFunction(StrEnum):
    """What is made of the values of a window."""

    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    SUM = "sum"


class Direction(StrEnum):
    """To which side a value deviates."""

    ABOVE = "above"
    BELOW = "below"
    EITHER = "either"


class _Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", omit_defaults=True):
    """What every node has in common: it is a value, and strict about what it is made from."""


# --- what leaves compare ---------------------------------------------------------------------------------------------


class Parameter(_Node, frozen=True, tag="parameter"):
    """The newest value of a parameter; `device` is another device's key, "" for the rule's own."""

    key: str
    device: str = ""


class Constant(_Node, frozen=True, tag="constant"):
    """A number."""

    value: float


class Expression(_Node, frozen=True, tag="expression"):
    """What an expression comes to (docs/reference/expressions.md)."""

    text: str


Operand: TypeAlias = Parameter | Constant | Expression
Quantity: TypeAlias = Parameter | Expression


# --- groups ----------------------------------------------------------------------------------------------------------


class AllOf(_Node, frozen=True, tag="all"):
    """Every part is true."""

    of: tuple[Condition, ...]


class AnyOf(_Node, frozen=True, tag="any"):
    """One part at least is true."""

    of: tuple[Condition, ...]


class Not(_Node, frozen=True, tag="not"):
    """The part is false."""

    of: Condition


class Held(_Node, frozen=True, tag="held"):
    """The part has been true for `for_s` seconds without a break."""

    of: Condition
    for_s: float


class Count(_Node, frozen=True, tag="count"):
    """The part has turned true at least `at_least` times within the last `window_s` seconds."""

    of: Condition
    at_least: int
    window_s: float


# --- leaves ----------------------------------------------------------------------------------------------------------


class Compare(_Node, frozen=True, tag="compare"):
    """Two values compare so.

    Attributes:
        deadband: once true it stays so until the left value has come back by this much beyond the right one; at or
            above 0, for ordered comparisons only.
        maximum_age_s: how long a sample counts.
    """

    left: Operand
    comparison: Comparison
    right: Operand
    deadband: float = 0.0
    maximum_age_s: float = DEFAULT_AGE_S


class Rate(_Node, frozen=True, tag="rate"):
    """A quantity changes faster than `limit` per second over `window_s` seconds, compared so."""

    of: Quantity
    comparison: Comparison
    limit: float
    window_s: float
    deadband: float = 0.0
    maximum_age_s: float = DEFAULT_AGE_S


class Deviation(_Node, frozen=True, tag="deviation"):
    """A quantity lies more than `limit` away from its time-weighted mean of the last `window_s` seconds."""

    of: Quantity
    limit: float
    window_s: float
    direction: Direction = Direction.EITHER
    deadband: float = 0.0
    maximum_age_s: float = DEFAULT_AGE_S


class Window(_Node, frozen=True, tag="window"):
    """The time-weighted mean, least, greatest or sum of the values of the last `window_s` seconds compares so."""

    of: Quantity
    function: WindowFunction
    window_s: float
    comparison: Comparison
    limit: float
    deadband: float = 0.0
    maximum_age_s: float = DEFAULT_AGE_S


class Frozen(_Node, frozen=True, tag="frozen"):
    """A parameter keeps being sent and has not moved by more than `tolerance` for `for_s` seconds."""

    of: Parameter
    for_s: float
    tolerance: float = 0.0


class NoData(_Node, frozen=True, tag="no_data"):
    """No on-time sample for `for_s` seconds; spans of recorded gaps do not count.

    Attributes:
        of: the parameter; None for "nothing at all from the device".
    """

    for_s: float
    of: Parameter | None = None


class Outside(_Node, frozen=True, tag="outside"):
    """The moment lies outside a schedule."""

    schedule: Schedule


Condition: TypeAlias = (
    AllOf | AnyOf | Not | Held | Count | Compare | Rate | Deviation | Window | Frozen | NoData | Outside
)


def children(condition: Condition) -> tuple[Condition, ...]:
    """The conditions directly below one."""
    match condition:
        case AllOf() | AnyOf():
            return condition.of
        case Not() | Held() | Count():
            return (condition.of,)
        case _:
            return ()


def walk(condition: Condition) -> Iterator[Condition]:
    """The condition and everything below it, from the left."""
    waiting = [condition]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += reversed(children(found))
