"""Conditions and schedules in one line of plain words, for logs, differences and the command line."""

from __future__ import annotations

from typing import Final

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
    Outside,
    Parameter,
    Rate,
    Window,
    WindowFunction,
)
from factoryops.domain.schedules import EVERY_DAY, Schedule, WeeklyWindow

_SIGNS: Final = {
    Comparison.ABOVE: ">",
    Comparison.AT_OR_ABOVE: "≥",
    Comparison.BELOW: "<",
    Comparison.AT_OR_BELOW: "≤",
    Comparison.EQUAL: "=",
    Comparison.UNEQUAL: "≠",
}
_FUNCTIONS: Final = {
    WindowFunction.MEAN: "mean",
    WindowFunction.MIN: "least",
    WindowFunction.MAX: "greatest",
    WindowFunction.SUM: "sum",
}
_SIDES: Final = {
    Direction.ABOVE: "above",
    Direction.BELOW: "below",
    Direction.EITHER: "away from",
}
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def condition_words(condition: Condition) -> str:
    """Such as "all of (pressure > 5; not (mode = 0))"."""
    match condition:
        case AllOf() | AnyOf():
            parts = "; ".join(condition_words(one) for one in condition.of)
            return f"{'all' if isinstance(condition, AllOf) else 'any'} of ({parts})"
        case Not():
            return f"not ({condition_words(condition.of)})"
        case Held():
            return f"({condition_words(condition.of)}) for {span_words(condition.for_s)}"
        case Count():
            inner, within = condition_words(condition.of), span_words(condition.window_s)
            return f"({inner}) {condition.at_least} times within {within}"
        case _:
            return _leaf_words(condition)


def _leaf_words(leaf: Compare | Rate | Deviation | Window | Frozen | NoData | Outside) -> str:
    match leaf:
        case Compare():
            left, right = operand_words(leaf.left), operand_words(leaf.right)
            return f"{left} {_SIGNS[leaf.comparison]} {right}{_back(leaf.deadband)}"
        case Rate():
            what = f"change of {operand_words(leaf.of)} over {span_words(leaf.window_s)}"
            return f"{what} {_SIGNS[leaf.comparison]} {_number(leaf.limit)} per second{_back(leaf.deadband)}"
        case Deviation():
            side = f"more than {_number(leaf.limit)} {_SIDES[leaf.direction]} its mean of {span_words(leaf.window_s)}"
            return f"{operand_words(leaf.of)} {side}{_back(leaf.deadband)}"
        case Window():
            what = f"{_FUNCTIONS[leaf.function]} of {operand_words(leaf.of)} over {span_words(leaf.window_s)}"
            return f"{what} {_SIGNS[leaf.comparison]} {_number(leaf.limit)}{_back(leaf.deadband)}"
        case Frozen():
            within = f" within {_number(leaf.tolerance)}" if leaf.tolerance else ""
            return f"{operand_words(leaf.of)} unmoved{within} for {span_words(leaf.for_s)}"
        case NoData():
            of = "anything" if leaf.of is None else operand_words(leaf.of)
            return f"no data of {of} for {span_words(leaf.for_s)}"
        case Outside():
            return f"outside ({schedule_words(leaf.schedule)})"


def operand_words(operand: Operand) -> str:
    """What a leaf looks at."""
    match operand:
        case Constant():
            return _number(operand.value)
        case Parameter():
            return f"{operand.device}.{operand.key}" if operand.device else operand.key
        case Expression():
            return f"({operand.text})"


def schedule_words(schedule: Schedule) -> str:
    """Such as "Mon Tue 22:00-06:00; from 2026-01-01"."""
    parts = [_window_words(window) for window in schedule.weekly]
    parts += [f"shift {identity}" for identity in schedule.shifts]
    parts += [f"from {schedule.first}"] if schedule.first is not None else []
    parts += [f"until {schedule.last}"] if schedule.last is not None else []
    return "; ".join(parts) or "always"


def span_words(seconds: float) -> str:
    """A length of time in the largest unit that shows it whole."""
    for size, unit in ((3_600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size:g} {unit}"
    return f"{_number(seconds)} s"


def _window_words(window: WeeklyWindow) -> str:
    days = "" if set(window.days) == set(EVERY_DAY) else " ".join(_DAYS[day - 1] for day in window.days) + " "
    return f"{days}{window.start}-{window.end}"


def _back(deadband: float) -> str:
    return f", deadband {_number(deadband)}" if deadband else ""


def _number(value: float) -> str:
    return f"{value:.12g}"
