"""From text to tree: a Pratt parser, bounded in depth and size."""

from __future__ import annotations

import math
from typing import Final

from factoryops.domain.errors import ExpressionError
from factoryops.domain.expressions.tokens import Token, TokenKind, tokens_of
from factoryops.domain.expressions.tree import (
    ARITHMETIC,
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
)
from factoryops.domain.time import US_PER_S

DEEPEST: Final = 32
MOST_NODES: Final = 200

UNITS_US: Final = {
    "d": 86_400 * US_PER_S, "h": 3_600 * US_PER_S, "min": 60 * US_PER_S, "s": US_PER_S, "ms": US_PER_S // 1_000,
}  # fmt: skip
"""The words that may follow a number to make it a length of time, longest first."""

POWERS: Final = {"or": 1, "and": 2} | dict.fromkeys(COMPARISONS, 4) | {"+": 5, "-": 5, "*": 6, "/": 6, "^": 8}
"""How tightly each operator between two operands binds."""
PREFIX_POWERS: Final = {"not": 3, "-": 7}

KEYWORDS: Final = ("and", "or", "not", "true", "false")
_OPERATORS: Final = frozenset({*COMPARISONS, *ARITHMETIC, *LOGIC})


def parse(text: str) -> Node:
    """The tree of an expression.

    Raises:
        ExpressionError: it cannot be understood, or is too large; says where.
    """
    return _Parser(tokens_of(text)).whole()


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0
        self._nodes = 0

    def _peek(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._peek()
        self._place += 1
        return token

    def _made(self, node: Node) -> Node:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise ExpressionError("The expression has too many parts: calculate some of them apart.", at=node.at)
        return node

    def whole(self) -> Node:
        if self._peek().kind is TokenKind.END:
            raise ExpressionError("Write an expression, such as voltage * current.", at=0)
        node = self._expression(0)
        if self._peek().kind is not TokenKind.END:
            raise self._unexpected(self._peek())
        return node

    def _expression(self, power: int) -> Node:
        """What binds tighter than `power`, from here on."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError("The expression is nested too deeply: calculate its inner parts apart.",
                                  at=self._peek().at)  # fmt: skip
        left = self._operand()
        while (operator := self._operator()) is not None and POWERS[operator] > power:
            left = self._made(self._joined(left, operator))
        self._depth -= 1
        return left

    def _operator(self) -> str | None:
        token = self._peek()
        is_word = token.kind in {TokenKind.SIGN, TokenKind.NAME} and token.text in _OPERATORS
        return token.text if is_word else None

    def _joined(self, left: Node, operator: str) -> Node:
        token = self._take()
        # A power groups from the right, everything else from the left; comparisons do not chain.
        right = self._expression(POWERS[operator] - (operator == "^"))
        if operator in COMPARISONS and self._operator() in COMPARISONS:
            raise ExpressionError("Compare two values at a time: low < x and x < high.", at=self._peek().at)
        return Binary(operator, left, right, token.at)

    def _operand(self) -> Node:
        token = self._take()
        match token.kind:
            case TokenKind.NUMBER:
                return self._made(self._number(token))
            case TokenKind.QUOTED:
                return self._made(self._reference(token))
            case TokenKind.NAME:
                return self._named(token)
            case _:
                return self._signed(token)

    def _number(self, token: Token) -> Node:
        value = float(token.text)
        if not math.isfinite(value):
            raise ExpressionError("This number is too large.", at=token.at)
        follows = self._peek()
        if follows.kind is not TokenKind.NAME or follows.text in KEYWORDS:
            return Number(value, token.at)
        if follows.text not in UNITS_US:
            units = ", ".join(UNITS_US)
            raise ExpressionError(f"{follows.text!r} is no unit of time ({units}); did you mean *?", at=follows.at)
        self._take()
        return _duration(value, UNITS_US[follows.text], token.at)

    def _named(self, token: Token) -> Node:
        if token.text in ("true", "false"):
            return self._made(Truth(token.text == "true", token.at))
        if token.text == "not":
            return self._made(Unary("not", self._expression(PREFIX_POWERS["not"]), token.at))
        if token.text in KEYWORDS:
            raise self._unexpected(token)
        if self._peek().is_sign("("):
            return self._made(self._call(token))
        return self._made(self._reference(token))

    def _reference(self, token: Token) -> Node:
        if not self._peek().is_sign("."):
            return Reference(token.text, at=token.at)
        self._take()
        parameter = self._take()
        if parameter.kind not in {TokenKind.NAME, TokenKind.QUOTED}:
            raise ExpressionError("After the point comes a parameter: pump.pressure.", at=parameter.at)
        return Reference(parameter.text, token.text, token.at)

    def _call(self, name: Token) -> Node:
        self._take()
        arguments: list[Node] = []
        while not self._peek().is_sign(")"):
            arguments.append(self._expression(0))
            if not self._peek().is_sign(","):
                break
            self._take()
        self._close(name.at)
        return Call(name.text, tuple(arguments), name.at)

    def _signed(self, token: Token) -> Node:
        if token.is_sign("-"):
            return self._made(Unary("-", self._expression(PREFIX_POWERS["-"]), token.at))
        if token.is_sign("("):
            inner = self._expression(0)
            self._close(token.at)
            return inner
        raise self._unexpected(token)

    def _close(self, opened_at: int) -> None:
        if not self._peek().is_sign(")"):
            if self._peek().kind is TokenKind.END:
                raise ExpressionError("A closing parenthesis is missing for this.", at=opened_at)
            raise self._unexpected(self._peek())
        self._take()

    def _unexpected(self, token: Token) -> ExpressionError:
        if token.kind is TokenKind.END:
            return ExpressionError("The expression ends too early: something is missing here.", at=token.at)
        if token.kind in {TokenKind.NAME, TokenKind.QUOTED, TokenKind.NUMBER}:
            return ExpressionError(f"An operator such as + is missing before {token.text!r}; "
                                   "names with spaces stand in quotes.", at=token.at)  # fmt: skip
        return ExpressionError(f"{token.text!r} does not belong here.", at=token.at)


def _duration(amount: float, unit_us: int, at: int) -> Duration:
    least_us = UNITS_US["ms"]
    us = round(amount * unit_us / least_us) * least_us
    if us <= 0:
        raise ExpressionError("A length of time is at least 1 ms.", at=at)
    return Duration(us, at)
