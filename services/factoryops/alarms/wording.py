"""What an alarm says, in one plain sentence."""

from __future__ import annotations

from typing import Final

from factoryops.alarms.condition_wording import Describe, phrase, plain, span, with_unit
from factoryops.alarms.directory import Description
from factoryops.alarms.why import condition_of, node_at
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.conditions.checking import operands
from factoryops.domain.conditions.tree import Comparison, Condition, Parameter
from factoryops.rules.conditions.explanation import deciding
from factoryops.rules.conditions.program import ProgramMoved
from factoryops.rules.conditions.signal import FALSE, TRUE
from factoryops.rules.evaluator import Moved
from factoryops.rules.immediate import Threshold

_RAISED: Final = {
    Comparison.ABOVE: "above the limit of",
    Comparison.AT_OR_ABOVE: "at or above the limit of",
    Comparison.BELOW: "below the limit of",
    Comparison.AT_OR_BELOW: "at or below the limit of",
}
_MOST_DECIMALS: Final = 12
_LONGEST: Final = 400


def message_of(moved: Moved, told: Description) -> str:
    """The sentence of a raise or a clear, such as "Pressure is 5.31 bar, above the limit of 5 bar"."""
    threshold, value = moved.watching.threshold, moved.move.value
    if moved.is_withdrawn or value is None:
        return f"{told.parameter_name} is no longer watched: the rule was changed, disabled or deleted"
    shown, limit = number_beside(value, told.decimals, threshold.limit), plain(threshold.limit)
    if moved.move.kind is AlarmEventKind.RAISED:
        lasted = f" for {span(threshold.on_delay_s)}" if threshold.on_delay_s else ""
        across = f"{_RAISED[threshold.comparison]} {with_unit(limit, told.unit)}"
        return f"{told.parameter_name} is {with_unit(shown, told.unit)}, {across}{lasted}"
    if not _is_beyond(threshold, value):
        lasted = f" for {span(threshold.off_delay_s)}" if threshold.off_delay_s else ""
        within = f"within the limit of {with_unit(limit, told.unit)}"
        return f"{told.parameter_name} is back at {with_unit(shown, told.unit)}, {within}{lasted}"
    return f"{told.parameter_name} is {with_unit(shown, told.unit)}; the alarm has cleared"


def _is_beyond(threshold: Threshold, value: float) -> bool:
    is_across = value > threshold.limit if threshold.comparison.is_high else value < threshold.limit
    is_at_limit_too = threshold.comparison in (Comparison.AT_OR_ABOVE, Comparison.AT_OR_BELOW)
    return is_across or (is_at_limit_too and value == threshold.limit)


def number_beside(value: float, decimals: int, limit: float) -> str:
    """A value with its usual decimals; with more where it would otherwise look equal to the limit."""
    if abs(value) >= 1e15:
        return f"{value:.6g}"
    for count in range(max(0, decimals), _MOST_DECIMALS):
        shown = f"{value:.{count}f}"
        if value == limit or float(shown) != limit:
            return f"{float(shown):.{count}f}"
    return repr(value)


def message_of_program(moved: ProgramMoved, describe: Describe) -> str:
    """The sentence of a raise or a clear of a condition, such as "No data from Press 4 for 60 s"."""
    if moved.is_withdrawn:
        return "It is no longer watched: the rule was changed, disabled or deleted"
    definition, condition = moved.in_force.rule.definition, condition_of(moved)
    said = _shortened(phrase(condition, describe))
    if moved.move.kind is AlarmEventKind.RAISED:
        lasted = f" for {span(definition.on_delay_s)}" if definition.on_delay_s else ""
        return _shortened(f"{said}{lasted}{_shown(moved, condition, describe)}")
    return _shortened(f"No longer: {said}{_shown(moved, condition, describe)}")


def _shown(moved: ProgramMoved, condition: Condition, describe: Describe) -> str:
    """The value that decided, where one did."""
    state = TRUE if moved.move.kind is AlarmEventKind.RAISED else FALSE
    said = None if moved.why is None else deciding(moved.why, state)
    if said is None or said.value is None:
        return ""
    told = next(iter(_described(node_at(condition, said.path), describe)), None)
    decimals, unit = (told.decimals, told.unit) if told is not None else (2, "")
    limit = said.limit if said.limit is not None else said.value
    return f" (it is {with_unit(number_beside(said.value, decimals, limit), unit)})"


def _described(leaf: Condition, describe: Describe) -> list[Description]:
    return [describe(one) for one in operands(leaf) if isinstance(one, Parameter)]


def _shortened(sentence: str) -> str:
    return sentence if len(sentence) <= _LONGEST else f"{sentence[: _LONGEST - 1]}…"
