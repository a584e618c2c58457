"""What conditions say, in plain words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from factoryops.alarms.directory import Description
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
    Frozen,
    Held,
    NoData,
    Not,
    Operand,
    Outside,
    Parameter,
    Rate,
    Window,
    WindowFunction,
    children,
)

Describe = Callable[[Parameter], Description]
"""How a parameter is shown; the key "" is its device as a whole."""

_COMPARED: Final = {
    Comparison.ABOVE: "above",
    Comparison.AT_OR_ABOVE: "at or above",
    Comparison.BELOW: "below",
    Comparison.AT_OR_BELOW: "at or below",
    Comparison.EQUAL: "equal to",
    Comparison.UNEQUAL: "different from",
}
_WINDOWS: Final = {
    WindowFunction.MEAN: "mean",
    WindowFunction.MIN: "least value",
    WindowFunction.MAX: "greatest value",
    WindowFunction.SUM: "sum",
}
_SIDES: Final = {Direction.ABOVE: "above", Direction.BELOW: "below", Direction.EITHER: "away from"}
_MOST_PARTS: Final = 3
"""Parts of a group that are named; of more, how many there are."""


def phrase(node: Condition, describe: Describe) -> str:
    """What a condition says when it is true, such as "Pressure is above 5 bar"."""
    match node:
        case AllOf() | AnyOf():
            return _group(node, describe)
        case Not():
            return f"not ({phrase(node.of, describe)})"
        case Held():
            return f"{phrase(node.of, describe)} for {span(node.for_s)}"
        case Count():
            return f"{node.at_least} times in {span(node.window_s)}: {phrase(node.of, describe)}"
        case _:
            return _leaf(node, describe)


def _leaf(node: Compare | Rate | Deviation | Window | Frozen | NoData | Outside, describe: Describe) -> str:
    match node:
        case Compare():
            unit = _unit(node.left, describe) if isinstance(node.right, Constant) else ""
            right = _operand(node.right, describe)
            return f"{_operand(node.left, describe)} is {_COMPARED[node.comparison]} {with_unit(right, unit)}"
        case Frozen():
            return f"{_operand(node.of, describe)} has not moved for {span(node.for_s)}"
        case NoData():
            of = node.of or Parameter("")
            silent = describe(of).device_name if not of.key else _operand(of, describe)
            return f"No data from {silent} for {span(node.for_s)}"
        case Outside():
            return "It is outside the schedule"
        case _:
            return _over_window(node, describe)


def _over_window(node: Rate | Deviation | Window, describe: Describe) -> str:
    unit = _unit(node.of, describe)
    name, limit, window = _operand(node.of, describe), plain(node.limit), span(node.window_s)
    match node:
        case Rate():
            limit = f"{with_unit(limit, unit)} per s"
            return f"{name} changes over {window} by {_COMPARED[node.comparison]} {limit}"
        case Deviation():
            return f"{name} is more than {with_unit(limit, unit)} {_SIDES[node.direction]} its mean of {window}"
        case Window():
            compared = f"{_COMPARED[node.comparison]} {with_unit(limit, unit)}"
            return f"The {_WINDOWS[node.function]} of {name} over {window} is {compared}"


def _group(node: AllOf | AnyOf, describe: Describe) -> str:
    parts = [
        f"({phrase(part, describe)})"
        if isinstance(part, AllOf | AnyOf) and len(children(part)) > 1
        else phrase(part, describe)
        for part in node.of
    ]
    joint = " and " if isinstance(node, AllOf) else " or "
    if len(parts) <= _MOST_PARTS:
        return joint.join(parts)
    return f"{joint.join(parts[:_MOST_PARTS])}{joint}{len(parts) - _MOST_PARTS} more"


def _operand(operand: Operand, describe: Describe) -> str:
    match operand:
        case Constant():
            return plain(operand.value)
        case Parameter():
            told = describe(operand)
            return f"{told.parameter_name} of {told.device_name}" if operand.device else told.parameter_name
        case _:
            return operand.text


def _unit(operand: Operand, describe: Describe) -> str:
    return describe(operand).unit if isinstance(operand, Parameter) else ""


def plain(number: float) -> str:
    """All of a number as it was typed."""
    return f"{number:.12g}"


def with_unit(number: str, unit: str) -> str:
    """A number with its unit."""
    if not unit:
        return number
    return f"{number}{unit}" if unit == "%" else f"{number} {unit}"


def span(seconds: float) -> str:
    """A length of time."""
    if seconds >= 7_200:
        return f"{seconds / 3_600:.4g} h"
    if seconds >= 120:
        return f"{seconds / 60:.4g} min"
    return f"{seconds:.4g} s"
