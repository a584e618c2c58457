"""What the repositories stand on: one connection inside one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from factoryops.database.guard import EVERY_FACTORY
from factoryops.database.tables import counter, factory_counter
from factoryops.domain.identity import FactoryId, new_id
from factoryops.domain.time import now_us

MOST_IN_ONE_STATEMENT: Final = 500
"""Values in one IN list or rows in one look-up: well under every limit on bound parameters."""


Item = TypeVar("Item")


class Unit:
    """One transaction.

    Attributes:
        id: random; recorded with the unit's writes where a commit's outcome can be unknown.
        now_us: the clock when the unit began.
        has_written: whether anything was changed.
    """

    def __init__(self, connection: sa.Connection, *, at_us: int | None = None, is_writable: bool = True) -> None:
        self._connection = connection
        self._is_writable = is_writable
        self.id = new_id()
        self.now_us = now_us() if at_us is None else at_us
        self.has_written = False
        self._kept: dict[object, Any] = {}

    def kept(self, key: object, make: Callable[[], Item]) -> Item:
        """What was made under a key before in this unit, or is made now: for what many changes look at."""
        if key not in self._kept:
            self._kept[key] = make()
        made: Item = self._kept[key]
        return made

    def held(self, key: object) -> object:
        """What was made under a key before in this unit; None where nothing was."""
        return self._kept.get(key)

    def rows(self, statement: sa.Select[Any], *, every_factory: bool = False) -> Sequence[sa.Row[Any]]:
        """All rows of a query."""
        return self._connection.execute(statement, execution_options={EVERY_FACTORY: every_factory}).fetchall()

    def row(self, statement: sa.Select[Any], *, every_factory: bool = False) -> sa.Row[Any] | None:
        """The first row of a query."""
        return self._connection.execute(statement, execution_options={EVERY_FACTORY: every_factory}).first()

    def value(self, statement: sa.Select[Any], *, every_factory: bool = False) -> Any:
        """The first column of the first row; None when there is no row."""
        found = self.row(statement, every_factory=every_factory)
        return None if found is None else found[0]

    def write(self, statement: sa.Insert | sa.Update | sa.Delete, *, every_factory: bool = False) -> int:
        """Change something; answers how many rows were meant (changed or not)."""
        self._begin_writing()
        return self._connection.execute(statement, execution_options={EVERY_FACTORY: every_factory}).rowcount

    def write_many(self, statement: sa.Update, rows: Sequence[dict[str, Any]]) -> None:
        """The same change once per row of parameters."""
        if rows:
            self._begin_writing()
            self._connection.execute(statement, list(rows))

    def insert(self, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
        """Add rows."""
        if rows:
            self._begin_writing()
            self._connection.execute(sa.insert(table), list(rows))

    def _begin_writing(self) -> None:
        if not self._is_writable:
            raise AssertionError("a reading unit of work tried to write")
        self.has_written = True

    def take_turn(self, factory_id: FactoryId) -> None:
        """Let nobody else change the factory until the end of the unit: what is looked at now still holds then.

        For checks over several rows, which no unique key and no version of a row guards.
        """
        counters = factory_counter
        self.row(sa.select(counters.c.factory_id).where(counters.c.factory_id == factory_id).with_for_update())

    def advance(self, name: str, by: int = 1) -> int:
        """Advance a counter of the installation and answer its new value.

        Its row stays locked until the end of the unit, so numbers become visible in their order.
        """
        self.write(sa.update(counter).where(counter.c.name == name).values(value=counter.c.value + by))
        return int(self.value(sa.select(counter.c.value).where(counter.c.name == name)))

    def counted(self, name: str) -> int:
        """The value of a counter."""
        return int(self.value(sa.select(counter.c.value).where(counter.c.name == name)) or 0)

    def plant_changed(self, factory_id: FactoryId) -> None:
        """Note that devices, parameters or rules of a factory changed."""
        table = factory_counter
        self.write(
            sa.update(table).where(table.c.factory_id == factory_id).values(plant_change=table.c.plant_change + 1)
        )


def portions(items: Iterable[Item]) -> Iterator[list[Item]]:
    """`items` in portions that fit into one statement."""
    rest = iter(items)
    while portion := list(islice(rest, MOST_IN_ONE_STATEMENT)):
        yield portion
