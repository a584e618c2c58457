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
import msgspec
import numpy as np
import numpy.typing as npt

from factoryops.domain.bins import BinSummaries, summarise
from factoryops.domain.errors import DamagedFileError
from factoryops.domain.samples import SampleColumns
from factoryops.domain.summaries import take_bins
from factoryops.domain.time import US_PER_S
from factoryops.history.local.codec import (
    FLOATS,
    Column,
    pack_integers,
    pack_singles,
    pack_values,
    unpack_integers,
    unpack_singles,
    unpack_values,
)

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
_LARGEST_SINGLE: Final = 1e37

_ROW: Final = np.dtype(
    [
        ("start_us", "<i8"), ("count", "<i8"), ("minimum", "<f8"), ("maximum", "<f8"), ("mean", "<f8"),
        ("first_us", "<i8"), ("last_us", "<i8"), ("first", "<f8"), ("last", "<f8"), ("inner", "<f8"),
        ("inner_us", "<i8"), ("spread", "<f8"), ("late", "<i4"), ("imported", "<i4"), ("uncertain", "<i4"),
        ("texts", "<i4"), ("last_flags", "u1"),
    ]
)  # fmt: skip
_NAMES: Final = _ROW.names or ()
_OFFSETS: Final = ("first_us", "last_us")
_INTEGERS: Final = ("start_us", "count", "inner_us", "late", "imported", "uncertain", "texts", "last_flags")
_VALUES: Final = ("minimum", "maximum", "first", "last")


class _Packed(msgspec.Struct, array_like=True):
    """More than a few rows: as columns.

    Attributes:
        integers: start_us, count, inner_us, late, imported, uncertain, texts, last_flags, and first_us and last_us
            less start_us.
        values: decimals and column of minimum, maximum, first, last, the sum of all numbers, and inner.
        spread: single precision, or double where that does not reach (then `is_wide`).
    """

    rows: int
    integers: tuple[Column, ...]
    values: tuple[tuple[int, Column], ...]
    spread: Column
    is_wide: bool = False


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Packed)


def encode_rows(bins: BinSummaries) -> bytes:
    """The bytes of some rows, with their checksum."""
    body = _plain(bins) if len(bins) <= _PLAIN_UP_TO else _packed(bins)
    return zlib.crc32(body).to_bytes(4, "little") + body


def _plain(bins: BinSummaries) -> bytes:
    rows = np.empty(len(bins), _ROW)
    for name in _NAMES:
        rows[name] = getattr(bins, name)
    return _PLAIN + rows.tobytes()


def _packed(bins: BinSummaries) -> bytes:
    numbers = bins.count - bins.texts
    total = np.where(numbers > 0, bins.mean * numbers, 0.0)
    is_wide = bool(np.isnan(bins.spread).any() or bins.spread.max() > _LARGEST_SINGLE)
    packed = _Packed(
        rows=len(bins),
        integers=(
            *(pack_integers(getattr(bins, name).astype(np.int64)) for name in _INTEGERS),
            *(pack_integers(getattr(bins, name) - bins.start_us) for name in _OFFSETS),
        ),
        values=(
            *(pack_values(np.ascontiguousarray(getattr(bins, name))) for name in _VALUES),
            pack_values(_rounded(total)),
            pack_values(_rounded(bins.inner)),
        ),
        spread=pack_values(bins.spread)[1] if is_wide else pack_singles(bins.spread),
        is_wide=is_wide,
    )
    return _PACKED + _encoder.encode(packed)


def _rounded(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Sums of decimals are decimals, but for the rounding that adding brought in: without it they are small to keep."""
    largest = float(np.abs(sums).max())
    if not largest < 1e9:
        return sums
    rounded: npt.NDArray[np.float64] = np.rint(sums * 1e6) / 1e6
    return rounded if np.allclose(rounded, sums, rtol=1e-13, atol=largest * 1e-15) else sums


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
            parts += [*_together(plain), _unpacked(body)]
            plain = []
    parts += _together(plain)
    rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
    columns: dict[str, Any] = {name: np.ascontiguousarray(rows[name]) for name in _NAMES}
    for name in ("late", "imported", "uncertain", "texts"):
        columns[name] = columns[name].astype(np.int64)
    return BinSummaries(width_us=width_us, **columns)


def _opened(blob: bytes) -> tuple[bytes, bytes]:
    if zlib.crc32(blob[4:]) != int.from_bytes(blob[:4], "little"):
        raise DamagedFileError("A roll-up fails its checksum.")
    return blob[4:5], blob[5:]


def _together(plain: list[bytes]) -> list[npt.NDArray[Any]]:
    return [np.frombuffer(b"".join(plain), _ROW)] if plain else []


def _unpacked(body: bytes) -> npt.NDArray[Any]:
    try:
        packed = _decoder.decode(body)
        rows = np.empty(packed.rows, _ROW)
        for name, column in zip((*_INTEGERS, *_OFFSETS), packed.integers, strict=True):
            rows[name] = unpack_integers(column, packed.rows)
        for name in _OFFSETS:
            rows[name] += rows["start_us"]
        for name, (decimals, column) in zip((*_VALUES, "mean", "inner"), packed.values, strict=True):
            rows[name] = unpack_values(decimals, column, packed.rows)
        numbers = rows["count"] - rows["texts"]
        rows["mean"] = np.where(numbers > 0, rows["mean"] / np.maximum(numbers, 1), np.nan)
        unpack = (lambda column, count: unpack_values(FLOATS, column, count)) if packed.is_wide else unpack_singles
        rows["spread"] = unpack(packed.spread, packed.rows)
    except (msgspec.DecodeError, RuntimeError, ValueError) as error:
        raise DamagedFileError(f"A roll-up cannot be decoded ({error}).") from error
    return rows


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
