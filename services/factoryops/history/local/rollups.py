"""Roll-ups: summaries per minute and per hour of every block of one series, written and deleted with their block.

A block's roll-ups speak of that block's samples alone, so nothing else can make them wrong: late and duplicate samples
lie in other blocks until compaction writes this one anew. Where a block's samples have expired its roll-ups stay, each
day's in one row. `docs/reference/history-format.md` describes the bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import apsw
import numpy as np
import numpy.typing as npt

from factoryops.domain.bins import BinSummaries, summarise
from factoryops.domain.errors import DamagedFileError
from factoryops.domain.samples import SampleColumns
from factoryops.domain.summaries import take_bins
from factoryops.domain.time import US_PER_S
from factoryops.history.local.row_codec import pack_rows, unpack_rows

MINUTE_US: Final = 60 * US_PER_S
HOUR_US: Final = 3_600 * US_PER_S
WORTH: Final = 24
"""With fewer samples per row than this a block has no roll-up: reading the samples is as quick."""

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS rollup (
    number INTEGER PRIMARY KEY,
    series INTEGER NOT NULL,
    first_us INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    count INTEGER NOT NULL,
    hours BLOB NOT NULL,
    minutes BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS rollup_by_series ON rollup (series, first_us, last_us);
"""

INSERT: Final = (
    "INSERT INTO rollup (number, series, first_us, last_us, count, hours, minutes) VALUES (?, ?, ?, ?, ?, ?, ?)"
)

_PLAIN, _PACKED = b"\x00", b"\x01"
_PLAIN_UP_TO: Final = 16

_ROW: Final = np.dtype(
    [
        ("start_us", "<i8"), ("count", "<i8"), ("minimum", "<f8"), ("maximum", "<f8"), ("mean", "<f8"),
        ("first_us", "<i8"), ("last_us", "<i8"), ("first", "<f8"), ("last", "<f8"), ("inner", "<f8"),
        ("inner_us", "<i8"), ("spread", "<f8"), ("late", "<i4"), ("imported", "<i4"), ("uncertain", "<i4"),
        ("texts", "<i4"), ("last_flags", "u1"),
    ]
)  # fmt: skip
_NAMES: Final = _ROW.names or ()


def encode_rows(bins: BinSummaries) -> bytes:
    """The bytes of some rows, with their checksum."""
    rows = np.empty(len(bins), _ROW)
    for name in _NAMES:
        rows[name] = getattr(bins, name)
    body = _PLAIN + rows.tobytes() if len(bins) <= _PLAIN_UP_TO else _PACKED + pack_rows(rows)
    return zlib.crc32(body).to_bytes(4, "little") + body


def decode_rows(blobs: Sequence[bytes], width_us: int) -> BinSummaries:
    """The rows of several roll-ups (at least one, none empty), in the order given.

    Raises:
        DamagedFileError: one fails its checksum or cannot be decoded.
    """
    parts: list[npt.NDArray[Any]] = []
    plain: list[bytes] = []
    for blob in blobs:
        kind, body = _opened(blob)
        if kind == _PLAIN:
            plain.append(body)
        else:
            parts += [*_together(plain), unpack_rows(body, _ROW)]
            plain = []
    parts += _together(plain)
    rows = parts[0] if len(parts) == 1 else _after_one_another(parts)
    columns: dict[str, Any] = {name: np.ascontiguousarray(rows[name]) for name in _NAMES}
    for name in ("late", "imported", "uncertain", "texts"):
        columns[name] = columns[name].astype(np.int64)
    return BinSummaries(width_us=width_us, **columns)


def _opened(blob: bytes) -> tuple[bytes, bytes]:
    if zlib.crc32(blob[4:]) != int.from_bytes(blob[:4], "little"):
        raise DamagedFileError("A roll-up fails its checksum.")
    return blob[4:5], blob[5:]


def _after_one_another(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """The same as np.concatenate, which takes long over structured types."""
    rows = np.empty(sum(map(len, parts)), _ROW)
    ends = np.cumsum([len(part) for part in parts]).tolist()
    for part, end in zip(parts, ends, strict=True):
        rows[end - len(part) : end] = part
    return rows


def _together(plain: list[bytes]) -> list[npt.NDArray[Any]]:
    return [np.frombuffer(b"".join(plain), _ROW)] if plain else []


@dataclass(frozen=True, slots=True)
class RollUps:
    """Summaries of consecutive blocks' samples.

    Attributes:
        bins: rows of all blocks, one after the other.
        first: intp[blocks + 1], where each block's rows begin, and the end.
    """

    bins: BinSummaries
    first: npt.NDArray[np.intp]


def roll_up(samples: SampleColumns, starts: npt.NDArray[np.intp], width_us: int) -> RollUps:
    """Summaries per `width_us` of every block.

    Args:
        samples: ordered by series and time.
        starts: where each block begins, ascending from 0; no block holds samples of two series.
        width_us: a minute or an hour.
    """
    bin_of = samples.time_us // width_us
    is_first = np.ones(len(samples), np.bool_)
    np.not_equal(bin_of[1:], bin_of[:-1], out=is_first[1:])
    is_first[starts] = True
    start = np.flatnonzero(is_first)
    flags = samples.flags if samples.flags.any() else None
    bins = summarise(samples.time_us, samples.value, flags, start, width_us, bin_of[start] * width_us)
    return RollUps(bins, np.append(np.searchsorted(start, starts), len(start)))


def block_rows(rolled: RollUps, index: int, samples: int) -> bytes:
    """The bytes of one block's rows; none when they are not worth keeping beside its `samples` samples."""
    low, high = rolled.first[index : index + 2].tolist()
    return encode_rows(take_bins(rolled.bins, slice(low, high))) if (high - low) * WORTH <= samples else b""


def rolled_rows(samples: SampleColumns, width_us: int) -> bytes:
    """The same for a block by itself."""
    return block_rows(roll_up(samples, np.zeros(1, np.intp), width_us), 0, len(samples))


def find_rollups(
    connection: apsw.Connection, series: int, span: tuple[int, int], level_us: int
) -> dict[int, tuple[int, int, bytes]]:
    """(first_us, last_us, rows) of the roll-ups of `series` that touch [start, end), by number in order of time."""
    column = "hours" if level_us == HOUR_US else "minutes"
    sql = (
        f"SELECT number, first_us, last_us, {column} FROM rollup"  # noqa: S608 - one of two words
        " WHERE series = ? AND first_us >= ? AND first_us < ? AND last_us >= ? ORDER BY first_us, number"
    )
    start_us, end_us = span
    earliest_us = start_us - start_us % (24 * HOUR_US)
    rows = connection.execute(sql, (series, earliest_us, end_us, start_us))
    return {number: (first_us, last_us, rows_) for number, first_us, last_us, rows_ in rows}
