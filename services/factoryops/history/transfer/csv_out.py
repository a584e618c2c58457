"""Tables as CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from factoryops.domain.errors import StorageError
from factoryops.history.transfer.frames import Counts, Frame, Names, OutColumn, Times, Values

_FORMULA: Final = re.compile(r"[\s\"';,]*[=+\-@\t\r＝＋－＠]")
"""What a spreadsheet might take for a formula, even behind a quote or a separator."""

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class CsvStyle:
    """How it is written."""

    delimiter: str = ","
    decimal: str = "."
    has_bom: bool = False


def safe_text(text: str) -> str:
    """A text that no spreadsheet calculates: with an apostrophe before what might be a formula."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def meant_text(cell: str) -> str:
    """What `safe_text` was given."""
    return cell[1:] if cell.startswith("'") and safe_text(cell[1:]) == cell else cell


class CsvOut:
    """Writes frames to a file.

    Raises:
        StorageError: the disk is full, or the file cannot be written.
    """

    def __init__(self, path: Path, header: Sequence[str], style: CsvStyle, origin: Sequence[str] = ()) -> None:
        self._path = path
        self._style = style
        self._quote: dict[str, str] = {}
        try:
            self._file: TextIO = path.open("w", encoding="utf-8-sig" if style.has_bom else "utf-8", newline="")
            self._file.writelines(f"# {line}\r\n" for line in origin)
            self._file.write(style.delimiter.join(map(self._text, header)) + "\r\n")
        except OSError as error:
            raise _cannot(path, error) from error

    def write(self, frame: Frame) -> None:
        """Add rows."""
        cells = [self._cells(column, frame.rows) for column in frame.columns]
        lines = map(self._style.delimiter.join, zip(*cells, strict=True))
        try:
            self._file.write("\r\n".join(lines) + "\r\n" if frame.rows else "")
        except OSError as error:
            raise _cannot(self._path, error) from error

    def _cells(self, column: OutColumn, rows: int) -> list[str]:
        if isinstance(column, Times):
            return times_as_text(column.time_us)
        if isinstance(column, Counts):
            return [str(number) if number >= 0 else "" for number in column.numbers.tolist()]
        if isinstance(column, Names):
            return [self._text(column.texts)] * rows if isinstance(column.texts, str) else self._texts(column.texts)
        return self._values(column)

    def _values(self, column: Values) -> list[str]:
        cells = ["" if number != number else repr(number) for number in column.numbers.tolist()]  # noqa: PLR0124 - NaN
        if self._style.decimal == ",":
            cells = [self._text(cell.replace(".", ",")) if cell else cell for cell in cells]
        for place, word in column.words.items():
            cells[place] = self._text(word)
        return cells

    def _texts(self, texts: list[str]) -> list[str]:
        known = {text: self._text(text) for text in set(texts)}
        return [known[text] for text in texts]

    def _text(self, text: str) -> str:
        """A cell; numbers with a decimal comma pass through here too, for the quotes."""
        safe = text if _NUMBER.fullmatch(text.replace(",", ".")) else safe_text(text)
        if any(sign in safe for sign in (self._style.delimiter, '"', "\n", "\r")):
            return '"' + safe.replace('"', '""') + '"'
        return safe

    def close(self) -> None:
        """Finish the file."""
        try:
            self._file.close()
        except OSError as error:
            raise _cannot(self._path, error) from error


def times_as_text(time_us: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> list[str]:
    """ISO 8601 in UTC, to the microsecond where there is a fraction at all."""
    has_fraction = bool((time_us % 1_000_000).any())
    moments = time_us.astype("datetime64[us]") if has_fraction else (time_us // 1_000_000).astype("datetime64[s]")
    texts: list[str] = np.datetime_as_string(moments).tolist()
    return [text + "Z" for text in texts]


def _cannot(path: Path, error: OSError) -> StorageError:
    return StorageError(f"The export cannot be written to {path} ({error.strerror or error}). Free some space.")
