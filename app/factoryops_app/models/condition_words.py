"""A condition in plain words; what is not filled in yet appears as a gap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from factoryops.domain.conditions.tree import Comparison, Direction, WindowFunction
from factoryops_app.models.condition_draft import NodeDraft, NodeKind, OperandDraft, OperandKind
from factoryops_app.models.names import Names
from factoryops_app.models.schedule_draft import schedule_words
from factoryops_app.models.typed import parsed, plain
from factoryops_app.models.wording import comparison_name
from factoryops_resources.words import say

_GAP: Final = "…"


def kind_name(kind: NodeKind) -> str:
    """What a kind of part is called where one is chosen."""
    names = {
        NodeKind.ALL: say("All of"),
        NodeKind.ANY: say("Any of"),
        NodeKind.NOT: say("Not"),
        NodeKind.HELD: say("Has lasted"),
        NodeKind.COUNT: say("Has happened several times"),
        NodeKind.COMPARE: say("Comparison"),
        NodeKind.RATE: say("Rate of change"),
        NodeKind.DEVIATION: say("Deviation from its mean"),
        NodeKind.WINDOW: say("Mean, least, greatest or sum"),
        NodeKind.FROZEN: say("Frozen value"),
        NodeKind.NO_DATA: say("No data"),
        NodeKind.OUTSIDE: say("Outside a schedule"),
    }
    return names[kind]


def function_name(function: WindowFunction) -> str:
    """What is made of a window."""
    names = {
        WindowFunction.MEAN: say("mean"),
        WindowFunction.MIN: say("least value"),
        WindowFunction.MAX: say("greatest value"),
        WindowFunction.SUM: say("sum"),
    }
    return names[function]


def direction_name(direction: Direction) -> str:
    """To which side something deviates."""
    names = {
        Direction.ABOVE: say("above"),
        Direction.BELOW: say("below"),
        Direction.EITHER: say("above or below"),
    }
    return names[direction]


def condition_words(node: NodeDraft, names: Names) -> str:
    """The whole condition."""
    return _WORDS[node.kind](node, names)


def line_words(node: NodeDraft, names: Names) -> str:
    """One part, as its line in the tree: of groups and wrappers only what they do."""
    match node.kind:
        case NodeKind.ALL:
            return say("All of these")
        case NodeKind.ANY:
            return say("Any of these")
        case NodeKind.NOT:
            return say("Not")
        case NodeKind.HELD:
            return say("For {span} without a break", span=_typed(node, "for_s"))
        case NodeKind.COUNT:
            return say("{count} times within {span}", count=_typed(node, "at_least"), span=_typed(node, "window_s"))
        case _:
            return condition_words(node, names)


# --- parts ------------------------------------------------------------------------------------------------------------


def _within(part: NodeDraft, names: Names) -> str:
    text = condition_words(part, names)
    return f"({text})" if part.kind.is_group and len(part.parts) > 1 else text


def _not(node: NodeDraft, names: Names) -> str:
    return say("not ({part})", part=condition_words(node.parts[0], names))


def _held(node: NodeDraft, names: Names) -> str:
    return say("{part} for {span} without a break", part=_within(node.parts[0], names), span=_typed(node, "for_s"))


def _count(node: NodeDraft, names: Names) -> str:
    return say("{part} at least {count} times within {span}", part=_within(node.parts[0], names),
               count=_typed(node, "at_least"), span=_typed(node, "window_s"))  # fmt: skip


def _compare(node: NodeDraft, names: Names) -> str:
    left, right = node.operands["left"], node.operands["right"]
    unit = _unit(left, names)
    text = f"{_operand(left, names)} {_compared(node)} {_operand(right, names, unit)}"
    limit, deadband = parsed(right.text), parsed(node.texts["deadband"])
    if right.kind is OperandKind.CONSTANT and limit is not None and deadband:
        text += f" {_back(node, limit, deadband, unit)}"
    return text


def _back(node: NodeDraft, limit: float, deadband: float, unit: str) -> str:
    if Comparison(node.texts["comparison"]).is_high:
        return say("(until back below {limit})", limit=_with(plain(limit - deadband), unit))
    return say("(until back above {limit})", limit=_with(plain(limit + deadband), unit))


def _rate(node: NodeDraft, names: Names) -> str:
    of = node.operands["of"]
    limit = _with(_typed(node, "limit"), f"{_unit(of, names)}/s" if _unit(of, names) else say("per second"))
    return say("the rate of change of {what} over {span} {compared} {limit}", what=_operand(of, names),
               span=_typed(node, "window_s"), compared=_compared(node), limit=limit)  # fmt: skip


def _deviation(node: NodeDraft, names: Names) -> str:
    of = node.operands["of"]
    return say("{what} is more than {limit} {direction} its mean of the last {span}", what=_operand(of, names),
               limit=_with(_typed(node, "limit"), _unit(of, names)), span=_typed(node, "window_s"),
               direction=direction_name(Direction(node.texts["direction"])))  # fmt: skip


def _window(node: NodeDraft, names: Names) -> str:
    of = node.operands["of"]
    return say("the {function} of {what} over the last {span} {compared} {limit}", what=_operand(of, names),
               function=function_name(WindowFunction(node.texts["function"])), span=_typed(node, "window_s"),
               compared=_compared(node), limit=_with(_typed(node, "limit"), _unit(of, names)))  # fmt: skip


def _frozen(node: NodeDraft, names: Names) -> str:
    of, span = node.operands["of"], _typed(node, "for_s")
    if not parsed(node.texts["tolerance"]):
        return say("{what} has not moved for {span}", what=_operand(of, names), span=span)
    tolerance = _with(_typed(node, "tolerance"), _unit(of, names))
    return say("{what} has not moved by more than {tolerance} for {span}", what=_operand(of, names), span=span,
               tolerance=tolerance)  # fmt: skip


def _no_data(node: NodeDraft, names: Names) -> str:
    of, span = node.operands["of"], _typed(node, "for_s")
    if not of.text:
        return say("the device has sent nothing for {span}", span=span)
    return say("no data of {what} for {span}", what=_operand(of, names), span=span)


def _outside(node: NodeDraft, names: Names) -> str:
    return say("it is outside {schedule}", schedule=schedule_words(node.schedule, names.shift))


_WORDS: Final[dict[NodeKind, Callable[[NodeDraft, Names], str]]] = {
    NodeKind.ALL: lambda node, names: f" {say('and')} ".join(_within(part, names) for part in node.parts),
    NodeKind.ANY: lambda node, names: f" {say('or')} ".join(_within(part, names) for part in node.parts),
    NodeKind.NOT: _not,
    NodeKind.HELD: _held,
    NodeKind.COUNT: _count,
    NodeKind.COMPARE: _compare,
    NodeKind.RATE: _rate,
    NodeKind.DEVIATION: _deviation,
    NodeKind.WINDOW: _window,
    NodeKind.FROZEN: _frozen,
    NodeKind.NO_DATA: _no_data,
    NodeKind.OUTSIDE: _outside,
}


def _operand(operand: OperandDraft, names: Names, unit: str = "") -> str:
    match operand.kind:
        case OperandKind.PARAMETER:
            return names.parameter(operand.text, operand.device)
        case OperandKind.CONSTANT:
            return _with(operand.text.strip() or _GAP, unit)
        case OperandKind.EXPRESSION:
            return f"[{operand.text.strip() or _GAP}]"


def _unit(operand: OperandDraft, names: Names) -> str:
    return names.unit(operand.text, operand.device) if operand.kind is OperandKind.PARAMETER else ""


def _compared(node: NodeDraft) -> str:
    return comparison_name(Comparison(node.texts["comparison"]))


def _typed(node: NodeDraft, key: str) -> str:
    return node.texts.get(key, "").strip() or _GAP


def _with(text: str, unit: str) -> str:
    return f"{text} {unit}".strip()
