"""Gives up old samples, minutes and hours, a few series at a time, and the disk's space with them.

A day's samples go only together with the writing of that day's roll-ups as one row, in one transaction. The ledger
counts what went: stored = kept + expired.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import apsw

from factoryops.domain.retention import Cutoffs, RetentionPlan
from factoryops.domain.samples import SeriesKey
from factoryops.domain.summaries import combine
from factoryops.history.books import EXPIRED, add_to_ledger
from factoryops.history.local.binning import SeriesView, binned_view
from factoryops.history.local.blocks import DAY_US, BlockHead, Piece, SharedBlocks, delete_blocks, find_blocks
from factoryops.history.local.rollups import HOUR_US, INSERT, MINUTE_US, encode_rows

_STEP_S: Final = 0.03
"""A transaction takes about so long, one series' day at least; sealing waits no longer than that."""

_FREED_PAGES: Final = 2_000
_OF_DAY: Final = "SELECT number, count FROM rollup WHERE series = ? AND first_us >= ? AND first_us < ?"
_OLD_ROLLUPS: Final = (
    "SELECT number FROM rollup WHERE series = ? AND first_us < ? AND length(minutes) > 0"
    " AND NOT EXISTS (SELECT 1 FROM block WHERE block.number = rollup.number)"
)
_OLD_HOURS: Final = (
    "SELECT number FROM rollup WHERE series = ? AND first_us < ?"
    " AND NOT EXISTS (SELECT 1 FROM block WHERE block.number = rollup.number)"
)


class Retention:
    """Works through all series again and again; call it between seals, on their thread."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._after = 0

    def run(self, plan: RetentionPlan, now_us: int, *, budget_s: float) -> bool:
        """Work for about `budget_s`; returns whether every series has been looked at since the last time it was so."""
        deadline = time.monotonic() + budget_s
        while time.monotonic() < deadline:
            if not self._step(plan, now_us):
                self._after = 0
                self._connection.execute(f"PRAGMA incremental_vacuum({_FREED_PAGES})").fetchall()
                return True
        return False

    def _step(self, plan: RetentionPlan, now_us: int) -> bool:
        """One transaction's worth; False when no series is left."""
        end = time.monotonic() + _STEP_S
        with self._connection:
            while time.monotonic() < end:
                row = self._connection.execute(
                    "SELECT id, factory, device, parameter FROM series WHERE id > ? ORDER BY id LIMIT 1", (self._after,)
                ).fetchone()
                if row is None:
                    return False
                series, cutoffs = int(row[0]), plan.keep(SeriesKey(*row[1:])).cutoffs_us(now_us)
                if not self._retire_oldest_day(series, cutoffs):
                    self._thin(series, cutoffs)
                    self._after = series
        return True

    def _retire_oldest_day(self, series: int, cutoffs: Cutoffs) -> bool:
        """Turn the oldest day whose samples are due into one row of roll-ups; False when none is due."""
        oldest = self._connection.execute(
            "SELECT min(first_us) FROM block WHERE series = ? AND first_us < ?", (series, cutoffs.raw_us)
        ).get
        if oldest is None:
            return False
        day_us = oldest - oldest % DAY_US
        heads = find_blocks(self._connection, series, day_us, day_us + DAY_US)
        self._retire(series, (day_us, day_us + DAY_US), heads)
        return True

    def _retire(self, series: int, day: tuple[int, int], heads: Sequence[BlockHead]) -> None:
        view = _OwnOnly(self._connection, SharedBlocks(), series, 0)
        minutes = binned_view(view, day, MINUTE_US)
        delete_blocks(self._connection, heads)
        earlier = list(self._connection.execute(_OF_DAY, (series, *day)))
        self._connection.executemany("DELETE FROM rollup WHERE number = ?", [row[:1] for row in earlier])
        if minutes is None:
            return
        add_to_ledger(self._connection, {EXPIRED: int(minutes.count.sum()) - sum(row[1] for row in earlier)})
        number = max(head.number for head in heads)
        span = int(minutes.first_us.min()), int(minutes.last_us.max())
        rows = encode_rows(combine([minutes], HOUR_US)), encode_rows(minutes)
        self._connection.execute(INSERT, (number, series, *span, int(minutes.count.sum()), *rows))

    def _thin(self, series: int, cutoffs: Cutoffs) -> None:
        """Give up minutes and hours that are due."""
        old = list(self._connection.execute(_OLD_ROLLUPS, (series, cutoffs.minutes_us)))
        self._connection.executemany("UPDATE rollup SET minutes = x'' WHERE number = ?", old)
        old = list(self._connection.execute(_OLD_HOURS, (series, cutoffs.hours_us)))
        self._connection.executemany("DELETE FROM rollup WHERE number = ?", old)


class _OwnOnly(SeriesView):
    """Own blocks alone: what waits in shared ones is retired when compaction has carried it over."""

    def waiting(self, span: tuple[int, int]) -> list[Piece]:
        """Nothing."""
        return []
