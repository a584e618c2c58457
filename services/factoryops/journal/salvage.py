"""Taking what can still be read out of a damaged journal into its successor."""

from __future__ import annotations

import contextlib
import logging
import time
from pathlib import Path
from typing import Final

import apsw

from factoryops.domain.errors import DamagedFileError
from factoryops.domain.time import now_us
from factoryops.journal.records import Gap, check
from factoryops.journal.walk import DAMAGE, END, Row, rows_before

logger = logging.getLogger(__name__)

SALVAGE_S: Final = 5.0
"""How long a start may spend on it; what is left then stays in the damaged file."""

_ROWS_AT_ONCE: Final = 64

_INSERT_ROW: Final = (
    "INSERT OR IGNORE INTO batch (seq, previous, received_us, crc, data, sample_count) VALUES (?, ?, ?, ?, ?, ?)"
)
_COPIED: Final = {
    "series": ("number", "id", "factory", "device", "parameter"),
    "text": ("number", "code", "factory", "text"),
    "clock": ("number", "factory", "device", "offset_us"),
    "quarantine": ("number", "received_us", "factory", "client", "reason", "detail", "topic", "payload", "device"),
}


def salvage(damaged: Path, into: apsw.Connection) -> int:
    """Copy every sound row of the file `damaged` that can be read in time; returns how many rows of samples.

    The newest come first, for they are those that readers may not have passed. Rows that fail their checksum stay
    behind.
    """
    started = time.monotonic()
    copied = 0
    source: apsw.Connection | None = None
    try:
        source = apsw.Connection(str(damaged))
        source.pragma("writable_schema", 1)  # else SQLite refuses a file that was cut short, whole
        for table, columns in _COPIED.items():
            _copy_table(source, into, table, columns)
        position = END
        while time.monotonic() - started < SALVAGE_S:
            rows = rows_before(source, position, _ROWS_AT_ONCE)
            if not rows:
                break
            position = rows[-1][0]
            copied += _keep_sound(into, rows)
    except apsw.Error as error:
        logger.warning("Salvaging %s ended early: %s", damaged, error)
    finally:
        if source is not None:
            with contextlib.suppress(apsw.Error):
                source.close()
    return copied


def _copy_table(source: apsw.Connection, into: apsw.Connection, table: str, columns: tuple[str, ...]) -> None:
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    # A damaged page can hold text that is none, and a file of an older program lacks some of it.
    with contextlib.suppress(*DAMAGE, UnicodeDecodeError, apsw.MismatchError, apsw.SQLError), into:
        for row in source.execute(f"SELECT {names} FROM {table} ORDER BY number"):  # noqa: S608 - constants above
            into.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", row)  # noqa: S608 - as above


def _keep_sound(into: apsw.Connection, rows: list[Row]) -> int:
    sound: list[tuple[object, ...]] = []
    for row in rows:
        with contextlib.suppress(DamagedFileError):
            sound.append((*row, check(row)))
    with into:
        into.executemany(_INSERT_ROW, sound)
    return len(sound)


def holes(connection: apsw.Connection) -> list[Gap]:
    """A gap for every place where rows are missing between two that are there."""
    reason = "A part of the journal was damaged: samples received in this span may be missing."
    found = connection.execute(
        "SELECT before, received_us FROM ("
        " SELECT received_us, previous, seq, lag(seq) OVER w AS before_seq, lag(received_us) OVER w AS before"
        " FROM batch WINDOW w AS (ORDER BY seq)) WHERE before_seq IS NOT NULL AND previous <> before_seq"
    )
    return [Gap(start, max(start, end), reason) for start, end in found]


def tail_gap(connection: apsw.Connection) -> Gap:
    """The gap from the newest row until now: nobody can tell what followed it."""
    moment = now_us()
    newest = connection.execute("SELECT max(received_us) FROM batch").get
    start = moment - 60_000_000 if newest is None else min(int(newest), moment)
    return Gap(
        start,
        moment,
        "The journal was damaged and has been set aside; samples received in this span may be missing. "
        "The damaged file is kept beside the new one.",
    )
