"""Gives up old samples, minutes and hours, a few series at a time, and the disk's space with them.

A day's samples go only together with the writing of that day's roll-ups as one row, in one transaction. The ledger
counts what went: stored = kept + expired.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import apsw

from factoryops.domain.retention import Cutoffs, RetentionPlan
from factoryops.domain.samples import SeriesKey
from factoryops.domain.summaries import combine
from factoryops.history.books import EXPIRED, add_to_ledger
from factoryops.history.local.binning import SeriesView, binned_view
from factoryops.history.local.blocks import (
    DAY_US,
    BlockHead,
    Piece,
    SharedBlocks,
    delete_blocks,
    find_blocks,
    find_shared,
)
from factoryops.history.local.rollups import HOUR_US, INSERT, MINUTE_US, encode_rows

_STEP_S: Final = 0.03
"""A transaction takes about so long, one series' day at least; sealing waits no longer than that."""

_FREED_PAGES: Final = 200
_SERIES_AT_ONCE: Final = 500
_NEXT_SERIES: Final = (
    "SELECT id, factory, device, parameter, (SELECT min(first_us) FROM block WHERE block.series = series.id),"
    " (SELECT min(first_us) FROM rollup WHERE rollup.series = series.id) FROM series WHERE id > ? ORDER BY id LIMIT ?"
)
_OLDEST: Final = "SELECT min(first_us) FROM block WHERE series = ? AND first_us >= ?"
_OF_DAY: Final = "SELECT number, count FROM rollup WHERE series = ? AND first_us >= ? AND first_us < ?"
_OLD_ROLLUPS: Final = (
    "SELECT number FROM rollup WHERE series = ? AND first_us < ? AND length(minutes) > 0"
    " AND NOT EXISTS (SELECT 1 FROM block WHERE block.number = rollup.number)"
)
_OLD_HOURS: Final = (
    "SELECT number FROM rollup WHERE series = ? AND first_us < ?"
    " AND NOT EXISTS (SELECT 1 FROM block WHERE block.number = rollup.number)"
)


class _Oldest(NamedTuple):
    """How far back one series reaches; None where there is nothing.

    Attributes:
        sample_us / rolled_us: of its samples, of its roll-ups.
    """

    series: int
    factory: str
    device: str
    parameter: str
    sample_us: int | None
    rolled_us: int | None

    @property
    def key(self) -> SeriesKey:
        """Its key."""
        return SeriesKey(self.factory, self.device, self.parameter)


class Retention:
    """Works through all series again and again; call it between seals, on their thread."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._after = 0
        self._asked: tuple[RetentionPlan, int] | None = None

    def run(self, plan: RetentionPlan, now_us: int, *, budget_s: float) -> bool:
        """Work for about `budget_s`; returns whether every series has been looked at by this plan and on this day."""
        asked = plan, now_us // DAY_US
        if asked != self._asked:
            self._asked, self._after = asked, 0
        deadline = time.monotonic() + budget_s
        while time.monotonic() < deadline:
            if not self._step(plan, now_us):
                return self._give_back(deadline)
        return False

    def _give_back(self, deadline: float) -> bool:
        """Give the disk its space back; False when the time was over before all of it was."""
        while self._connection.pragma("freelist_count"):
            self._connection.execute(f"PRAGMA incremental_vacuum({_FREED_PAGES})").fetchall()
            if time.monotonic() >= deadline:
                return False
        self._after = 0
        return True

    def _step(self, plan: RetentionPlan, now_us: int) -> bool:
        """One transaction's worth; False when no series is left."""
        end = time.monotonic() + _STEP_S
        with self._connection:
            rows: list[Any] = self._connection.execute(_NEXT_SERIES, (self._after, _SERIES_AT_ONCE)).fetchall()
            for row in rows:
                found = _Oldest(*row)
                cutoffs = plan.keep(found.key).cutoffs_us(now_us)
                if not self._retire_days(found, cutoffs.raw_us, end):
                    return True
                if found.rolled_us is not None and found.rolled_us < max(cutoffs.minutes_us, cutoffs.hours_us):
                    self._thin(found.series, cutoffs)
                self._after = found.series
                if time.monotonic() >= end:
                    return True
        return bool(rows)

    def _retire_days(self, found: _Oldest, before_us: int, end: float) -> bool:
        """Retire days while their samples are due; False when the time was over before all were.

        A day of which samples still wait in shared blocks is left for another time: compaction may have carried them
        over already, and they would count again.
        """
        oldest_us = found.sample_us
        while oldest_us is not None and oldest_us < before_us:
            day = oldest_us - oldest_us % DAY_US, oldest_us - oldest_us % DAY_US + DAY_US
            if not find_shared(self._connection, *day, (found.series, found.series)):
                self._retire(found.series, day, find_blocks(self._connection, found.series, *day))
                if time.monotonic() >= end:
                    return False
            oldest_us = self._connection.execute(_OLDEST, (found.series, day[1])).get
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
    """Own blocks alone: a day that is retired has nothing in shared ones."""

    def waiting(self, span: tuple[int, int]) -> list[Piece]:
        """Nothing."""
        return []
