"""What one row of the journal holds, and its coding.

A row is one group commit: samples as columns, and the few other facts the corridor's consumers must see in the same
order: the watermark, gaps, quarantined messages, and events of the engine.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from numcodecs import blosc

from factoryops.domain.errors import DamagedFileError
from factoryops.domain.samples import SampleColumns

_SMALL: Final = 64
"""Below this many rows a column is stored as it is: the codec's header would cost more than it saves."""

blosc.set_nthreads(1)


NEVER_TOLD: Final = (1 << 63) - 1


class Gap(msgspec.Struct, frozen=True, array_like=True):
    """A span in which data may be missing through no fault of the device.

    Attributes:
        start_us / end_us: the span, microseconds since 1970 (UTC).
        reason: one sentence a person reads.
        factory: the factory's id, or "" when every factory is concerned.
        told_us: up to which watermark conditions were evaluated when they were told of it, NEVER_TOLD when they were
            not. 0 in a row of devices' samples, whose place says it, and where nobody kept it: in time.
    """

    start_us: int
    end_us: int
    reason: str
    factory: str = ""
    told_us: int = 0


class QuarantinedMessage(msgspec.Struct, frozen=True, array_like=True):
    """A message that was received and could not be accepted, kept as it came.

    Attributes:
        reason: one of a fixed set of words, for grouping ("invalid_json", "unknown_device", ...).
        detail: one sentence a person reads.
        factory: the factory's id, or "" when it could not be told.
        device: the device's key, or "" when it could not be told.
    """

    received_us: int
    topic: bytes
    payload: bytes
    reason: str
    detail: str
    factory: str = ""
    client: str = ""
    device: str = ""


class ClockOffset(msgspec.Struct, frozen=True, array_like=True):
    """How far a device's clock was found to be from ours; holds for the rows after the one that carries it.

    Attributes:
        factory / device: the factory's id and the device's key.
        offset_us: what must be added to the device's time to give ours; 0 when its clock is right again.
    """

    factory: str
    device: str
    offset_us: int


class MessageLedger(msgspec.Struct, frozen=True, array_like=True):
    """Running totals since the installation was made: received = accepted + quarantined, always.

    Attributes:
        values_accepted: samples written to this journal.
        values_refused: values refused singly, by reason; the rest of their message was kept.
        values_suppressed: values that a deadband held back, by reason ("deadband"); one that is kept after all is taken
            off again.
        values_rounded: values of 2**53 and beyond, where a whole number may have been rounded to the nearest float.
    """

    received: int = 0
    accepted: int = 0
    quarantined: int = 0
    values_accepted: int = 0
    values_late: int = 0
    values_refused: dict[str, int] = {}
    values_rounded: int = 0
    values_suppressed: dict[str, int] = {}


class _Row(msgspec.Struct, array_like=True, omit_defaults=True):
    received_us: int
    ledger: MessageLedger
    watermark_us: int = 0
    length: int = 0
    series: bytes = b""
    time_us: bytes = b""
    value: bytes = b""
    flags: bytes = b""
    gaps: tuple[Gap, ...] = ()
    events: tuple[bytes, ...] = ()
    clocks: tuple[ClockOffset, ...] = ()
    heard: bytes = b""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a writer asks the journal to keep in one commit.

    Attributes:
        received_us: receive time of the newest message in it.
        watermark_us: when not 0, no on-time sample older than this follows.
        quarantined: kept in a table beside the rows, in the same commit; not part of what readers read back.
        events: opaque records of the engine, in order.
        clocks: clock offsets that hold for the rows after this one.
        heard: int64[n], one series each of devices that were heard and left no sample here, because a deadband held
            all of them back.
    """

    received_us: int
    ledger: MessageLedger
    samples: SampleColumns = field(default_factory=SampleColumns.empty)
    watermark_us: int = 0
    gaps: tuple[Gap, ...] = ()
    quarantined: tuple[QuarantinedMessage, ...] = ()
    events: tuple[bytes, ...] = ()
    clocks: tuple[ClockOffset, ...] = ()
    heard: bytes = b""


@dataclass(frozen=True, slots=True)
class Batch:
    """An entry as it is read back, with its place in the journal: numbers grow, but not always by one."""

    seq: int
    entry: Entry

    @property
    def samples(self) -> SampleColumns:
        """The samples of the batch."""
        return self.entry.samples


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Row)
_HEAD: Final = struct.Struct(">qqq")


def _pack(column: npt.NDArray[np.generic]) -> bytes:
    if len(column) < _SMALL:
        return column.tobytes()
    return bytes(blosc.compress(np.ascontiguousarray(column), b"lz4", 1, blosc.SHUFFLE))


def _unpack(data: bytes, dtype: type[np.generic], length: int) -> npt.NDArray[np.generic]:
    raw = data if length < _SMALL else blosc.decompress(data)
    column: npt.NDArray[np.generic] = np.frombuffer(raw, dtype)
    if len(column) != length:
        raise DamagedFileError("A column of the journal has the wrong length.")
    return column


def encode(entry: Entry) -> bytes:
    """The blob of an entry."""
    samples = entry.samples
    row = _Row(entry.received_us, entry.ledger, entry.watermark_us, len(samples))
    if len(samples):
        row.series, row.time_us = _pack(samples.series), _pack(samples.time_us)
        row.value, row.flags = _pack(samples.value), _pack(samples.flags)
    row.gaps, row.events = entry.gaps, entry.events
    row.clocks, row.heard = entry.clocks, entry.heard
    return _encoder.encode(row)


def checksum(seq: int, previous: int, received_us: int, blob: bytes) -> int:
    """CRC-32 of a whole row, so that a blob under another row's number is noticed as well."""
    return zlib.crc32(blob, zlib.crc32(_HEAD.pack(seq, previous, received_us)))


def check(row: tuple[int, int, int, int, bytes]) -> int:
    """How many samples a sound row holds; raises DamagedFileError when it is not what was written."""
    return _checked(row).length


def decode(row: tuple[int, int, int, int, bytes]) -> Batch:
    """The batch of a row (seq, previous, received_us, crc, data).

    Raises:
        DamagedFileError: the row is not what was written.
    """
    return _batch(row[0], _checked(row))


def is_sound(row: tuple[int, int, int, int, bytes]) -> bool:
    """Whether a row passes its checksum."""
    seq, previous, received_us, crc, blob = row
    try:
        return checksum(seq, previous, received_us, blob) == crc
    except (TypeError, struct.error):  # a damaged page can give any column any type
        return False


def _checked(row: tuple[int, int, int, int, bytes]) -> _Row:
    if not is_sound(row):
        raise DamagedFileError(f"Journal row {row[0]} fails its checksum.")
    return _decoder.decode(row[4])


def _batch(seq: int, row: _Row) -> Batch:
    samples = SampleColumns.empty()
    if row.length:
        samples = SampleColumns(
            _unpack(row.series, np.int64, row.length),  # type: ignore[arg-type]  # the dtype is given beside it
            _unpack(row.time_us, np.int64, row.length),  # type: ignore[arg-type]  # as above
            _unpack(row.value, np.float64, row.length),  # type: ignore[arg-type]  # as above
            _unpack(row.flags, np.uint8, row.length),  # type: ignore[arg-type]  # as above
        )
    entry = Entry(
        received_us=row.received_us,
        ledger=row.ledger,
        samples=samples,
        watermark_us=row.watermark_us,
        gaps=row.gaps,
        events=row.events,
        clocks=row.clocks,
        heard=row.heard,
    )
    return Batch(seq, entry)
