"""Whether the parts of an expression fit together."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from factoryops.domain.errors import ExpressionError
from factoryops.domain.expressions.functions import FUNCTIONS, LONGEST_WINDOW_US, Kind, Signature
from factoryops.domain.expressions.tree import (
    COMPARISONS,
    LOGIC,
    Binary,
    Call,
    Duration,
    Node,
    Number,
    Reference,
    Truth,
    Unary,
    references,
)

MOST_REFERENCES: Final = 20


def check(tree: Node) -> Kind:
    """What the expression yields: a number or a condition.

    Raises:
        ExpressionError: parts do not fit together; says which.
    """
    kind = _kind(tree)
    found = references(tree)
    if not found:
        raise ExpressionError("The expression names no parameter: there would never be a value.", at=0)
    if len(found) > MOST_REFERENCES:
        raise ExpressionError(f"The expression names more than {MOST_REFERENCES} parameters.", at=found[-1].at)
    return kind


def _kind(node: Node) -> Kind:
    match node:
        case Number() | Reference():
            return Kind.NUMBER
        case Truth():
            return Kind.CONDITION
        case Duration():
            raise ExpressionError("A length of time stands only in functions such as mean(x, 10 min).", at=node.at)
        case Unary():
            return _want(node.operand, Kind.CONDITION if node.operator == "not" else Kind.NUMBER)
        case Binary():
            return _binary(node)
        case Call():
            return _call(node)


def _binary(node: Binary) -> Kind:
    wanted = Kind.CONDITION if node.operator in LOGIC else Kind.NUMBER
    _want(node.left, wanted)
    _want(node.right, wanted)
    return Kind.CONDITION if node.operator in COMPARISONS else wanted


def _want(node: Node, wanted: Kind) -> Kind:
    """Check that a part is of the kind its place asks for; answers that kind."""
    if wanted is Kind.DURATION:
        return _window(node)
    kind = _kind(node)
    if kind is wanted or (isinstance(node, Reference) and wanted is Kind.CONDITION):
        return wanted
    if wanted is Kind.NUMBER:
        raise ExpressionError("A number is needed here, and this is a condition: use if(condition, 1, 0).", at=node.at)
    raise ExpressionError("A condition is needed here, such as x > 0.", at=node.at)


def _window(node: Node) -> Kind:
    if not isinstance(node, Duration):
        raise ExpressionError("A length of time is needed here, such as 10 min.", at=node.at)
    if node.us > LONGEST_WINDOW_US:
        raise ExpressionError("A window is at most 24 h long.", at=node.at)
    return Kind.DURATION


def _call(node: Call) -> Kind:
    function = FUNCTIONS.get(node.function)
    if function is None:
        raise _unknown(node)
    signature = function.timed if is_timed(node) else function.plain
    if signature is None or not signature.fits(len(node.arguments)):
        raise ExpressionError(f"It is written {function.usage}.", at=node.at)
    if is_timed(node) and not references(node.arguments[0]):
        raise ExpressionError("Earlier values are looked at here, and this names no parameter.", at=node.at)
    shared = _arguments(node, signature)
    return shared if function.yields is Kind.SAME else function.yields


def _arguments(node: Call, signature: Signature) -> Kind:
    """Check each argument; answers the kind that those of kind SAME share."""
    shared = Kind.NUMBER
    is_first = True
    for place, argument in enumerate(node.arguments):
        wanted = Kind.DURATION if is_timed(node) and place == 1 else signature.want(place)
        if wanted is not Kind.SAME:
            _want(argument, wanted)
        elif is_first:
            shared, is_first = _kind(argument), False
        else:
            _want(argument, shared)
    return shared


def is_timed(node: Call) -> bool:
    """Whether a call looks at earlier values: its function always does, or its second argument is a length of time."""
    function = FUNCTIONS[node.function]
    if function.timed is None:
        return False
    return function.plain is None or (len(node.arguments) == 2 and isinstance(node.arguments[1], Duration))


def _unknown(node: Call) -> ExpressionError:
    near = get_close_matches(node.function, FUNCTIONS, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return ExpressionError(f"There is no function {node.function!r}.{hint}", at=node.at)
