"""What an alarm says, in one plain sentence."""

from __future__ import annotations

from typing import Final

from factoryops.alarms.directory import Description
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.conditions.tree import Comparison
from factoryops.rules.evaluator import Moved
from factoryops.rules.immediate import Threshold

_RAISED: Final = {
    Comparison.ABOVE: "above the limit of",
    Comparison.AT_OR_ABOVE: "at or above the limit of",
    Comparison.BELOW: "below the limit of",
    Comparison.AT_OR_BELOW: "at or below the limit of",
}
_MOST_DECIMALS: Final = 12


def message_of(moved: Moved, told: Description) -> str:
    """The sentence of a raise or a clear, such as "Pressure is 5.31 bar, above the limit of 5 bar"."""
    threshold, value = moved.watching.threshold, moved.move.value
    if moved.is_withdrawn:
        return f"{told.parameter_name} is no longer watched: the rule was changed, disabled or deleted"
    shown, limit = _number(value, told.decimals, threshold.limit), _plain(threshold.limit)
    if moved.move.kind is AlarmEventKind.RAISED:
        lasted = f" for {_span(threshold.on_delay_s)}" if threshold.on_delay_s else ""
        across = f"{_RAISED[threshold.comparison]} {_with(limit, told)}"
        return f"{told.parameter_name} is {_with(shown, told)}, {across}{lasted}"
    if not _is_beyond(threshold, value):
        lasted = f" for {_span(threshold.off_delay_s)}" if threshold.off_delay_s else ""
        return (
            f"{told.parameter_name} is back at {_with(shown, told)}, within the limit of {_with(limit, told)}{lasted}"
        )
    return f"{told.parameter_name} is {_with(shown, told)}; the alarm has cleared"


def _is_beyond(threshold: Threshold, value: float) -> bool:
    is_across = value > threshold.limit if threshold.comparison.is_high else value < threshold.limit
    is_at_limit_too = threshold.comparison in (Comparison.AT_OR_ABOVE, Comparison.AT_OR_BELOW)
    return is_across or (is_at_limit_too and value == threshold.limit)


def _plain(number: float) -> str:
    """All of a number as it was typed."""
    return f"{number:.12g}"


def _number(value: float, decimals: int, limit: float) -> str:
    """A value with its usual decimals; with more where it would otherwise look equal to the limit."""
    if abs(value) >= 1e15:
        return f"{value:.6g}"
    for count in range(max(0, decimals), _MOST_DECIMALS):
        shown = f"{value:.{count}f}"
        if value == limit or float(shown) != limit:
            return f"{float(shown):.{count}f}"
    return repr(value)


def _with(number: str, told: Description) -> str:
    if not told.unit:
        return number
    return f"{number}{told.unit}" if told.unit == "%" else f"{number} {told.unit}"


def _span(seconds: float) -> str:
    if seconds >= 120:
        return f"{seconds / 60:.4g} min"
    return f"{seconds:.4g} s"
