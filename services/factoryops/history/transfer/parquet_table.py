"""Parquet files as tables to import."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np

from factoryops.domain.errors import InvalidInputError
from factoryops.history import parquet
from factoryops.history.transfer.blocks import Block, Column

_MAGIC: Final = b"PAR1"
_ROWS_AT_ONCE: Final = 65_536
_MOST_COLUMNS: Final = 2_000


def is_parquet(file: Path) -> bool:
    """Whether a file begins as Parquet files do."""
    try:
        with file.open("rb") as stream:
            return stream.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror or error}. Check the path.") from error


class ParquetTable:
    """A Parquet file of plain columns. A place in it is a number of rows.

    Args:
        path: the file.
        rows_at_once: how many rows are in memory at a time.

    Raises:
        InvalidInputError: it is damaged.
        SetupError: pyarrow is not installed.
    """

    def __init__(self, path: Path, *, rows_at_once: int = _ROWS_AT_ONCE) -> None:
        self._path = path
        self._rows_at_once = rows_at_once
        with closing(parquet.ParquetTable(path)) as table:
            self.header = [str(name) for name in table.names]
            self.size = table.rows
        if not 2 <= len(self.header) <= _MOST_COLUMNS:
            raise InvalidInputError(
                f"{path.name} has {len(self.header)} columns; 2 to {_MOST_COLUMNS} can be imported."
            )

    def meant(self, cell: str) -> str:
        """A name or text as it stands there."""
        return cell

    def blocks(self, after: int = 0, first_row: int = 0) -> Iterator[Block]:
        """The rows in blocks; see TableFile.blocks. Rows before `after` are read and passed over."""
        place = 0
        with closing(parquet.ParquetTable(self._path)) as table:
            for piece in table.pieces(self.header, most_rows=self._rows_at_once):
                columns = [piece[name] for name in self.header]
                first, place = place, place + len(columns[0])
                if place > after:
                    skipped = max(0, after - first)
                    kept = [_column(column[skipped:]) for column in columns]
                    yield Block(kept, place - first - skipped, first + skipped + 1, place)


def _column(column: parquet.Column) -> Column:
    if column.dtype == np.object_:
        return ["" if cell is None else str(cell) for cell in column.tolist()]
    return column
