"""The alarm history of a span, read so that nobody who writes has to wait for it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from factoryops.database.database import Database
from factoryops.database.performance import Place, Portion
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import Scope
from factoryops.domain.performance.history import HistoryLine

MOST_EVENTS: Final = 1_000_000
"""Events of one question: about 300 MB while it is answered."""


def read_alarm_history(
    database: Database, scope: Scope, span: tuple[int, int], *, without_rule: str = ""
) -> list[HistoryLine]:
    """Events of [start, end) and the raise of whatever was active when the span began, but for those of a rule.

    Each portion is a transaction of its own: in SQLite nothing can be committed while somebody reads.

    Raises:
        InvalidInputError: these are too many.
        UnavailableError: the database is away.
    """
    lines: list[HistoryLine] = []
    for portion in _portions(database, scope, span, without_rule):
        lines += portion
        if len(lines) > MOST_EVENTS:
            raise InvalidInputError(
                f"The span holds more than {MOST_EVENTS:,} alarm events: ask for a shorter one.",
                fields={"start": "too early"},
            )
    begun = database.read(
        lambda tx: tx.alarm_performance(scope).begun_before(lines, span[0], without_rule=without_rule)
    )
    return [*begun, *lines]


def _portions(
    database: Database, scope: Scope, span: tuple[int, int], without_rule: str
) -> Iterator[list[HistoryLine]]:
    place: Place | None = None
    while True:
        lines, place = database.read(partial(_portion, scope, span, place, without_rule))
        yield lines
        if place is None:
            return


def _portion(scope: Scope, span: tuple[int, int], after: Place | None, without_rule: str, tx: Transaction) -> Portion:
    return tx.alarm_performance(scope).portion(span, after, without_rule=without_rule)
