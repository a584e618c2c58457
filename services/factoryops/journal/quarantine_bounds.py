"""How much is kept of what could not be accepted: bounded for all factories together, and whoever holds most gives way.

A factory whose devices flood the quarantine pushes out its own messages, not those that another has not looked at yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import apsw

from factoryops.journal.records import QuarantinedMessage

MOST_MESSAGES: Final = 20_000
"""Quarantined messages kept; the ledger counts those that went as well."""
MOST_BYTES: Final = 256 << 20
"""Bytes of payloads and topics kept, bounded likewise."""
_AT_ONCE: Final = 200
_SIZES: Final = "SELECT factory, count(*), sum(length(payload) + length(topic)) FROM quarantine GROUP BY factory"
_OLDEST: Final = (
    "SELECT number, length(payload) + length(topic) FROM quarantine WHERE factory = ? ORDER BY number LIMIT ?"
)
_DELETE: Final = "DELETE FROM quarantine WHERE factory = ? AND number <= ?"


class QuarantineBounds:
    """Counts what each factory's messages take, from the file at first and from what is written afterwards."""

    def __init__(self, connection: apsw.Connection) -> None:
        """Count what is there; `connection` is the one that writes the journal."""
        self._connection = connection
        self._messages: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        for factory, count, size_bytes in connection.execute(_SIZES):
            self._messages[factory], self._bytes[factory] = count, size_bytes

    def note(self, messages: Iterable[QuarantinedMessage]) -> None:
        """Count messages that have become durable."""
        for one in messages:
            self._messages[one.factory] += 1
            self._bytes[one.factory] += len(one.payload) + len(one.topic)

    def trim(self) -> None:
        """Delete the oldest messages of whoever holds most, until all are within the bounds; raises apsw.Error."""
        while self._messages.total() > MOST_MESSAGES:
            self._trim_some(self._messages.most_common(1)[0][0])
        while self._bytes.total() > MOST_BYTES:
            self._trim_some(self._bytes.most_common(1)[0][0])

    def _trim_some(self, factory: str) -> None:
        oldest: list[tuple[int, int]] = [*self._connection.execute(_OLDEST, (factory, _AT_ONCE))]
        if not oldest:
            del self._messages[factory], self._bytes[factory]
            return
        self._connection.execute(_DELETE, (factory, oldest[-1][0]))
        self._messages[factory] -= len(oldest)
        self._bytes[factory] -= sum(size_bytes for _, size_bytes in oldest)
