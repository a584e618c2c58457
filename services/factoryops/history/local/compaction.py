"""Turns the many small shared blocks of recent seals into large blocks of one series each.

Works in short transactions, a few series at a time. The shared blocks stay until every series has been carried over;
until then its samples are there twice and count once, so it may be interrupted anywhere and begun anew.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import apsw
import numpy as np

from factoryops.domain.samples import SampleColumns
from factoryops.history.books import ADD_GAP
from factoryops.history.local.blocks import (
    DAY_US,
    FULL_BLOCK,
    SHARED,
    BlockHead,
    Piece,
    SharedBlocks,
    find_blocks,
    insert_series,
    merge_pieces,
    piece_of,
    read_block,
)
from factoryops.history.merging import only_series

WORTH_BLOCKS: Final = 48
WORTH_SAMPLES: Final = 500_000
"""Compaction starts when so much has gathered in shared blocks."""

_MOST_SAMPLES: Final = 2_000_000
_SERIES_PER_TRANSACTION: Final = 50
_FREED_PAGES: Final = 500


class _Work:
    """The shared blocks of one day, oldest first, on their way into blocks of one series each."""

    def __init__(self, heads: Sequence[BlockHead], pieces: Sequence[Piece]) -> None:
        self.heads = heads
        self.written = heads[-1].written
        self.day_us = heads[0].first_us - heads[0].first_us % DAY_US
        self.pieces = pieces
        self.series: list[int] = np.unique(np.concatenate([piece.samples.series for piece in pieces])).tolist()


class Compaction:
    """Compacts through the store's writing connection; call it between seals, on their thread."""

    def __init__(self, connection: apsw.Connection, shared: SharedBlocks) -> None:
        self._connection = connection
        self._shared = shared
        self._work: _Work | None = None

    def run(self, *, budget_s: float) -> int:
        """Work for about `budget_s` at most; returns how many shared blocks are left."""
        deadline = time.monotonic() + budget_s
        while time.monotonic() < deadline:
            if self._work is None and not self._begin():
                break
            self._step()
        return int(self._connection.execute("SELECT count(*) FROM block WHERE series = 0").get)

    def _begin(self) -> bool:
        blocks, samples = self._connection.execute(
            "SELECT count(*), coalesce(sum(count), 0) FROM block WHERE series = 0"
        ).get
        if blocks < WORTH_BLOCKS and samples < WORTH_SAMPLES:
            return False
        heads = self._oldest_of_one_day()
        pieces = [Piece((head.written, head.number), self._read(head)) for head in heads]
        pieces = [piece for piece in pieces if len(piece.samples)]
        if pieces:
            self._work = _Work(heads, pieces)
        else:
            self._delete(heads)
        return True

    def _read(self, head: BlockHead) -> SampleColumns:
        """The samples of a block; of a damaged one none, and a gap says so, for it will not be there any more."""
        if head.series == SHARED:
            samples = self._shared.read(self._connection, head)
        else:
            samples = read_block(self._connection, head)
        if len(samples) != head.count:
            reason = f"A block of the history file was damaged: {head.count} samples of this span are lost."
            factory = self._factory_of(head.series)
            self._connection.execute(ADD_GAP, (head.first_us, head.last_us, factory, reason))
        return samples

    def _factory_of(self, series: int) -> str:
        row = self._connection.execute("SELECT factory FROM series WHERE id = ?", (series,)).fetchone()
        return str(row[0]) if row else ""

    def _oldest_of_one_day(self) -> list[BlockHead]:
        first_us = self._connection.execute(
            "SELECT first_us FROM block WHERE series = 0 ORDER BY written, number LIMIT 1"
        ).get
        day_us = first_us - first_us % DAY_US
        heads = find_blocks(self._connection, SHARED, day_us, day_us + DAY_US)
        heads.sort(key=lambda head: (head.written, head.number))
        total = np.cumsum([head.count for head in heads])
        return heads[: max(1, int(np.searchsorted(total, _MOST_SAMPLES, "right")))]

    def _step(self) -> None:
        work = self._work
        if work is None:
            return
        chosen = work.series[:_SERIES_PER_TRANSACTION]
        is_last = len(chosen) == len(work.series)
        with self._connection:
            for series in chosen:
                self._carry_over(work, series)
            if is_last:
                self._delete(work.heads)
        del work.series[:_SERIES_PER_TRANSACTION]
        if is_last:
            self._work = None
            # Each step of the statement frees one page: it must be read to its end.
            self._connection.execute(f"PRAGMA incremental_vacuum({_FREED_PAGES})").fetchall()

    def _carry_over(self, work: _Work, series: int) -> None:
        """Merge one series' samples with the own blocks they overlap, and with the day's last one if it has room."""
        pieces = [Piece(piece.order, only_series(piece.samples, series)) for piece in work.pieces]
        times = [piece.samples.time_us for piece in pieces if len(piece.samples)]
        span = (min(int(one[0]) for one in times), max(int(one[-1]) for one in times))
        own = [
            head
            for head in find_blocks(self._connection, series, work.day_us, work.day_us + DAY_US)
            if head.written <= work.written
        ]
        joined = _that_join(own, span)
        pieces += [piece_of(head, self._read(head), series) for head in joined]
        insert_series(self._connection, merge_pieces(pieces), series=series, written=work.written)
        self._delete(joined)

    def _delete(self, heads: Sequence[BlockHead]) -> None:
        self._connection.executemany("DELETE FROM block WHERE number = ?", [(head.number,) for head in heads])


def _that_join(own: Sequence[BlockHead], span: tuple[int, int]) -> list[BlockHead]:
    """The blocks to merge with samples of `span`: all that overlap, also by way of one another, and an unfilled last.

    Every block that overlaps must take part: what is written anew counts as younger than all of them.
    """
    first_us, last_us = span
    before = [head for head in own if head.last_us < first_us]
    newest = max(before, key=lambda head: head.last_us, default=None)
    if newest is not None and newest.count < FULL_BLOCK:
        first_us = newest.first_us
    joined: list[BlockHead] = []
    rest = list(own)
    while touching := [head for head in rest if head.first_us <= last_us and head.last_us >= first_us]:
        joined += touching
        rest = [head for head in rest if head not in touching]
        first_us = min(first_us, *(head.first_us for head in touching))
        last_us = max(last_us, *(head.last_us for head in touching))
    return joined
