"""The second line of defence between factories: a statement that forgot its factory never reaches the database.

The first line are the repositories, which take a `Scope` and add the factory themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter

EVERY_FACTORY: Final = "every_factory"


class UnscopedStatementError(AssertionError):
    """A fault of ours: a statement on a factory's table without its factory."""


def check_scoped(statement: sa.sql.ClauseElement) -> None:
    """Raise UnscopedStatementError unless every factory table in the statement is tied to one factory."""
    if isinstance(statement, sa.Insert) or not isinstance(statement, sa.Select | sa.Update | sa.Delete):
        return
    used: set[Any] = set()
    tied: set[Any] = set()
    links: list[tuple[Any, Any]] = []
    for element in visitors.iterate(statement):
        if isinstance(element, sa.Table) and "factory_id" in element.c:
            used.add(element)
        elif isinstance(element, BinaryExpression) and element.operator is operators.eq:
            _note(element, tied, links)
    _spread(tied, links)
    if not used <= tied:
        names = ", ".join(sorted(table.name for table in used - tied))
        raise UnscopedStatementError(f"a statement on {names} names no factory")


def _note(comparison: BinaryExpression[Any], tied: set[Any], links: list[tuple[Any, Any]]) -> None:
    left, right = comparison.left, comparison.right
    if not _is_factory(left):
        return
    if isinstance(right, BindParameter):
        tied.add(left.table)
    elif _is_factory(right):
        links.append((left.table, right.table))


def _is_factory(side: Any) -> bool:
    return isinstance(side, sa.Column) and side.name == "factory_id"


def _spread(tied: set[Any], links: list[tuple[Any, Any]]) -> None:
    """A table joined on the factory of a tied table is tied too."""
    grown = True
    while grown:
        size = len(tied)
        for one, other in links:
            if one in tied or other in tied:
                tied.update((one, other))
        grown = len(tied) > size


def watch(engine: sa.Engine) -> None:
    """Check every statement of `engine`, but those that say they are meant for every factory."""

    def before_execute(
        _connection: sa.Connection,
        statement: sa.sql.ClauseElement,
        _many: object,
        _single: object,
        options: Mapping[str, object],
    ) -> None:
        if not options.get(EVERY_FACTORY, False):
            check_scoped(statement)

    event.listen(engine, "before_execute", before_execute)
