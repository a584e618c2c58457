"""The table of blocks: writing, finding and reading them.

A block belongs to one series (`series` its id) or is shared by neighbours that were sealed together (`series` 0, their
ids from `low` to `high`). It never reaches over the end of a UTC day. Of two samples with the same series and time the
one in the younger block counts: `written` orders them.
"""

from __future__ import annotations

import logging
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import apsw
import numpy as np

from factoryops.domain.bins import run_starts
from factoryops.domain.errors import DamagedFileError
from factoryops.domain.samples import SERIES_ID_BITS, SampleColumns
from factoryops.history.local.codec import decode_block, encode_block
from factoryops.history.local.rollups import HOUR_US, MINUTE_US, block_rows, roll_up
from factoryops.history.local.rollups import INSERT as INSERT_ROLLUP
from factoryops.history.merging import only_series

logger = logging.getLogger(__name__)

VERSION: Final = 2
PAGE_BYTES: Final = 8_192
SHARED: Final = 0
DAY_US: Final = 86_400_000_000
FULL_BLOCK: Final = 7_200
OWN_FROM: Final = FULL_BLOCK // 2
"""A series with so many samples of one day in one seal gets blocks of its own at once."""

SHARED_BLOCK: Final = 2_048
"""About so many samples share a block: asking for one series decodes few of the others'."""

ALL_SERIES: Final = (1, (1 << SERIES_ID_BITS) - 1)

SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS block (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    series INTEGER NOT NULL,
    first_us INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    written INTEGER NOT NULL,
    count INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    data BLOB NOT NULL,
    low INTEGER NOT NULL DEFAULT {ALL_SERIES[0]},
    high INTEGER NOT NULL DEFAULT {ALL_SERIES[1]}
);
CREATE INDEX IF NOT EXISTS block_by_series ON block (series, first_us, last_us, written, count);
CREATE INDEX IF NOT EXISTS block_shared ON block (first_us, last_us, low, high, written, count) WHERE series = 0;
"""

_INSERT: Final = (
    "INSERT INTO block (series, first_us, last_us, written, count, crc, data, low, high)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_TOUCHING: Final = (
    "SELECT number, series, first_us, last_us, written, count FROM block"
    " WHERE series = ? AND first_us >= ? AND first_us < ? AND last_us >= ?"
)
_TOUCHING_SHARED: Final = (
    "SELECT number, 0, first_us, last_us, written, count, low, high FROM block INDEXED BY block_shared"
    " WHERE series = 0 AND first_us >= ? AND first_us < ? AND last_us >= ? AND low <= ? AND high >= ?"
)


@dataclass(frozen=True, slots=True)
class BlockHead:
    """What the index knows of a block; `last_us` is included in it."""

    number: int
    series: int
    first_us: int
    last_us: int
    written: int
    count: int
    low: int = ALL_SERIES[0]
    high: int = ALL_SERIES[1]


def split_by_day(ordered: SampleColumns) -> Iterator[SampleColumns]:
    """Parts of one UTC day each, every part still ordered by (series, time)."""
    day = ordered.time_us // DAY_US
    days = np.unique(day)
    if len(days) == 1:
        yield ordered
        return
    for one in days:
        yield ordered.take(day == one)


def _insert_block(connection: apsw.Connection, samples: SampleColumns, *, series: int, written: int) -> None:
    data = encode_block(samples, is_shared=series == SHARED)
    span = int(samples.time_us.min()), int(samples.time_us.max())
    ids = int(samples.series[0]), int(samples.series[-1])
    connection.execute(_INSERT, (series, *span, written, len(samples), zlib.crc32(data), data, *ids))


def insert_shared(connection: apsw.Connection, ordered: SampleColumns, *, written: int) -> None:
    """Add samples of one day, ordered by series and time, as shared blocks; no series is in two of them."""
    runs = run_starts(ordered.series)
    cuts = np.append(runs[run_starts(runs // SHARED_BLOCK)], len(ordered))
    for low, high in pairwise(cuts.tolist()):
        _insert_block(connection, ordered.part(low, high), series=SHARED, written=written)


def insert_own(connection: apsw.Connection, ordered: SampleColumns, *, written: int) -> None:
    """Add samples of one day, ordered by series and time, as blocks of one series each, with their roll-ups."""
    if not len(ordered):
        return
    runs = np.append(run_starts(ordered.series), len(ordered))
    starts = np.concatenate([np.arange(low, high, FULL_BLOCK) for low, high in pairwise(runs.tolist())])
    minutes, hours = roll_up(ordered, starts, MINUTE_US), roll_up(ordered, starts, HOUR_US)
    cuts = np.append(starts, len(ordered))
    for index, (low, high) in enumerate(pairwise(cuts.tolist())):
        series = int(ordered.series[low])
        _insert_block(connection, ordered.part(low, high), series=series, written=written)
        span = int(ordered.time_us[low]), int(ordered.time_us[high - 1])
        rows = [block_rows(rolled, index, high - low) for rolled in (hours, minutes)]
        connection.execute(INSERT_ROLLUP, (connection.last_insert_rowid(), series, *span, high - low, *rows))


def find_blocks(connection: apsw.Connection, series: int, start_us: int, end_us: int) -> list[BlockHead]:
    """The blocks of `series` alone that touch [start, end)."""
    earliest_us = start_us - start_us % DAY_US
    return [BlockHead(*row) for row in connection.execute(_TOUCHING, (series, earliest_us, end_us, start_us))]


def find_shared(
    connection: apsw.Connection, start_us: int, end_us: int, ids: tuple[int, int] = ALL_SERIES
) -> list[BlockHead]:
    """The shared blocks that touch [start, end) and may hold series with ids from the first to the second of `ids`."""
    earliest_us = start_us - start_us % DAY_US
    found = connection.execute(_TOUCHING_SHARED, (earliest_us, end_us, start_us, ids[1], ids[0]))
    return [BlockHead(*row) for row in found]


def delete_blocks(connection: apsw.Connection, heads: Sequence[BlockHead]) -> None:
    """Remove blocks and their roll-ups."""
    numbers = [(head.number,) for head in heads]
    connection.executemany("DELETE FROM block WHERE number = ?", numbers)
    connection.executemany("DELETE FROM rollup WHERE number = ?", [(head.number,) for head in heads if head.series])


def read_block(connection: apsw.Connection, head: BlockHead) -> SampleColumns:
    """The samples of a block; none, with a warning, when it is damaged or has just been replaced."""
    row = connection.execute("SELECT crc, data FROM block WHERE number = ?", (head.number,)).fetchone()
    if row is None:
        return SampleColumns.empty()
    try:
        return decode_block(_checked(*row), head.series)
    except DamagedFileError as error:
        logger.warning(
            "History block %s (%s samples from %s us on) is unreadable: %s",
            head.number, head.count, head.first_us, error,
        )  # fmt: skip
        return SampleColumns.empty()


def _checked(crc: int, data: bytes) -> bytes:
    if zlib.crc32(data) != crc:
        raise DamagedFileError("It fails its checksum.")
    return data


class SharedBlocks:
    """Remembers decoded shared blocks, which every query of recent data needs; safe from several threads."""

    def __init__(self, *, most_samples: int = 2_000_000) -> None:
        self._most_samples = most_samples
        self._lock = threading.Lock()
        self._decoded: OrderedDict[int, SampleColumns] = OrderedDict()
        self._held = 0
        self._generation = 0

    def read(self, connection: apsw.Connection, head: BlockHead, generation: int = 0) -> SampleColumns:
        """The samples of a shared block of the file that `generation` counts."""
        with self._lock:
            if generation != self._generation:
                self._decoded.clear()
                self._held, self._generation = 0, generation
            found = self._decoded.get(head.number)
            if found is not None:
                self._decoded.move_to_end(head.number)
                return found
        samples = read_block(connection, head)
        with self._lock:
            if generation == self._generation and head.number not in self._decoded:
                self._decoded[head.number] = samples
                self._held += len(samples)
                while self._held > self._most_samples:
                    self._held -= len(self._decoded.popitem(last=False)[1])
        return samples


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples of one series out of one block, with what orders it among others."""

    order: tuple[int, int]
    samples: SampleColumns


def merge_pieces(pieces: list[Piece]) -> SampleColumns:
    """One series' samples ordered by time, the youngest of each time."""
    pieces = sorted((piece for piece in pieces if len(piece.samples)), key=lambda piece: piece.order)
    by_time = sorted(pieces, key=lambda piece: int(piece.samples.time_us[0]))
    is_apart = all(one.samples.time_us[-1] < next_.samples.time_us[0] for one, next_ in pairwise(by_time))
    joined = SampleColumns.joined([piece.samples for piece in (by_time if is_apart else pieces)])
    return joined if is_apart else joined.sorted_unique()


def piece_of(head: BlockHead, samples: SampleColumns, series: int) -> Piece:
    """The part of a block that belongs to `series`."""
    return Piece((head.written, head.number), only_series(samples, series) if head.series == SHARED else samples)


def clip(samples: SampleColumns, start_us: int, end_us: int) -> SampleColumns:
    """The samples of one series, ordered by time, that lie in [start, end)."""
    return samples.part(*np.searchsorted(samples.time_us, [start_us, end_us]).tolist())


def pieces_of(
    connection: apsw.Connection, shared: SharedBlocks, series: int, span: tuple[int, int], generation: int = 0
) -> list[Piece]:
    """What shared blocks hold of one series in the span; the caller holds a transaction."""
    heads = find_shared(connection, *span, (series, series))
    return [piece_of(head, shared.read(connection, head, generation), series) for head in heads]


def collect_series(
    connection: apsw.Connection, shared: SharedBlocks, series: int, span: tuple[int, int], generation: int = 0
) -> SampleColumns:
    """One series' samples in the span [start, end), ordered by time, one per time; the caller holds a transaction."""
    pieces = pieces_of(connection, shared, series, span, generation)
    pieces += [piece_of(head, read_block(connection, head), series) for head in find_blocks(connection, series, *span)]
    return clip(merge_pieces(pieces), *span)
