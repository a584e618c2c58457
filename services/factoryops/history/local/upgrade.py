"""Brings a file of version 1, which had no roll-ups and whose shared blocks named no series, up to today's."""

from __future__ import annotations

import time
from typing import Final

import apsw

from factoryops.history.local.blocks import ALL_SERIES, BlockHead, read_block
from factoryops.history.local.rollups import HOUR_US, INSERT, MINUTE_US, rolled_rows

SCHEMA: Final = "CREATE TABLE IF NOT EXISTS upkeep (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"

_BELOW: Final = "roll_up_below"
_BLOCKS_PER_TRANSACTION: Final = 50
_OWN_BELOW: Final = (
    "SELECT number, series, first_us, last_us, written, count FROM block WHERE number < ? AND series <> 0"
    " ORDER BY number DESC LIMIT ?"
)


def upgrade(connection: apsw.Connection) -> None:
    """Add what version 1 lacks; roll-ups follow by and by (`RollUpOld`). The caller holds a transaction."""
    columns = {row[1] for row in connection.execute("PRAGMA table_info(block)")}
    if not columns or "low" in columns:
        return
    connection.execute(f"ALTER TABLE block ADD COLUMN low INTEGER NOT NULL DEFAULT {ALL_SERIES[0]}")
    connection.execute(f"ALTER TABLE block ADD COLUMN high INTEGER NOT NULL DEFAULT {ALL_SERIES[1]}")
    connection.execute(SCHEMA)
    below = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM block").get
    connection.execute("INSERT OR REPLACE INTO upkeep VALUES (?, ?)", (_BELOW, below))


class RollUpOld:
    """Gives old blocks their roll-ups, newest first, in short transactions; until then queries read their samples."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        row = connection.execute("SELECT value FROM upkeep WHERE name = ?", (_BELOW,)).fetchone()
        self._below = int(row[0]) if row else 0

    def run(self, *, budget_s: float) -> None:
        """Work for about `budget_s` at most."""
        deadline = time.monotonic() + budget_s
        while self._below and time.monotonic() < deadline:
            self._step()

    def _step(self) -> None:
        rows = list(self._connection.execute(_OWN_BELOW, (self._below, _BLOCKS_PER_TRANSACTION)))
        with self._connection:
            for row in rows:
                self._roll_up(BlockHead(*row))
            self._below = int(rows[-1][0]) if rows else 0
            self._connection.execute("UPDATE upkeep SET value = ? WHERE name = ?", (self._below, _BELOW))

    def _roll_up(self, head: BlockHead) -> None:
        is_there = self._connection.execute("SELECT 1 FROM rollup WHERE number = ?", (head.number,)).fetchone()
        samples = read_block(self._connection, head)
        if is_there is None and len(samples):
            rows = [rolled_rows(samples, width_us) for width_us in (HOUR_US, MINUTE_US)]
            span = head.first_us, head.last_us
            self._connection.execute(INSERT, (head.number, head.series, *span, head.count, *rows))
