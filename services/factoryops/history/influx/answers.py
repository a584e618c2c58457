"""Reads the server's CSV a column at a time: a million rows take well under a second and no Python code per row."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from factoryops.domain.errors import UnavailableError

_COMMA: Final = ord(",")
_MINUS: Final = ord("-")
_NEW_LINE: Final = ord("\n")
_ZERO: Final = ord("0")
_WHOLE_SECONDS: Final = 20  # characters of 2024-01-01T00:00:00Z

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


class Origin(NamedTuple):
    """What a part of an answer is; device and field are "" where the query does not keep them."""

    result: str
    device: str
    field: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of one result and series.

    Attributes:
        time_us: int64[n], microseconds since 1970 (UTC).
        value: float64[n].
    """

    time_us: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]

    @classmethod
    def empty(cls) -> Answer:
        """No rows."""
        return cls(np.empty(0, np.int64), np.empty(0, np.float64))


def parse_answer(body: bytes) -> dict[Origin, Answer]:
    """The rows of every result and series, in the order of the answer.

    The columns _time and _value must stand before those that hold text, as the server writes them.

    Raises:
        UnavailableError: the server broke off with an error.
    """
    found: dict[Origin, list[Answer]] = {}
    for block in body.split(b"\r\n\r\n"):
        if block.strip():
            for origin, answer in _parse_block(block.strip(b"\r\n")):
                found.setdefault(origin, []).append(answer)
    return {origin: _joined(answers) for origin, answers in found.items()}


def _joined(answers: list[Answer]) -> Answer:
    if len(answers) == 1:
        return answers[0]
    return Answer(np.concatenate([one.time_us for one in answers]), np.concatenate([one.value for one in answers]))


def _parse_block(block: bytes) -> list[tuple[Origin, Answer]]:
    """The tables under one header."""
    header, _, rows = block.partition(b"\r\n")
    columns = header.decode().split(",")
    if "error" in columns:
        raise UnavailableError(f"InfluxDB broke off the query: {_cells(rows)[columns.index('error')]}")
    if not rows:
        return []
    cells = _Cells(rows + b"\r\n")
    table = cells.integers(columns.index("table"))
    time_us, value = cells.times(columns.index("_time")), cells.numbers(columns.index("_value"))
    edges = [0, *(np.flatnonzero(np.diff(table)) + 1).tolist(), len(table)]
    return [
        (_origin(columns, cells.row(low)), Answer(time_us[low:high], value[low:high])) for low, high in pairwise(edges)
    ]


def _cells(rows: bytes) -> list[str]:
    return next(csv.reader([rows.split(b"\r\n", 1)[0].decode()]))


def _origin(columns: list[str], row: bytes) -> Origin:
    cells = dict(zip(columns, _cells(row), strict=True))
    return Origin(cells["result"], cells.get("device", ""), cells.get("_field", ""))


class _Cells:
    """Rows of text whose leading columns are not quoted."""

    def __init__(self, rows: bytes) -> None:
        self._rows = rows
        self._data = np.frombuffer(rows, np.uint8)
        self._ends = np.flatnonzero(self._data == _NEW_LINE)
        self._starts = np.append(0, self._ends[:-1] + 1)
        self._commas = np.flatnonzero(self._data == _COMMA)
        self._first_comma = np.searchsorted(self._commas, self._starts)

    def row(self, number: int) -> bytes:
        return self._rows[int(self._starts[number]) : int(self._ends[number])]

    def _bounds(self, column: int) -> tuple[Places, Places]:
        """Where the cells of a column begin and end."""
        begin = self._commas[self._first_comma + column - 1] + 1
        following = self._first_comma + column
        end = np.append(self._commas, len(self._data))[following]
        return begin, np.minimum(end, self._ends - 1)

    def _digits(self, places: Places) -> npt.NDArray[np.int64]:
        return self._data[places].astype(np.int64) - _ZERO

    def integers(self, column: int) -> npt.NDArray[np.int64]:
        """Whole numbers that are not negative."""
        begin, end = self._bounds(column)
        total = np.zeros(len(begin), np.int64)
        for place in range(int((end - begin).max())):
            is_inside = begin + place < end
            total = np.where(is_inside, total * 10 + self._digits(np.minimum(begin + place, end - 1)), total)
        return total

    def times(self, column: int) -> npt.NDArray[np.int64]:
        """RFC 3339 in UTC, as microseconds since 1970; finer digits are cut off."""
        begin, end = self._bounds(column)
        year, month, day, hour, minute, second = (
            self._number(begin + first, count) for first, count in ((0, 4), (5, 2), (8, 2), (11, 2), (14, 2), (17, 2))
        )
        months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
        days = months.astype("datetime64[D]").astype(np.int64) + day - 1
        seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
        return seconds * 1_000_000 + self._fraction_us(begin, end)

    def _number(self, begin: Places, count: int) -> npt.NDArray[np.int64]:
        total = self._digits(begin)
        for place in range(1, count):
            total = total * 10 + self._digits(begin + place)
        return total

    def _fraction_us(self, begin: Places, end: Places) -> npt.NDArray[np.int64]:
        """The digits behind the point, of which trailing zeros are not written."""
        total = np.zeros(len(begin), np.int64)
        for place in range(6):
            is_there = end - begin - 1 - _WHOLE_SECONDS > place
            if is_there.any():
                digits = self._digits(np.where(is_there, begin + _WHOLE_SECONDS + place, begin))
                total += np.where(is_there, digits, 0) * 10 ** (5 - place)
        return total

    def numbers(self, column: int) -> npt.NDArray[np.float64]:
        """Floats, exactly as written."""
        begin, end = self._bounds(column)
        step = np.zeros(len(self._data) + 1, np.int8)
        step[begin] += 1
        step[end + 1] -= 1
        text = self._data[np.cumsum(step[:-1], dtype=np.int8).view(np.bool_)]
        text[np.cumsum(end - begin + 1) - 1] = _COMMA
        value = np.array(msgspec.json.decode(b"[" + text[:-1].tobytes() + b"]", type=list[float]), np.float64)
        value[(value == 0) & (self._data[begin] == _MINUS)] = -0.0
        return value
