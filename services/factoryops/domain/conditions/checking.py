"""Whether a condition can be evaluated, and what it speaks of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from factoryops.domain.conditions.tree import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Constant,
    Count,
    Deviation,
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
    children,
    walk,
)
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.expressions.checking import is_timed
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.tree import Call, Reference
from factoryops.domain.expressions.tree import walk as walk_expression
from factoryops.domain.plant import is_key

MOST_NODES: Final = 1_000
MOST_LEVELS: Final = 64
MOST_SERIES: Final = 500
MOST_COSTLY_NODES: Final = 100
"""Of those that are more than groups and comparisons of newest values."""

MOST_COSTLY_SERIES: Final = 20
"""Of the parameters that those look at."""
MOST_PARTS: Final = 1_000
"""With those of its expressions."""

MOST_LOOKS_BACK: Final = 50
"""Windows, rates and deviations, in expressions or not."""

LONGEST_S: Final = 86_400.0
"""Windows, holding times and maximum ages, at most."""


def to_json(condition: Condition) -> str:
    """How a condition is stored and sent."""
    return msgspec.json.encode(condition).decode()


def from_json(text: str | bytes) -> Condition:
    """The condition of its JSON; raises InvalidInputError saying where it is not understood."""
    try:
        read: Condition = msgspec.json.decode(text, type=Condition)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _fault(f"The condition is not understood: {error}.") from error
    return read


def from_builtins(value: object) -> Condition:
    """The condition of JSON that was read already; raises InvalidInputError saying where it is not understood."""
    try:
        read: Condition = msgspec.convert(value, type=Condition)
    except (msgspec.ValidationError, RecursionError) as error:
        raise _fault(f"The condition is not understood: {error}.") from error
    return read


def check(condition: Condition) -> None:
    """Raise InvalidInputError unless it can be evaluated."""
    if _levels(condition) > MOST_LEVELS:
        raise _fault(f"The condition is nested more than {MOST_LEVELS} levels deep.")
    nodes = list(walk(condition))
    if len(nodes) > MOST_NODES:
        raise _fault(f"The condition has more than {MOST_NODES:,} parts.")
    for node in nodes:
        _check_node(node)
    _check_costs(nodes)
    if len(references(condition)) > MOST_SERIES:
        raise _fault(f"The condition speaks of more than {MOST_SERIES} parameters.")
    _check_costly([node for node in nodes if not _is_plain(node)])


def _check_costly(nodes: list[Condition]) -> None:
    if len(nodes) > MOST_COSTLY_NODES:
        raise _fault(
            f"The condition has more than {MOST_COSTLY_NODES} parts that are no plain comparisons: windows, rates, "
            "expressions, durations, counts, schedules and the like."
        )
    if len({one for node in nodes for one in _references_of(node)}) > MOST_COSTLY_SERIES:
        raise _fault(
            f"The condition looks at more than {MOST_COSTLY_SERIES} parameters by windows, rates, expressions and the "
            "like; plain comparisons may look at more."
        )


def _is_plain(node: Condition) -> bool:
    """Whether it costs next to nothing: a group, or a comparison of newest values and numbers."""
    match node:
        case AllOf() | AnyOf() | Not():
            return True
        case Compare():
            return not any(isinstance(one, Expression) for one in operands(node))
        case _:
            return False


def _check_costs(nodes: Sequence[Condition]) -> None:
    """Each part is cheap; what is not is to have very many of them, in expressions that each may be long."""
    texts = [one.text for node in nodes for one in operands(node) if isinstance(one, Expression)]
    within = [part for text in texts for part in walk_expression(Formula.of(text).tree)]
    if len(nodes) + len(within) > MOST_PARTS:
        raise _fault(f"The condition and its expressions have more than {MOST_PARTS:,} parts together.")
    looks = sum(isinstance(one, Rate | Window | Deviation) for one in nodes)
    looks += sum(isinstance(one, Call) and is_timed(one) for one in within)
    if looks > MOST_LOOKS_BACK:
        raise _fault(f"The condition looks at earlier values in {looks} places; {MOST_LOOKS_BACK} are allowed.")


def operands(leaf: Condition) -> tuple[Operand, ...]:
    """What a leaf looks at."""
    match leaf:
        case Compare():
            return (leaf.left, leaf.right)
        case Rate() | Deviation() | Window() | Frozen():
            return (leaf.of,)
        case NoData():
            return () if leaf.of is None else (leaf.of,)
        case _:
            return ()


def references(condition: Condition) -> tuple[Reference, ...]:
    """The parameters it speaks of, each once, in its order; a device of "" is the rule's own."""
    return tuple(dict.fromkeys(_all_references(condition)))


def _all_references(condition: Condition) -> Iterator[Reference]:
    return (one for node in walk(condition) for one in _references_of(node))


def _references_of(leaf: Condition) -> Iterator[Reference]:
    for operand in operands(leaf):
        match operand:
            case Parameter():
                yield Reference(operand.key, operand.device)
            case Expression():
                yield from Formula.of(operand.text).references


def is_about_own_device(condition: Condition) -> bool:
    """Whether it looks at the device it is evaluated for at all."""
    silent = any(isinstance(node, NoData) and node.of is None for node in walk(condition))
    return silent or any(not one.device for one in references(condition))


def own_parameters(condition: Condition) -> frozenset[str]:
    """The keys of the parameters it looks at on the device it is evaluated for."""
    return frozenset(one.parameter for one in references(condition) if not one.device)


def _levels(condition: Condition) -> int:
    deepest, level = [condition], 0
    while deepest and level <= MOST_LEVELS:
        deepest = [child for node in deepest for child in children(node)]
        level += 1
    return level


def _check_node(node: Condition) -> None:
    for operand in operands(node):
        _check_operand(operand)
    match node:
        case AllOf() | AnyOf() if not node.of:
            raise _fault("A group needs at least one part.")
        case Held() | NoData():
            _check_span(node.for_s)
        case Frozen():
            _check_frozen(node)
        case Count():
            _check_count(node)
        case Compare():
            _check_compare(node)
        case Rate() | Window() | Deviation():
            _check_window(node)
        case Outside():
            node.schedule.check()


def _check_count(node: Count) -> None:
    _check_span(node.window_s)
    if not 1 <= node.at_least <= 1_000:
        raise _fault("A count must be from 1 to 1,000.")


def _check_frozen(node: Frozen) -> None:
    _check_span(node.for_s)
    if not (math.isfinite(node.tolerance) and node.tolerance >= 0):
        raise _fault("A tolerance must be zero or more.")


def _check_operand(operand: Operand) -> None:
    match operand:
        case Constant():
            if not math.isfinite(operand.value):
                raise _fault("A limit must be a number.")
        case Parameter():
            if not is_key(operand.key) or (operand.device and not is_key(operand.device)):
                raise _fault("Choose a parameter: its key has 1 to 100 printable characters.")
        case Expression():
            Formula.of(operand.text)


def _check_compare(node: Compare) -> None:
    if isinstance(node.left, Constant) and isinstance(node.right, Constant):
        raise _fault("A comparison must look at a parameter.")
    _check_deadband(node.deadband, is_ordered=node.comparison.is_ordered)
    _check_span(node.maximum_age_s)


def _check_window(node: Rate | Window | Deviation) -> None:
    is_ordered = isinstance(node, Deviation) or node.comparison.is_ordered
    if not is_ordered:
        raise _fault("A rate or a window is compared as above or below a limit.")
    if not math.isfinite(node.limit):
        raise _fault("A limit must be a number.")
    _check_deadband(node.deadband, is_ordered=True)
    _check_span(node.window_s)
    _check_span(node.maximum_age_s)


def _check_deadband(deadband: float, *, is_ordered: bool) -> None:
    if not math.isfinite(deadband) or deadband < 0:
        raise _fault("A deadband must be zero or more.")
    if deadband and not is_ordered:
        raise _fault("A deadband makes no sense for 'equal' and 'not equal'.")


def _check_span(seconds: float) -> None:
    if not math.isfinite(seconds) or not 0 < seconds <= LONGEST_S:
        raise _fault("A time must be longer than 0 s and at most 24 h.")


def _fault(sentence: str) -> InvalidInputError:
    return InvalidInputError(sentence, fields={"condition": sentence})
