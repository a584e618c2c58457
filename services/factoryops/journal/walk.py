"""Reading a journal's rows past damaged places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import apsw

from factoryops.domain.samples import SeriesKey, series_id, text_code

DAMAGE: Final = (apsw.CorruptError, apsw.IOError, apsw.NotADBError)

_AFTER: Final = "SELECT seq, previous, received_us, crc, data FROM batch WHERE seq > ? ORDER BY seq LIMIT ?"
_SERIES_AFTER: Final = (
    "SELECT number, id, CAST(factory AS BLOB), CAST(device AS BLOB), CAST(parameter AS BLOB)"
    " FROM series WHERE number > ? ORDER BY number"
)
_TEXTS_AFTER: Final = (
    "SELECT number, code, CAST(factory AS BLOB), CAST(text AS BLOB) FROM text WHERE number > ? ORDER BY number"
)
_END: Final = 1 << 61

Row = tuple[int, int, int, int, bytes]
"""seq, previous, received_us, crc, data."""


def rows_after(connection: apsw.Connection, position: int, most: int) -> list[Row]:
    """Up to `most` readable rows after `position`, ascending; skips what the file can no longer give.

    Raises:
        apsw.SQLError: the tables are not there yet.
        apsw.BusyError: the writer is just recovering the file.
    """
    rows = _until_damage(connection, position, most)
    if rows is not None:
        return rows
    beyond = _next_readable(connection, position)
    return [] if beyond is None else _until_damage(connection, beyond, most) or []


def _until_damage(connection: apsw.Connection, position: int, most: int) -> list[Row] | None:
    """Rows up to the first damaged place; None when that place comes first."""
    rows: list[Any] = []
    try:
        for row in connection.execute(_AFTER, (position, most)):
            if row[0] <= position:  # a damaged tree can lead back to where we were
                return rows or None
            position = row[0]
            rows.append(row)
    except DAMAGE:
        return rows or None
    return rows


def _next_readable(connection: apsw.Connection, position: int) -> int | None:
    """The lowest position after which a row can be read again: doubling steps forward, then halving back."""
    step = 1
    while _until_damage(connection, position + step, 1) is None:
        step *= 2
        if position + step > _END:
            return None
    unreadable, readable = position + step // 2, position + step
    while readable - unreadable > 1:
        middle = (unreadable + readable) // 2
        if _until_damage(connection, middle, 1) is None:
            unreadable = middle
        else:
            readable = middle
    return readable


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
