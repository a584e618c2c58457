"""What became of quarantined messages: which of them were put into the history since."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from factoryops.database import tables
from factoryops.database.unit import Unit, portions
from factoryops.domain.identity import Scope


class QuarantineMarks:
    """Marks by (number, receive time), which together name a message even when the journal was made anew."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def replayed(self) -> dict[tuple[int, int], int]:
        """When each marked message was put into the history, in microseconds since 1970 (UTC)."""
        table = tables.quarantine_mark
        query = sa.select(table).where(table.c.factory_id == self._scope.factory_id)
        return {(row.number, row.received_us): row.replayed_us for row in self._unit.rows(query)}

    def mark(self, messages: Iterable[tuple[int, int]]) -> int:
        """Note that messages were put into the history; a second time changes nothing. Answers how many were new."""
        wanted = dict.fromkeys(messages)
        there = self._among({number for number, _ in wanted})
        new = [message for message in wanted if message not in there]
        for portion in portions(new):
            rows = [
                {
                    "factory_id": self._scope.factory_id,
                    "number": number,
                    "received_us": received_us,
                    "replayed_us": self._unit.now_us,
                }
                for number, received_us in portion
            ]
            self._unit.insert(tables.quarantine_mark, rows)
        return len(new)

    def _among(self, numbers: Iterable[int]) -> set[tuple[int, int]]:
        """The marked messages of these numbers."""
        table = tables.quarantine_mark
        query = sa.select(table.c.number, table.c.received_us).where(table.c.factory_id == self._scope.factory_id)
        return {
            (row.number, row.received_us)
            for portion in portions(numbers)
            for row in self._unit.rows(query.where(table.c.number.in_(portion)))
        }

    def forget_before(self, number: int) -> None:
        """Let go of marks of messages that the quarantine has dropped."""
        table = tables.quarantine_mark
        self._unit.write(
            sa.delete(table).where(table.c.factory_id == self._scope.factory_id, table.c.number < number)
        )  # fmt: skip
