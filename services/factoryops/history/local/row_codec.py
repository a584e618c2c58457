"""The coding of many roll-up rows: all columns as a few matrices of integers, each compressed as one.

Values that are short decimals become integers, sums of such values too, and what is left of an item is its difference
to the one before. Decoding takes a few steps whatever the number of columns, because a chart of a day decodes dozens.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from numcodecs import blosc

from factoryops.domain.errors import DamagedFileError
from factoryops.domain.time import US_PER_S

_INTEGERS: Final = ("start_us", "count", "late", "imported", "uncertain", "texts", "last_flags")
_TIMES: Final = ("first_us", "last_us", "inner_us")
_VALUES: Final = ("minimum", "maximum", "first", "last")
_SUMS: Final = ("mean", "inner")
_NARROW, _WIDE, _FLOAT = 0, 1, 2
_LEVEL: Final = 3
_DECIMALS: Final = range(7)
_EXACT: Final = float(1 << 53)
_DROPPED_BITS: Final = 6
"""Of the 24 bits of a single-precision spread 18 are kept: five digits."""

_LARGEST_SPREAD: Final = 1e37


class _Packed(msgspec.Struct, array_like=True):
    """Rows as columns.

    Attributes:
        tick_us: times are multiples of it.
        decimals: of values and sums; -1 when they are raw floats.
        spread_is_float: the spreads are raw floats, else the upper bits of single-precision ones.
        narrow / wide: differences of integers as zigzag of 32 and 64 bits, one column after the other.
        floats: raw floats likewise.
        kinds: which of the three holds each column, in a fixed order.
    """

    rows: int
    tick_us: int
    decimals: int
    spread_is_float: bool
    narrow: bytes
    wide: bytes
    floats: bytes
    kinds: bytes


_ORDER: Final = (*_INTEGERS, *_TIMES, *_VALUES, *_SUMS, "spread")
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Packed)


def pack_rows(rows: npt.NDArray[Any]) -> bytes:
    """The bytes of at least one row."""
    columns, tick_us = _integer_columns(rows)
    decimals = _add_values(columns, rows, tick_us)
    with np.errstate(over="ignore", invalid="ignore"):
        spread_is_float = not bool((rows["spread"] < _LARGEST_SPREAD).all())
    if not spread_is_float:
        columns["spread"] = rows["spread"].astype(np.float32).view(np.int32).astype(np.int64) >> _DROPPED_BITS
    kinds = bytearray()
    matrices: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
    for name in _ORDER:
        kind, column = _placed(columns.get(name), rows[name])
        kinds.append(kind)
        matrices[kind].append(column)
    narrow, wide, floats = (_squeeze(part, name) for part, name in zip(matrices, ("<u4", "<u8", "<f8"), strict=True))
    return _encoder.encode(_Packed(len(rows), tick_us, decimals, spread_is_float, narrow, wide, floats, bytes(kinds)))


def _integer_columns(rows: npt.NDArray[Any]) -> tuple[dict[str, npt.NDArray[np.int64]], int]:
    """Counts as they are, times as ticks, those of samples less the start of their row."""
    times = {"first_us": rows["first_us"] - rows["start_us"], "last_us": rows["last_us"] - rows["start_us"]}
    times["inner_us"] = rows["inner_us"].astype(np.int64)
    tick_us = next(tick for tick in (US_PER_S, 1_000, 1) if not any(np.any(time % tick) for time in times.values()))
    columns = {name: time // tick_us for name, time in times.items()}
    return columns | {name: rows[name].astype(np.int64) for name in _INTEGERS}, tick_us


def _add_values(columns: dict[str, npt.NDArray[np.int64]], rows: npt.NDArray[Any], tick_us: int) -> int:
    """Add values and sums as integers; returns their decimals, or -1 when that would lose something of a value."""
    matrix = np.stack([rows[name] for name in _VALUES])
    largest = float(np.abs(matrix).max())
    for decimals in _DECIMALS:
        if not largest * 10.0**decimals < _EXACT:
            break
        integers = np.rint(matrix * 10.0**decimals).astype(np.int64)
        if np.array_equal((integers / 10.0**decimals).view(np.int64), matrix.view(np.int64)):
            columns.update(zip(_VALUES, integers, strict=True))
            _add_sums(columns, rows, decimals, tick_us)
            return decimals
    return -1


def _add_sums(columns: dict[str, npt.NDArray[np.int64]], rows: npt.NDArray[Any], decimals: int, tick_us: int) -> None:
    """Sums of decimals are decimals, but for the rounding that adding them brought in."""
    sums = {"mean": rows["mean"] * (rows["count"] - rows["texts"]), "inner": rows["inner"] * (US_PER_S / tick_us)}
    for name, items in sums.items():
        scaled = items * 10.0**decimals
        largest = float(np.abs(scaled).max())
        if largest < _EXACT / 16 and np.abs(scaled - np.rint(scaled)).max() <= largest * 1e-13:
            columns[name] = np.rint(scaled).astype(np.int64)


def _placed(integers: npt.NDArray[np.int64] | None, raw: npt.NDArray[Any]) -> tuple[int, npt.NDArray[Any]]:
    if integers is None:
        return _FLOAT, raw.astype(np.float64)
    steps = np.diff(integers, prepend=0)
    zigzag = ((steps << 1) ^ (steps >> 63)).view(np.uint64)
    return (_NARROW if int(zigzag.max()) < 1 << 32 else _WIDE), zigzag


def _squeeze(columns: list[npt.NDArray[Any]], dtype: str) -> bytes:
    if not columns:
        return b""
    matrix = np.ascontiguousarray(np.stack(columns).astype(dtype))
    return bytes(blosc.compress(matrix, b"zstd", _LEVEL, blosc.SHUFFLE))


def unpack_rows(data: bytes, row: np.dtype[Any]) -> npt.NDArray[Any]:
    """The rows, as a structured array of the type `row`.

    Raises:
        DamagedFileError: the bytes are not what was written.
    """
    try:
        packed = _decoder.decode(data)
        return _rows(packed, row)
    except (msgspec.DecodeError, RuntimeError, ValueError) as error:
        raise DamagedFileError(f"A roll-up cannot be decoded ({error}).") from error


def _rows(packed: _Packed, row: np.dtype[Any]) -> npt.NDArray[Any]:
    kinds = np.frombuffer(packed.kinds, np.uint8)
    narrow = _integers(packed.narrow, "<u4", packed.rows)
    wide = _integers(packed.wide, "<u8", packed.rows)
    floats = _matrix(packed.floats, "<f8", packed.rows)
    sources = [iter(matrix) for matrix in (narrow, wide, floats)]
    columns = {name: next(sources[kind]) for name, kind in zip(_ORDER, kinds.tolist(), strict=True)}
    is_float = {name for name, kind in zip(_ORDER, kinds.tolist(), strict=True) if kind == _FLOAT}
    rows = np.empty(packed.rows, row)
    for name in _INTEGERS:
        rows[name] = columns[name]
    for name in _TIMES:
        rows[name] = columns[name] * packed.tick_us
    rows["first_us"] += rows["start_us"]
    rows["last_us"] += rows["start_us"]
    for name in (*_VALUES, *_SUMS):
        rows[name] = columns[name] if name in is_float else columns[name] / 10.0**packed.decimals
    if "inner" not in is_float:
        rows["inner"] /= US_PER_S / packed.tick_us
    if "mean" not in is_float:
        numbers = rows["count"] - rows["texts"]
        rows["mean"] = np.where(numbers > 0, rows["mean"] / np.maximum(numbers, 1), np.nan)
    rows["spread"] = columns["spread"] if packed.spread_is_float else _singles(columns["spread"])
    return rows


def _singles(bits: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    return (bits << _DROPPED_BITS).astype(np.int32).view(np.float32)


def _matrix(data: bytes, dtype: str, rows: int) -> npt.NDArray[Any]:
    raw = blosc.decompress(data) if data else b""
    matrix: npt.NDArray[Any] = np.frombuffer(raw, dtype).reshape(-1, rows)
    return matrix


def _integers(data: bytes, dtype: str, rows: int) -> npt.NDArray[np.int64]:
    zigzag = _matrix(data, dtype, rows).astype(np.uint64)
    steps = (zigzag >> np.uint64(1)).view(np.int64) ^ -(zigzag & np.uint64(1)).view(np.int64)
    return np.cumsum(steps, axis=1)
