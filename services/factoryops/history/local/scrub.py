"""Looks at every block now and then, so that damage is reported with its span before anybody asks for it."""

from __future__ import annotations

import logging
import time
import zlib
from typing import Final

import apsw

from factoryops.history.books import ADD_GAP
from factoryops.journal.records import NEVER_TOLD

logger = logging.getLogger(__name__)

_BLOCKS_AT_ONCE: Final = 20
_REST_S: Final = 86_400.0
_NEXT: Final = (
    "SELECT number, series, first_us, last_us, count, crc, data FROM block WHERE number > ? ORDER BY number LIMIT ?"
)


class Scrub:
    """Goes through the blocks from the oldest on, rests for a day, and begins again."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._after = 0
        self._begin_at = 0.0

    def run(self, *, budget_s: float) -> None:
        """Work for about `budget_s` at most."""
        deadline = time.monotonic() + budget_s
        while self._begin_at <= time.monotonic() < deadline:
            rows = list(self._connection.execute(_NEXT, (self._after, _BLOCKS_AT_ONCE)))
            for row in rows:
                if zlib.crc32(row[6]) != row[5]:
                    self._report(row[1], row[2], row[3], row[4])
            self._after = int(rows[-1][0]) if rows else 0
            if not rows:
                self._begin_at = time.monotonic() + _REST_S

    def _report(self, series: int, first_us: int, last_us: int, count: int) -> None:
        row = self._connection.execute("SELECT factory FROM series WHERE id = ?", (series,)).fetchone()
        reason = f"A block of the history file is damaged: {count} samples of this span cannot be read."
        logger.warning("%s", reason)
        self._connection.execute(ADD_GAP, (first_us, last_us, str(row[0]) if row else "", reason, NEVER_TOLD))
