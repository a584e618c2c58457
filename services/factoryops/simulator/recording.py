"""Recordings: CSV files of signals over time, read as a device would have measured them."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.plant import KEY_LENGTH, is_key
from factoryops.domain.time import to_us

TRUTH_COLUMNS: Final = frozenset({"anomaly", "changepoint"})
"""Columns that hold what a human knows of the recording; a device would not have sent them."""

_TIME_COLUMNS: Final = ("datetime", "timestamp", "time", "date", "ts", "zeit", "date_time")
_SEPARATORS: Final = (";", ",", "\t")
_DECIMAL_COMMA: Final = re.compile(r"[+-]?\d+,\d+")
_NOT_NUMBERS: Final = frozenset(
    {"", "nan", "na", "n/a", "null", "none", "-", "inf", "+inf", "-inf", "infinity", "-infinity"}
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a recording: its own time and the values present in it."""

    time_us: int
    values: dict[str, float]


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole recording, ascending in time.

    Attributes:
        signals: the names of its signals, in the file's order.
        skipped_cells: cells that held no finite number; their neighbours were kept.
        skipped_rows: lines without a single value.
    """

    signals: tuple[str, ...]
    rows: tuple[Row, ...]
    skipped_cells: int
    skipped_rows: int

    @property
    def span_us(self) -> int:
        """From the first row to the last."""
        return self.rows[-1].time_us - self.rows[0].time_us


def read_recording(file: Path, *, is_truth_included: bool = False) -> Recording:
    """Read a CSV recording.

    Args:
        file: UTF-8, separated by semicolon, comma or tab, with a header; one column must hold the time.
        is_truth_included: keep the columns `anomaly` and `changepoint`, which are left out otherwise.

    Raises:
        InvalidInputError: the file is not such a recording; says where and why.
    """
    lines = _read_lines(file)
    header = lines[0]
    time_index = _time_column(header, lines[1:], file)
    columns = _signal_columns(header, lines[1:], time_index, is_truth_included=is_truth_included)
    if not columns:
        raise InvalidInputError(f"{file.name} has no column of numbers beside its time; there is nothing to publish.")
    rows, skipped_cells, skipped_rows = _rows(lines[1:], time_index, columns, file)
    if not rows:
        raise InvalidInputError(f"{file.name} has a header and no line with a number; there is nothing to publish.")
    return Recording(tuple(columns.values()), rows, skipped_cells, skipped_rows)


def _read_lines(file: Path) -> list[list[str]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{file.name} is not UTF-8 text (byte {error.start}). Save it as UTF-8 CSV.") from error
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror or error}. Check the path.") from error
    first = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    try:
        lines = [line for line in csv.reader(text.splitlines(), delimiter=separator, strict=True) if any(line)]
    except csv.Error as error:
        raise InvalidInputError(f"{file.name} is not a CSV file ({error}).") from error
    if not lines:
        raise InvalidInputError(f"{file.name} is empty.")
    return lines


def _time_column(header: Sequence[str], lines: Sequence[Sequence[str]], file: Path) -> int:
    names = [name.strip().lower() for name in header]
    for wanted in _TIME_COLUMNS:
        if wanted in names:
            return names.index(wanted)
    for index in range(len(header)):
        cell = lines[0][index].strip() if lines and index < len(lines[0]) else ""
        if _number(cell) is None and _moment_us(cell) is not None:
            return index
    raise InvalidInputError(
        f"{file.name} has no time column. Name one of its columns 'datetime' or 'timestamp' "
        f"(it has: {', '.join(header)})."
    )


def _signal_columns(
    header: Sequence[str], lines: Sequence[Sequence[str]], time_index: int, *, is_truth_included: bool
) -> dict[int, str]:
    chosen: dict[int, str] = {}
    for index, name in enumerate(text.strip() for text in header):
        if index == time_index or (name.lower() in TRUTH_COLUMNS and not is_truth_included):
            continue
        if not _is_numeric(line[index] for line in lines if index < len(line)):
            continue
        if not is_key(name) or name in chosen.values():
            raise InvalidInputError(
                f"Column {index + 1} ('{name[:40]}') cannot name a signal: names are unique, printable and of 1 to "
                f"{KEY_LENGTH} characters."
            )
        chosen[index] = name
    return chosen


def _is_numeric(cells: Iterable[str]) -> bool:
    """Whether the first cell that says anything is a number."""
    for cell in cells:
        if cell.strip().lower() not in _NOT_NUMBERS:
            return _number(cell.strip()) is not None
    return False


def _rows(
    lines: Sequence[Sequence[str]], time_index: int, columns: dict[int, str], file: Path
) -> tuple[tuple[Row, ...], int, int]:
    rows: list[Row] = []
    skipped_cells = skipped_rows = 0
    for number, line in enumerate(lines, start=2):
        moment = _moment_us(line[time_index].strip()) if time_index < len(line) else None
        if moment is None:
            raise InvalidInputError(f"Line {number} of {file.name} has no readable time.")
        values = {name: value for index, name in columns.items() if (value := _cell(line, index)) is not None}
        skipped_cells += len(columns) - len(values)
        if values:
            rows.append(Row(moment, values))
        else:
            skipped_rows += 1
    rows.sort(key=lambda row: row.time_us)
    return tuple(rows), skipped_cells, skipped_rows


def _cell(line: Sequence[str], index: int) -> float | None:
    return _number(line[index].strip()) if index < len(line) else None


def _number(text: str) -> float | None:
    if _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _moment_us(text: str) -> int | None:
    """ISO 8601 or Unix seconds or milliseconds; without a zone it is UTC."""
    number = _number(text)
    if number is not None:
        return round(number * (1_000 if number > 2e10 else 1_000_000))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
