"""Turns the many small shared blocks of recent seals into large blocks of one series each, with their roll-ups.

Works in short transactions, a few series at a time. The shared blocks stay until every series has been carried over;
until then its samples are there twice and count once, so it may be interrupted anywhere and begun anew.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
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
    delete_blocks,
    find_blocks,
    find_shared,
    insert_own,
    merge_pieces,
    piece_of,
    read_block,
)
from factoryops.history.merging import only_series, runs
from factoryops.journal.records import NEVER_TOLD

WORTH_BLOCKS: Final = 48
WORTH_SAMPLES: Final = 500_000
_WORTH_PER_SERIES: Final = 1_000
"""Compaction starts when so many seals, or so many samples in all and of each series, have gathered in shared blocks.

Fewer samples per series would mean to write each of them more often on its way into a full block.
"""

_MOST_SAMPLES: Final = 20_000_000
_SERIES_PER_TRANSACTION: Final = 50
_FREED_PAGES: Final = 500
_JOIN_UP_TO: Final = 2
"""The day's last block is written anew when it is at most so many times what is added to it: block sizes double."""


@dataclass
class _Work:
    """The shared blocks of one day, oldest seal first, on their way into blocks of one series each.

    Attributes:
        after: series with ids up to here have been read.
        pending: samples that were read and not carried over yet, ordered by series and time.
    """

    heads: Sequence[BlockHead]
    after: int = 0
    pending: SampleColumns = field(default_factory=SampleColumns.empty)

    @property
    def written(self) -> int:
        return self.heads[-1].written

    @property
    def day_us(self) -> int:
        return self.heads[0].first_us - self.heads[0].first_us % DAY_US

    def next_window(self) -> tuple[int, list[BlockHead]] | None:
        """Up to which series to read next, and the blocks that may hold them; None when all have been read."""
        waiting = [head for head in self.heads if head.high > self.after]
        if not waiting:
            return None
        seals = len({head.written for head in waiting})
        up_to = sorted(head.high for head in waiting)[seals - 1]
        return up_to, [head for head in waiting if head.low <= up_to]


class Compaction:
    """Compacts through the store's writing connection; call it between seals, on their thread."""

    def __init__(self, connection: apsw.Connection, shared: SharedBlocks) -> None:
        self._connection = connection
        self._shared = shared
        self._work: _Work | None = None

    def run(self, *, budget_s: float) -> int:
        """Work for about `budget_s` at most; returns how many seals are left in shared blocks."""
        deadline = time.monotonic() + budget_s
        while time.monotonic() < deadline:
            if self._work is None and not self._begin():
                break
            self._step()
        return self._waiting()[0]

    def _begin(self) -> bool:
        if not self._is_worth_it():
            return False
        self._work = _Work(self._oldest_of_one_day())
        return True

    def _is_worth_it(self) -> bool:
        seals, samples = self._waiting()
        if seals >= WORTH_BLOCKS or samples < WORTH_SAMPLES:
            return bool(seals >= WORTH_BLOCKS)
        series = self._connection.execute("SELECT count(*) FROM series").get
        return bool(samples >= _WORTH_PER_SERIES * series)

    def _waiting(self) -> tuple[int, int]:
        """Seals and samples in shared blocks."""
        sql = "SELECT count(DISTINCT written), coalesce(sum(count), 0) FROM block INDEXED BY block_shared"
        seals, samples = self._connection.execute(f"{sql} WHERE series = 0").get
        return int(seals), int(samples)

    def _read(self, head: BlockHead) -> SampleColumns:
        """The samples of a block; of a damaged one none, and a gap says so, for it will not be there any more."""
        if head.series == SHARED:
            samples = self._shared.read(self._connection, head)
        else:
            samples = read_block(self._connection, head)
        if len(samples) != head.count:
            reason = f"A block of the history file was damaged: {head.count} samples of this span are lost."
            factory = self._factory_of(head.series)
            self._connection.execute(ADD_GAP, (head.first_us, head.last_us, factory, reason, NEVER_TOLD))
        return samples

    def _factory_of(self, series: int) -> str:
        row = self._connection.execute("SELECT factory FROM series WHERE id = ?", (series,)).fetchone()
        return str(row[0]) if row else ""

    def _oldest_of_one_day(self) -> list[BlockHead]:
        first_us = self._connection.execute(
            "SELECT first_us FROM block INDEXED BY block_shared WHERE series = 0 ORDER BY written, number LIMIT 1"
        ).get
        day_us = first_us - first_us % DAY_US
        heads = find_shared(self._connection, day_us, day_us + DAY_US)
        heads.sort(key=lambda head: (head.written, head.number))
        total = np.cumsum([head.count for head in heads])
        fitting = heads[: max(1, int(np.searchsorted(total, _MOST_SAMPLES, "right")))]
        return [head for head in heads if head.written <= fitting[-1].written]

    def _step(self) -> None:
        work = self._work
        if work is None:
            return
        if not len(work.pending) and not self._read_on(work):
            self._finish(work)
            return
        starts = [low for _, low, _ in runs(work.pending.series)]
        cut = starts[_SERIES_PER_TRANSACTION] if len(starts) > _SERIES_PER_TRANSACTION else len(work.pending)
        with self._connection:
            self._carry_over(work, work.pending.part(0, cut))
        work.pending = work.pending.part(cut, len(work.pending))

    def _read_on(self, work: _Work) -> bool:
        """Read the next series' samples; False when there are none left."""
        while not len(work.pending):
            window = work.next_window()
            if window is None:
                return False
            up_to, heads = window
            parts: list[SampleColumns] = []
            for head in heads:
                samples = self._read(head)
                parts.append(samples.part(*np.searchsorted(samples.series, [work.after + 1, up_to + 1]).tolist()))
            work.pending, work.after = SampleColumns.joined(parts).sorted_unique(), up_to
        return True

    def _finish(self, work: _Work) -> None:
        with self._connection:
            delete_blocks(self._connection, work.heads)
        self._work = None
        # Each step of the statement frees one page: it must be read to its end.
        self._connection.execute(f"PRAGMA incremental_vacuum({_FREED_PAGES})").fetchall()

    def _carry_over(self, work: _Work, ordered: SampleColumns) -> None:
        """Write samples of a few series as own blocks, merged with those they overlap and with the day's last ones."""
        merged: list[SampleColumns] = []
        replaced: list[BlockHead] = []
        for series, low, high in runs(ordered.series):
            added = ordered.part(low, high)
            own = find_blocks(self._connection, series, work.day_us, work.day_us + DAY_US)
            joined = _that_join([head for head in own if head.written <= work.written], added)
            merged.append(self._merged(work, added, joined, series) if joined else added)
            replaced += joined
        insert_own(self._connection, SampleColumns.joined(merged), written=work.written)
        delete_blocks(self._connection, replaced)

    def _merged(self, work: _Work, added: SampleColumns, joined: list[BlockHead], series: int) -> SampleColumns:
        pieces = [piece_of(head, self._read(head), series) for head in joined]
        if all(head.written < work.heads[0].written for head in joined):
            return merge_pieces([*pieces, Piece((work.written, 0), added)])
        # A block that was written between the seals: each of these must take its place in their order.
        shared = [head for head in work.heads if head.low <= series <= head.high]
        pieces += [Piece((head.written, head.number), only_series(self._read(head), series)) for head in shared]
        return merge_pieces(pieces)


def _that_join(own: Sequence[BlockHead], added: SampleColumns) -> list[BlockHead]:
    """The blocks to merge with samples: all that overlap, also by way of one another, and last ones that are small.

    Every block that overlaps must take part: what is written anew counts as younger than all of them.
    """
    first_us, last_us, count = int(added.time_us[0]), int(added.time_us[-1]), len(added)
    for head in sorted(own, key=lambda head: head.last_us, reverse=True):
        if head.last_us >= first_us:
            continue
        if head.count >= FULL_BLOCK or head.count > _JOIN_UP_TO * count:
            break
        first_us, count = head.first_us, count + head.count
    joined: list[BlockHead] = []
    rest = list(own)
    while touching := [head for head in rest if head.first_us <= last_us and head.last_us >= first_us]:
        joined += touching
        rest = [head for head in rest if head not in touching]
        first_us = min(first_us, *(head.first_us for head in touching))
        last_us = max(last_us, *(head.last_us for head in touching))
    return joined
