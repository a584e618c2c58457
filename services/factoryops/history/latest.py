"""The newest sample of every series: as columns in memory, as a few pages of columns on disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import apsw
import numpy as np
import numpy.typing as npt

from factoryops.domain.samples import SampleColumns

SCHEMA: Final = "CREATE TABLE IF NOT EXISTS latest_page (page INTEGER PRIMARY KEY, data BLOB NOT NULL);"

_PAGE_ROWS: Final = 4_096
_ROW: Final = np.dtype([("series", "<i8"), ("time_us", "<i8"), ("value", "<f8"), ("flags", "u1")])
_NEVER_US: Final = -(1 << 63)


class Latest:
    """What the writer knows; a series keeps its place in the pages for ever."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._held = self._written = _Held(read_pages(connection))

    def get(self, series: int, default: int | None = None) -> int | None:
        """The time of one series' newest sample; `default` when it has none."""
        time_us = int(self.times_us(np.array([series], np.int64))[0])
        return default if time_us == _NEVER_US else time_us

    def times_us(self, series: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The times of the newest samples; before all time for series that are not known."""
        place, is_known = self._held.places(series)
        times = np.full(len(series), _NEVER_US, np.int64)
        times[is_known] = self._held.samples.time_us[place[is_known]]
        return times

    def write(self, newest: SampleColumns) -> None:
        """Write the pages that `newest` (one sample per series) moves on; the caller holds a transaction."""
        old = _Held(read_pages(self._connection))
        place, is_known = old.places(newest.series)
        is_newer = is_known.copy()
        is_newer[is_known] = newest.time_us[is_known] >= old.samples.time_us[place[is_known]]
        added = newest.take(~is_known)
        held = SampleColumns.joined([old.samples, added, SampleColumns.empty()])
        moved = place[is_newer]
        for name in ("time_us", "value", "flags"):
            getattr(held, name)[moved] = getattr(newest, name)[is_newer]
        touched = np.unique(np.append(moved, np.arange(len(old.samples), len(held))) // _PAGE_ROWS)
        self._connection.executemany("INSERT OR REPLACE INTO latest_page VALUES (?, ?)", _pages(held, touched))
        self._written = _Held(held)

    def committed(self) -> None:
        """What was written is on disk."""
        self._held = self._written


class _Held:
    """Samples of many series, one each, and where to find them."""

    def __init__(self, samples: SampleColumns) -> None:
        self.samples = samples
        self._order = np.argsort(samples.series)

    def places(self, series: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        """Where each series lies, and whether it is known at all."""
        if not len(self.samples):
            return np.zeros(len(series), np.intp), np.zeros(len(series), np.bool_)
        found = np.searchsorted(self.samples.series, series, sorter=self._order)
        place = self._order[np.minimum(found, len(self._order) - 1)]
        return place, self.samples.series[place] == series


def _pages(held: SampleColumns, numbers: npt.NDArray[np.intp]) -> Iterator[tuple[int, bytes]]:
    for number in numbers.tolist():
        part = held.part(number * _PAGE_ROWS, (number + 1) * _PAGE_ROWS)
        rows = np.empty(len(part), _ROW)
        for name in ("series", "time_us", "value", "flags"):
            rows[name] = getattr(part, name)
        yield number, rows.tobytes()


def read_pages(connection: apsw.Connection) -> SampleColumns:
    """The newest sample of every series, in the order of their places."""
    data = b"".join(row[0] for row in connection.execute("SELECT data FROM latest_page ORDER BY page"))
    rows = np.frombuffer(data, _ROW)
    columns = [np.ascontiguousarray(rows[name]) for name in ("series", "time_us", "value", "flags")]
    return SampleColumns(*columns)


def read_latest(connection: apsw.Connection, series: npt.NDArray[np.int64]) -> SampleColumns:
    """The newest sample of each of `series` that has one."""
    held = read_pages(connection)
    return held.take(np.isin(held.series, series))


def take_over(connection: apsw.Connection) -> None:
    """Move what an older version kept in a row per series into the pages; the caller holds a transaction."""
    rows = list(connection.execute("SELECT series, time_us, value, flags FROM latest"))
    held = SampleColumns(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float64),
        np.array([row[3] for row in rows], np.uint8),
    )
    pages = np.arange(-(-len(held) // _PAGE_ROWS))
    connection.executemany("INSERT OR REPLACE INTO latest_page VALUES (?, ?)", _pages(held, pages))
    connection.execute("DROP TABLE latest")
