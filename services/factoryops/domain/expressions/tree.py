"""The tree of an expression; two trees are equal when they say the same, wherever it stood in the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

COMPARISONS: Final = ("=", "!=", "<", "<=", ">", ">=")
ARITHMETIC: Final = ("+", "-", "*", "/", "^")
LOGIC: Final = ("and", "or")


@dataclass(frozen=True, slots=True)
class Number:
    """A constant, at or above 0: a minus before it is a `Unary`."""

    value: float
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Truth:
    """`true` or `false`."""

    value: bool
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, such as `10 min`; only time functions take one."""

    us: int
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """A parameter by its key.

    Attributes:
        device: the device's key; "" means the device the expression belongs to.
    """

    parameter: str
    device: str = ""
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x` or `not x`."""

    operator: str
    operand: Node
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands with one of COMPARISONS, ARITHMETIC or LOGIC between them."""

    operator: str
    left: Node
    right: Node
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    function: str
    arguments: tuple[Node, ...]
    at: int = field(default=0, compare=False)


Node: TypeAlias = Number | Truth | Duration | Reference | Unary | Binary | Call


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below one."""
    match node:
        case Unary():
            return (node.operand,)
        case Binary():
            return (node.left, node.right)
        case Call():
            return node.arguments
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, from the left."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += reversed(children(found))


def references(node: Node) -> tuple[Reference, ...]:
    """The parameters it speaks of, each once, in the order of the text."""
    return tuple(dict.fromkeys(one for one in walk(node) if isinstance(one, Reference)))
