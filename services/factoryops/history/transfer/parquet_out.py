"""Tables as Parquet, with where they come from in the file's own metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from factoryops.domain.errors import StorageError
from factoryops.history.parquet import arrow_module
from factoryops.history.transfer.frames import Counts, Frame, Names, OutColumn, Times, Values

TEXT_SUFFIX = " text"
"""Beside a column of numbers, what is a text: Parquet's columns have one type."""


class ParquetOut:
    """Writes frames to a file; every column of values has one of texts beside it where `has_texts` says so.

    Raises:
        SetupError: pyarrow is not installed.
        StorageError: the file cannot be written.
    """

    def __init__(self, path: Path, header: Sequence[str], origin: Mapping[str, object], *, has_texts: bool) -> None:
        self._path = path
        self._header = list(header)
        self._has_texts = has_texts
        self._pyarrow, self._parquet = arrow_module("pyarrow"), arrow_module("pyarrow.parquet")
        self._origin = {b"factoryops": msgspec.json.encode(dict(origin))}
        self._writer: Any = None

    def write(self, frame: Frame) -> None:
        """Add rows."""
        named: dict[str, Any] = {}
        for name, column in zip(self._header, frame.columns, strict=True):
            named[name] = self._array(column, frame.rows)
            if self._has_texts and isinstance(column, Values):
                named[name + TEXT_SUFFIX] = self._words(column, frame.rows)
        table = self._pyarrow.table(named)
        try:
            if self._writer is None:
                table = table.replace_schema_metadata(self._origin)
                self._writer = self._parquet.ParquetWriter(self._path, table.schema, compression="zstd")
            self._writer.write_table(table)
        except OSError as error:
            raise StorageError(f"The export cannot be written to {self._path} ({error}). Free some space.") from error

    def _array(self, column: OutColumn, rows: int) -> Any:
        pa = self._pyarrow
        if isinstance(column, Times):
            return pa.array(column.time_us, pa.timestamp("us", tz="UTC"))
        if isinstance(column, Counts):
            return pa.array(column.numbers, pa.int64(), mask=column.numbers < 0)
        if isinstance(column, Names):
            texts = [column.texts] * rows if isinstance(column.texts, str) else column.texts
            return pa.array(texts, pa.string())
        return pa.array(column.numbers, pa.float64(), mask=np.isnan(column.numbers))

    def _words(self, column: Values, rows: int) -> Any:
        return self._pyarrow.array([column.words.get(row) for row in range(rows)], self._pyarrow.string())

    def close(self) -> None:
        """Finish the file."""
        try:
            if self._writer is not None:
                self._writer.close()
        except OSError as error:
            raise StorageError(f"The export cannot be written to {self._path} ({error}). Free some space.") from error
