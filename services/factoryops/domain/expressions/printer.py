"""From tree to text: the one way each expression is written, with no more parentheses than it needs."""

from __future__ import annotations

import re
from typing import Final

from factoryops.domain.expressions.parser import KEYWORDS, POWERS, PREFIX_POWERS, UNITS_US
from factoryops.domain.expressions.tree import (
    COMPARISONS,
    Binary,
    Call,
    Duration,
    Node,
    Number,
    Reference,
    Truth,
    Unary,
)

_PLAIN_NAME: Final = re.compile(r"[^\W\d]\w*")
_ATOM: Final = 9


def print_expression(node: Node) -> str:
    """The text that parses to `node`."""
    match node:
        case Number():
            return _number(node.value)
        case Truth():
            return "true" if node.value else "false"
        case Duration():
            return _duration(node.us)
        case Reference():
            return f"{quoted(node.device)}.{quoted(node.parameter)}" if node.device else quoted(node.parameter)
        case Call():
            return f"{node.function}({', '.join(print_expression(one) for one in node.arguments)})"
        case Unary():
            gap = " " if node.operator == "not" else ""
            return f"{node.operator}{gap}{_within(node.operand, PREFIX_POWERS[node.operator] + 1)}"
        case Binary():
            return _binary(node)


def _binary(node: Binary) -> str:
    power = POWERS[node.operator]
    is_power, chains = node.operator == "^", node.operator not in COMPARISONS
    left = _within(node.left, power + (is_power or not chains))
    right = _within(node.right, power + (not is_power))
    return f"{left} {node.operator} {right}"


def _within(node: Node, least: int) -> str:
    """The text of a part, in parentheses where it binds less than its place asks for."""
    text = print_expression(node)
    return text if _power(node) >= least else f"({text})"


def _power(node: Node) -> int:
    match node:
        case Binary():
            return POWERS[node.operator]
        case Unary():
            return PREFIX_POWERS[node.operator]
        case _:
            return _ATOM


def quoted(name: str) -> str:
    """A name as an expression writes it: in quotes where it needs them."""
    if _PLAIN_NAME.fullmatch(name) and name not in KEYWORDS:
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and value < 1e15 else repr(value)


def _duration(us: int) -> str:
    for word, unit_us in UNITS_US.items():
        if us % unit_us == 0:
            return f"{us // unit_us} {word}"
    return f"{us / UNITS_US['ms']} ms"
