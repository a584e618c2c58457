"""The coding of a block: samples as columns, each in the smallest of a few exact forms.

`docs/reference/history-format.md` describes the bytes. Decoding gives back what was encoded, bit for bit.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from numcodecs import blosc

from factoryops.domain.errors import DamagedFileError
from factoryops.domain.samples import SampleColumns

_RAW_BELOW_BYTES: Final = 64
"""Shorter columns are stored as they are: the codec's header would cost more than it saves."""

_LEVEL: Final = 3
_DECIMALS: Final = (0, 1, 2, 3, 4, 5, 6)
_EXACT: Final = float(1 << 53)
_INTEGERS: Final = (np.int8, np.int16, np.int32, np.int64)
_FLOAT: Final = -1

blosc.set_nthreads(1)


class _Column(msgspec.Struct, array_like=True, omit_defaults=True):
    """Integers, or raw floats.

    Attributes:
        width: bytes per item before compression; 0 when all items equal `base` (or step by `base` when is_delta).
        base: subtracted from every item.
        is_delta: the items are differences to the item before, the first one's to `start`.
        start: the first item, when is_delta.
    """

    width: int = 0
    base: int = 0
    is_delta: bool = False
    start: int = 0
    data: bytes = b""


class _Block(msgspec.Struct, array_like=True, omit_defaults=True):
    """A block.

    Attributes:
        tick_us: times are stored as multiples of it.
        decimals: values are stored as integers times 10 ** -decimals; -1 for raw floats.
        series: only in shared blocks.
    """

    count: int
    tick_us: int
    decimals: int
    time: _Column
    value: _Column
    flags: _Column
    series: _Column | None = None


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Block)


def _squeeze(items: npt.NDArray[np.generic]) -> bytes:
    if items.nbytes < _RAW_BELOW_BYTES:
        return items.tobytes()
    return bytes(blosc.compress(np.ascontiguousarray(items), b"zstd", _LEVEL, blosc.SHUFFLE))


def _unsqueeze(data: bytes, dtype: npt.DTypeLike, count: int) -> npt.NDArray[np.generic]:
    width = np.dtype(dtype).itemsize
    raw = data if width * count < _RAW_BELOW_BYTES else blosc.decompress(data)
    items: npt.NDArray[np.generic] = np.frombuffer(raw, dtype)
    if len(items) != count:
        raise DamagedFileError("A column of a history block has the wrong length.")
    return items


def _pack_offsets(items: npt.NDArray[np.int64], *, is_delta: bool, start: int) -> _Column:
    """Items less their minimum, in the narrowest type (centred on zero so that the signed type's range is used)."""
    low, high = int(items.min()), int(items.max())
    if low == high:
        return _Column(0, low, is_delta, start)
    for dtype in _INTEGERS:
        bits = np.dtype(dtype).itemsize * 8
        if high - low < 1 << bits:
            base = low + (1 << (bits - 1))
            shifted = items - np.int64(base) if bits < 64 else items
            return _Column(bits // 8, base if bits < 64 else 0, is_delta, start, _squeeze(shifted.astype(dtype)))
    return _Column(8, 0, is_delta, start, _squeeze(items))


def _pack_integers(items: npt.NDArray[np.int64]) -> _Column:
    """The items themselves or their differences, whichever spread less."""
    plain_spread = int(items.max()) - int(items.min())
    if len(items) < 2 or plain_spread >= 1 << 62:
        return _pack_offsets(items, is_delta=False, start=0)
    steps = np.diff(items)
    if int(steps.max()) - int(steps.min()) < plain_spread:
        return _pack_offsets(steps, is_delta=True, start=int(items[0]))
    return _pack_offsets(items, is_delta=False, start=0)


def _unpack_integers(column: _Column, count: int) -> npt.NDArray[np.int64]:
    stored = count - 1 if column.is_delta else count
    if column.width == 0:
        items = np.full(stored, column.base, np.int64)
    else:
        items = _unsqueeze(column.data, f"i{column.width}", stored).astype(np.int64)
        items += np.int64(column.base)
    if not column.is_delta:
        return items
    whole = np.empty(count, np.int64)
    whole[0] = column.start
    np.cumsum(items, out=whole[1:])
    whole[1:] += np.int64(column.start)
    return whole


def _as_decimals(value: npt.NDArray[np.float64]) -> tuple[int, npt.NDArray[np.int64]] | None:
    """The fewest decimals that give every value back bit for bit, and the scaled integers."""
    bits, largest = value.view(np.int64), float(np.abs(value).max())
    for decimals in _DECIMALS:
        if largest * 10.0**decimals >= _EXACT:
            return None
        integers = np.rint(value * 10.0**decimals).astype(np.int64)
        if np.array_equal((integers / 10.0**decimals).view(np.int64), bits):
            return decimals, integers
    return None


def _pack_values(value: npt.NDArray[np.float64]) -> tuple[int, _Column]:
    exact = _as_decimals(value)
    if exact is None:
        return _FLOAT, _Column(8, data=_squeeze(value))
    return exact[0], _pack_integers(exact[1])


def _unpack_values(block: _Block) -> npt.NDArray[np.float64]:
    if block.decimals == _FLOAT:
        return _unsqueeze(block.value.data, np.float64, block.count).astype(np.float64)
    values: npt.NDArray[np.float64] = _unpack_integers(block.value, block.count) / 10.0**block.decimals
    return values


def _tick_us(time_us: npt.NDArray[np.int64]) -> int:
    for tick in (1_000_000, 1_000):
        if not np.any(time_us % tick):
            return tick
    return 1


def encode_block(samples: SampleColumns, *, is_shared: bool) -> bytes:
    """The bytes of at least one sample, ordered by (series, time); the series is kept only when `is_shared`."""
    tick_us = _tick_us(samples.time_us)
    decimals, value = _pack_values(np.ascontiguousarray(samples.value))
    block = _Block(
        count=len(samples),
        tick_us=tick_us,
        decimals=decimals,
        time=_pack_integers(samples.time_us // tick_us),
        value=value,
        flags=_pack_integers(samples.flags.astype(np.int64)),
        series=_pack_integers(samples.series) if is_shared else None,
    )
    return _encoder.encode(block)


def decode_block(data: bytes, series: int) -> SampleColumns:
    """The samples of a block; `series` is theirs unless the block is shared.

    Raises:
        DamagedFileError: the bytes are not what was written.
    """
    try:
        block = _decoder.decode(data)
        return SampleColumns(
            np.full(block.count, series, np.int64)
            if block.series is None
            else _unpack_integers(block.series, block.count),
            _unpack_integers(block.time, block.count) * block.tick_us,
            _unpack_values(block),
            _unpack_integers(block.flags, block.count).astype(np.uint8),
        )
    except (msgspec.DecodeError, RuntimeError, ValueError) as error:
        raise DamagedFileError(f"A history block cannot be decoded ({error}).") from error
