"""Reading a journal's rows past damaged places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import apsw

from factoryops.domain.samples import SeriesKey, series_id, text_code
from factoryops.journal.records import is_sound

DAMAGE: Final = (apsw.CorruptError, apsw.IOError, apsw.NotADBError)

_UNREADABLE: Final = frozenset({
    apsw.SQLITE_IOERR_READ, apsw.SQLITE_IOERR_SHORT_READ, apsw.SQLITE_IOERR_DATA, apsw.SQLITE_IOERR_CORRUPTFS,
})  # fmt: skip
_ROWS: Final = "SELECT seq, previous, received_us, crc, data FROM batch WHERE seq"
_AFTER: Final = f"{_ROWS} > ? ORDER BY seq LIMIT ?"
_BEFORE: Final = f"{_ROWS} < ? ORDER BY seq DESC LIMIT ?"
_SERIES_AFTER: Final = (
    "SELECT number, id, CAST(factory AS BLOB), CAST(device AS BLOB), CAST(parameter AS BLOB)"
    " FROM series WHERE number > ? ORDER BY number"
)
_TEXTS_AFTER: Final = (
    "SELECT number, code, CAST(factory AS BLOB), CAST(text AS BLOB) FROM text WHERE number > ? ORDER BY number"
)
_CLOCKS: Final = "SELECT CAST(factory AS BLOB), CAST(device AS BLOB), offset_us FROM clock"
END: Final = 1 << 61
"""Beyond every row."""

Row = tuple[int, int, int, int, bytes]
"""seq, previous, received_us, crc, data."""


def tells_damage(error: apsw.Error) -> bool:
    """Whether an error says that the file is not what was written, and not that its disk is full or busy."""
    is_malformed = isinstance(error, apsw.CorruptError | apsw.NotADBError)
    return is_malformed or getattr(error, "extendedresult", 0) in _UNREADABLE


def rows_after(connection: apsw.Connection, position: int, most: int) -> list[Row]:
    """Up to `most` readable rows after `position`, ascending; skips what the file can no longer give.

    Raises:
        apsw.SQLError: the tables are not there yet.
        apsw.BusyError: the writer is just recovering the file.
    """
    return _readable(connection, position, most, way=1)


def rows_before(connection: apsw.Connection, position: int, most: int) -> list[Row]:
    """Up to `most` sound rows before `position`, descending; skips and raises as `rows_after` does.

    A row that is not sound may lie anywhere: what it says of its place must not lead past others.
    """
    return _readable(connection, position, most, way=-1)


def _readable(connection: apsw.Connection, position: int, most: int, *, way: int) -> list[Row]:
    """`way` is 1 for the rows after `position` and -1 for those before it."""
    rows = _until_damage(connection, position, most, way)
    if rows is not None:
        return rows
    beyond = _next_readable(connection, position, way)
    return [] if beyond is None else _until_damage(connection, beyond, most, way) or []


def _until_damage(connection: apsw.Connection, position: int, most: int, way: int) -> list[Row] | None:
    """Rows up to the first damaged place; None when that place comes first."""
    rows: list[Any] = []
    try:
        for row in connection.execute(_AFTER if way > 0 else _BEFORE, (position, most)):
            # A damaged tree can lead back to where we were, or far away.
            if (row[0] - position) * way <= 0 or (way < 0 and not is_sound(row)):
                return rows or None
            position = row[0]
            rows.append(row)
    except DAMAGE:
        return rows or None
    return rows


def _next_readable(connection: apsw.Connection, position: int, way: int) -> int | None:
    """The nearest position beyond which a row can be read again: doubling steps away, then halving back."""
    step = 1
    while _until_damage(connection, position + way * step, 1, way) is None:
        step *= 2
        if step > END:
            return None
    unreadable, readable = step // 2, step
    while readable - unreadable > 1:
        middle = (unreadable + readable) // 2
        if _until_damage(connection, position + way * middle, 1, way) is None:
            unreadable = middle
        else:
            readable = middle
    return position + way * readable


def series_after(connection: apsw.Connection, number: int) -> Iterator[tuple[int, int, SeriesKey | None]]:
    """(number, id, key) of the series records after `number`; the key is None where the record is damaged.

    An id is the hash of its key, so each record proves itself.
    """
    for found, identity, *parts in connection.execute(_SERIES_AFTER, (number,)):
        try:
            key = SeriesKey(*(bytes(part).decode("utf-8") for part in parts))
        except (TypeError, UnicodeDecodeError):
            key = None
        yield found, identity, key if key is not None and series_id(key) == identity else None


def texts_after(connection: apsw.Connection, number: int) -> Iterator[tuple[int, int, tuple[str, str] | None]]:
    """(number, code, (factory, text)) of the text records after `number`; None where the record is damaged.

    A code is the hash of its text, so each record proves itself.
    """
    for found, code, *parts in connection.execute(_TEXTS_AFTER, (number,)):
        try:
            factory, text = (bytes(part).decode("utf-8") for part in parts)
        except (TypeError, UnicodeDecodeError):
            yield found, code, None
        else:
            yield found, code, (factory, text) if text_code(factory, text) == code else None


def clocks(connection: apsw.Connection) -> Iterator[tuple[str, str, int]]:
    """(factory, device, offset) of the clock records that can be read; one that cannot is found out anew."""
    for factory, device, offset_us in connection.execute(_CLOCKS):
        try:
            yield bytes(factory).decode("utf-8"), bytes(device).decode("utf-8"), int(offset_us)
        except (TypeError, ValueError):
            continue
