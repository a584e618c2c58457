"""What units of work ask their database for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from factoryops.database.unit import Unit


class Read(NamedTuple):
    """One question, and how many rows answered it."""

    statement: str
    rows: int


@contextmanager
def reads() -> Iterator[list[Read]]:
    """Every question for rows that is asked meanwhile, in order."""
    asked: list[Read] = []
    really = Unit.rows

    def rows(unit: Unit, statement: sa.Select[Any], *, every_factory: bool = False) -> Sequence[sa.Row[Any]]:
        found = really(unit, statement, every_factory=every_factory)
        asked.append(Read(str(statement), len(found)))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Unit, "rows", rows)
        yield asked
