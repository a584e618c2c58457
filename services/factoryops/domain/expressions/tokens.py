"""Cuts the text of an expression into words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from factoryops.domain.errors import ExpressionError
from factoryops.domain.plant import KEY_LENGTH, is_key

LONGEST_TEXT: Final = 2_000
"""Characters of an expression, at most."""

_TOKEN: Final = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<name>[^\W\d]\w*)
  | (?P<quoted>"(?:[^"\\]|\\.)*")
  | (?P<sign><=|>=|!=|<>|==|[-+*/^()<>=,.])
    """,
    re.VERBOSE,
)
_SAME_AS: Final = {"==": "=", "<>": "!="}


class TokenKind(Enum):
    """What a word is."""

    NUMBER = auto()
    NAME = auto()
    QUOTED = auto()
    SIGN = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the text.

    Attributes:
        text: as written; of a quoted name, what the quotes hold.
        at: where it begins, in characters from 0.
    """

    kind: TokenKind
    text: str
    at: int

    def is_sign(self, *signs: str) -> bool:
        """Whether it is one of `signs`."""
        return self.kind is TokenKind.SIGN and self.text in signs


def tokens_of(text: str) -> list[Token]:
    """The words of a text and an END behind them; raises ExpressionError."""
    if len(text) > LONGEST_TEXT:
        raise ExpressionError(f"The expression is longer than {LONGEST_TEXT:,} characters: split it in two.", at=0)
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _not_understood(text, place)
        if match.lastgroup != "space":
            found.append(_token(match))
        place = match.end()
    return [*found, Token(TokenKind.END, "", len(text))]


def _token(match: re.Match[str]) -> Token:
    text, at = match.group(), match.start()
    match match.lastgroup:
        case "number":
            return Token(TokenKind.NUMBER, text, at)
        case "name":
            return Token(TokenKind.NAME, text, at)
        case "quoted":
            return Token(TokenKind.QUOTED, _unquoted(text, at), at)
        case _:
            return Token(TokenKind.SIGN, _SAME_AS.get(text, text), at)


def _unquoted(text: str, at: int) -> str:
    name = re.sub(r"\\(.)", r"\1", text[1:-1])
    if not is_key(name):
        raise ExpressionError(f"A quoted name has 1 to {KEY_LENGTH} printable characters.", at=at)
    return name


def _not_understood(text: str, place: int) -> ExpressionError:
    if text[place] == '"':
        return ExpressionError("A quotation mark is missing at the end of this name.", at=place)
    if text[place] == "'":
        return ExpressionError('Names stand in double quotation marks: "oil temperature".', at=place)
    return ExpressionError(f"{text[place]!r} means nothing here; names with such signs stand in quotes.", at=place)
