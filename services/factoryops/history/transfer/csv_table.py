"""CSV files in blocks: bounded memory whatever the file holds, and a place to go on from after each block."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from factoryops.domain.errors import InvalidInputError, StorageError
from factoryops.history.transfer.blocks import Block
from factoryops.history.transfer.csv_out import meant_text

BLOCK_BYTES: Final = 4 << 20
LONGEST_LINE_BYTES: Final = 1 << 20
MOST_COLUMNS: Final = 2_000
_LOOK_BYTES: Final = 256 << 10
_DELIMITERS: Final = (";", "\t", ",", "|")
_COMMA_NUMBER: Final = re.compile(r"\s*[+-]?\d+,\d+(?:[eE][+-]?\d+)?\s*")
_POINT_NUMBER: Final = re.compile(r"\s*[+-]?\d+\.\d+(?:[eE][+-]?\d+)?\s*")
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

SHORT_ROW: Final = "wrong_number_of_cells"
UNREADABLE_ROW: Final = "unreadable_row"


@dataclass(frozen=True, slots=True)
class CsvForm:
    """How a file is written.

    Attributes:
        encoding: "utf-8", "utf-16-le", "utf-16-be" or "windows-1252".
        start: where its text begins, behind a byte order mark.
    """

    encoding: str
    delimiter: str
    decimal: str
    start: int


class CsvTable:
    """A CSV file with a header; lines that begin with # before it are passed over.

    Raises:
        InvalidInputError: it is not such a file; says why.
        StorageError: it cannot be read.
    """

    def __init__(
        self, path: Path, *, encoding: str | None = None, delimiter: str | None = None, decimal: str | None = None
    ) -> None:
        self._path = path
        head = _head(path)
        self.form = _form(head, encoding, delimiter, decimal, path.name)
        self._newline = "\n".encode(self.form.encoding)
        self._body, first_line = self._find_header(head)
        self.header = self._split(first_line)
        self._header_lines = head[: self._body].count(self._newline)
        _check_header(self.header, path.name)
        self.size = path.stat().st_size

    def _find_header(self, head: bytes) -> tuple[int, str]:
        """Where the rows begin, and the line before them."""
        place = self.form.start
        while place < len(head):
            end = _find_aligned(head, self._newline, place)
            end = len(head) if end < 0 else end + len(self._newline)
            line = head[place:end].decode(self.form.encoding, "replace").rstrip("\r\n")
            place = end
            if line.strip() and not line.startswith("#"):
                return place, line
        raise InvalidInputError(f"{self._path.name} has no header line; its first line must name the columns.")

    def _split(self, line: str) -> list[str]:
        try:
            return [cell.strip() for cell in next(csv.reader([line], delimiter=self.form.delimiter))]
        except csv.Error as error:
            raise InvalidInputError(f"The header of {self._path.name} is no CSV ({error}).") from error

    def meant(self, cell: str) -> str:
        """A name or text without the apostrophe that keeps spreadsheets from calculating it."""
        return meant_text(cell)

    def blocks(self, after: int = 0, first_row: int = 0) -> Iterator[Block]:
        """The rows in blocks of about 4 MiB; see TableFile.blocks. Rows are numbered as lines of the file."""
        place = max(after, self._body)
        row = first_row or self._header_lines + 1
        try:
            with self._path.open("rb") as file:
                file.seek(place)
                for part in self._parts(file):
                    place += len(part)
                    block = self._block(part, row, place)
                    row += part.count(self._newline)
                    yield block
        except OSError as error:
            raise StorageError(f"{self._path.name} cannot be read: {error.strerror or error}.") from error

    def _parts(self, file: BinaryIO) -> Iterator[bytes]:
        """Whole lines, about a block at a time."""
        rest = b""
        while piece := file.read(BLOCK_BYTES):
            data = rest + piece
            cut = _rfind_aligned(data, self._newline) + len(self._newline)
            if cut < len(self._newline):
                cut = 0
            if len(data) - cut > LONGEST_LINE_BYTES:
                raise InvalidInputError(
                    f"{self._path.name} has a line of more than 1 MiB; that is no table of samples. Nothing more of it "
                    "is read."
                )
            if cut:
                yield data[:cut]
            rest = data[cut:]
        if rest:
            yield rest

    def _block(self, part: bytes, row: int, end: int) -> Block:
        columns = self._even_columns(part)
        if columns is not None:
            return Block(columns, len(columns[0]), row, end)
        text = part.decode(self.form.encoding, "replace")
        refused: Counter[str] = Counter()
        rows = _rows(text, self.form.delimiter, refused)
        width = len(self.header)
        if not all(len(cells) == width for cells in rows):
            kept = [cells for cells in rows if len(cells) == width]
            refused[SHORT_ROW] += sum(1 for cells in rows if cells and len(cells) != width)
            rows = kept
        columns = [list(cells) for cells in zip(*rows, strict=True)] if rows else [[] for _ in self.header]
        return Block([*columns], len(rows), row, end, refused)

    def _even_columns(self, part: bytes) -> list[list[str]] | None:
        """The columns of a block without quotes whose lines all have as many cells as the header; else None.

        One split for all rows: a list per row would cost several times as much.
        """
        if len(self._newline) > 1 or b'"' in part or not part.endswith(b"\n"):
            return None
        delimiter, width = self.form.delimiter, len(self.header)
        signs = np.frombuffer(part, np.uint8)
        line_ends = np.flatnonzero(signs == ord("\n"))
        places = np.flatnonzero(signs == ord(delimiter))
        per_line = np.diff(np.searchsorted(places, line_ends), prepend=0)
        if not (per_line == width - 1).all():
            return None
        text = part.decode(self.form.encoding, "replace").replace("\r\n", "\n")
        cells = text.replace("\n", delimiter).split(delimiter)
        return [cells[place:-1:width] for place in range(width)]


def _rows(text: str, delimiter: str, refused: Counter[str]) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return list(_line_by_line(text, delimiter, refused))


def _line_by_line(text: str, delimiter: str, refused: Counter[str]) -> Iterator[list[str]]:
    """A quote that is never closed, or a cell beyond all measure, costs its line and no more."""
    for line in text.splitlines():
        try:
            yield from csv.reader([line], delimiter=delimiter)
        except csv.Error:
            refused[UNREADABLE_ROW] += 1


# --- finding out how a file is written -------------------------------------------------------------------------------


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(_LOOK_BYTES)
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror or error}. Check the path.") from error
    if not head.strip():
        raise InvalidInputError(f"{path.name} is empty.")
    return head


def _form(head: bytes, encoding: str | None, delimiter: str | None, decimal: str | None, name: str) -> CsvForm:
    found, start = _encoding_of(head)
    if encoding is not None and not (encoding == "utf-16" and found.startswith("utf-16")):
        found = "utf-16-le" if encoding == "utf-16" else encoding
    text = head[start:].decode(found, "replace")
    if text[:4_096].count("\0") > 16:
        raise InvalidInputError(f"{name} is not text but binary data; only CSV and Parquet files can be imported.")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")][:200]
    if len(head) == _LOOK_BYTES and len(lines) < 2:
        raise InvalidInputError(f"{name} has a line of more than {_LOOK_BYTES >> 10} KiB; that is no table of samples.")
    chosen = delimiter or _delimiter_of(lines)
    return CsvForm(found, chosen, decimal or _decimal_of(lines, chosen), start)


def _encoding_of(head: bytes) -> tuple[str, int]:
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name, len(mark)
    sample = head[:4_096]
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(sample) > 8 and sample[offset::2].count(0) > len(sample) // 2 * 0.8:
            return name, 0
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "windows-1252", 0
    return "utf-8", 0


def _delimiter_of(lines: list[str]) -> str:
    """What cuts the lines into the same number of cells; of several the one that makes most."""
    best, most = ",", 0
    for delimiter in _DELIMITERS:
        counts = [line.count(delimiter) for line in lines[:50]]
        steady = bool(counts) and counts.count(counts[0]) >= len(counts) * 0.8
        if steady and counts[0] > most:
            best, most = delimiter, counts[0]
    return best if most else max(_DELIMITERS, key=lines[0].count if lines else ",".count)


def _decimal_of(lines: list[str], delimiter: str) -> str:
    if delimiter == ",":
        return "."
    cells = [cell.strip('"') for line in lines[1:] for cell in line.split(delimiter)]
    commas, points = (sum(1 for cell in cells if form.fullmatch(cell)) for form in (_COMMA_NUMBER, _POINT_NUMBER))
    return "," if commas > points else "."


def _check_header(header: list[str], name: str) -> None:
    if len(header) > MOST_COLUMNS:
        raise InvalidInputError(f"{name} has {len(header)} columns; at most {MOST_COLUMNS} can be imported.")
    if len(header) < 2:
        raise InvalidInputError(f"{name} has one column only; a time and a value are needed. Check the delimiter.")
    twice = next((one for one in header if one and header.count(one) > 1), None)
    if twice is not None:
        raise InvalidInputError(f"Two columns of {name} are called {twice[:80]}; give each a name of its own.")


def _find_aligned(data: bytes, newline: bytes, start: int) -> int:
    """The next line end; in UTF-16 only at whole characters."""
    place = data.find(newline, start)
    while place >= 0 and (place - start) % len(newline):
        place = data.find(newline, place + 1)
    return place


def _rfind_aligned(data: bytes, newline: bytes) -> int:
    place = data.rfind(newline)
    while place >= 0 and place % len(newline):
        place = data.rfind(newline, 0, place + len(newline) - 1)
    return place
