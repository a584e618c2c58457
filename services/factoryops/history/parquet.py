"""Parquet files: the plant's history in a form that any tool reads, and tables of others read piece by piece.

pyarrow is an extra; it is loaded when a file is opened. The layout is described in docs/reference/parquet.md.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from factoryops.domain.errors import InvalidInputError, SetupError, StorageError
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey

_NO_TIME: Final = -(1 << 62)
"""Stands for an empty cell in a column of points in time."""

_NOTHING: Final[Mapping[str, str]] = {}
_WIDEST_ROW_BYTES: Final = 64 << 10
"""A few repeated texts make a small file huge in memory: rows wider than this on average are no samples."""

_GROUP_ROWS: Final = 262_144
"""Rows are gathered to row groups of this size, which readers can skip by their statistics."""

Column = (
    npt.NDArray[np.int64]
    | npt.NDArray[np.float64]
    | npt.NDArray[np.bool_]
    | npt.NDArray[np.datetime64]
    | npt.NDArray[np.object_]
)


def arrow_module(module: str) -> Any:
    """A module of pyarrow; raises SetupError when it is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise SetupError(
            "Parquet files need the package pyarrow, which is not installed. Install the extra, factoryops[parquet], "
            "and try again."
        ) from error


class ParquetWriter:
    """Writes samples of one factory to `path`, a row group at a time; use it as a context manager.

    A writer that leaves its context by an error removes the unfinished file.

    Args:
        path: the file.
        factory: the factory's id.
        origin: what else the file's metadata says of itself.

    Raises:
        SetupError: pyarrow is not installed.
        StorageError: the file cannot be written.
    """

    def __init__(self, path: Path, *, factory: str, origin: Mapping[str, str] = _NOTHING) -> None:
        self._arrow, parquet = arrow_module("pyarrow"), arrow_module("pyarrow.parquet")
        self._path = path
        self._gathered: list[Any] = []
        self._rows = 0
        self._schema = _schema(self._arrow, factory, origin)
        try:
            self._writer = parquet.ParquetWriter(path, self._schema, compression="zstd")
        except OSError as error:
            raise _cannot_write(path, error) from error

    def write(self, key: SeriesKey, samples: SampleColumns, texts: Mapping[int, str]) -> None:
        """Add samples of one series.

        Args:
            key: what the series is called.
            samples: ascending in time.
            texts: what the text codes among them stand for.
        """
        if len(samples):
            self._gathered.append(_table(self._arrow, self._schema, key, samples, texts))
            self._rows += len(samples)
        if self._rows >= _GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._gathered:
            table = self._arrow.concat_tables(self._gathered).unify_dictionaries()
            try:
                self._writer.write_table(table, row_group_size=_GROUP_ROWS)
            except OSError as error:
                raise _cannot_write(self._path, error) from error
        self._gathered, self._rows = [], 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()
        if kind is not None:
            self._path.unlink(missing_ok=True)


def _cannot_write(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{path} cannot be written ({error}). Check the disk's free space and the right to write there."
    )


def _schema(arrow: Any, factory: str, origin: Mapping[str, str]) -> Any:
    name = arrow.dictionary(arrow.int32(), arrow.string())
    fields = [
        ("device", name), ("parameter", name), ("time", arrow.timestamp("us", tz="UTC")),
        ("value", arrow.float64()), ("text", arrow.string()), ("flags", arrow.uint8()),
    ]  # fmt: skip
    return arrow.schema(fields, metadata={"factoryops.factory": factory, **origin})


def _table(arrow: Any, schema: Any, key: SeriesKey, samples: SampleColumns, texts: Mapping[int, str]) -> Any:
    is_text = (samples.flags & SampleFlag.TEXT) != 0
    words: list[str | None] = [None] * len(samples)
    for place in np.flatnonzero(is_text).tolist():
        words[place] = texts.get(int(samples.value[place]))
    return arrow.table(
        [
            _repeated(arrow, key.device, len(samples)),
            _repeated(arrow, key.parameter, len(samples)),
            arrow.array(samples.time_us, arrow.timestamp("us", tz="UTC")),
            arrow.array(samples.value, mask=is_text),
            arrow.array(words, arrow.string()),
            arrow.array(samples.flags),
        ],
        schema=schema,
    )


def _repeated(arrow: Any, text: str, count: int) -> Any:
    return arrow.DictionaryArray.from_arrays(np.zeros(count, np.int32), [text])


class ParquetTable:
    """A Parquet file of whatever origin, read in pieces.

    Attributes:
        names: its columns.
        rows: how many rows it has.

    Raises:
        SetupError: pyarrow is not installed.
        InvalidInputError: the file is not Parquet.
    """

    def __init__(self, path: Path) -> None:
        self._arrow, parquet = arrow_module("pyarrow"), arrow_module("pyarrow.parquet")
        try:
            self._file = parquet.ParquetFile(path)
        except (OSError, self._arrow.ArrowException) as error:
            raise InvalidInputError(f"{path} cannot be read as a Parquet file ({error}).") from error
        self.names: list[str] = list(self._file.schema_arrow.names)
        self.rows: int = self._file.metadata.num_rows

    def pieces(self, names: Sequence[str], *, most_rows: int) -> Iterator[dict[str, Column]]:
        """The given columns, at most `most_rows` rows at a time.

        Points in time come as int64 microseconds since 1970 (UTC), local times and dates without a zone as
        datetime64[us], numbers as float64 with NaN where there is none, truths as bool, everything else as objects
        with None where there is none.

        Raises:
            InvalidInputError: the file is damaged, its rows are too wide, or a time or number in it does not fit.
        """
        try:
            for batch in self._file.iter_batches(batch_size=most_rows, columns=list(names)):
                if batch.nbytes > batch.num_rows * _WIDEST_ROW_BYTES:
                    raise InvalidInputError(
                        f"The Parquet file has rows of more than {_WIDEST_ROW_BYTES >> 10} KiB; that is no table of "
                        "samples. Leave out the columns of long texts."
                    )
                yield {name: self._column(batch.column(name)) for name in names}
        except (OSError, self._arrow.ArrowException) as error:
            raise InvalidInputError(f"The Parquet file cannot be read on ({error}).") from error

    def _column(self, array: Any) -> Column:
        types = self._arrow.types
        if types.is_dictionary(array.type):
            array = array.dictionary_decode()
        kind = array.type
        if types.is_timestamp(kind) or types.is_date(kind):
            return self._times(array)
        if types.is_boolean(kind) and not array.null_count:
            return np.asarray(array.to_numpy(zero_copy_only=False), np.bool_)
        if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
            plain = array.cast(self._arrow.float64(), safe=False)
            return np.asarray(plain.to_numpy(zero_copy_only=False), np.float64)
        return np.array(array.to_pylist(), object)

    def _times(self, array: Any) -> npt.NDArray[np.int64] | npt.NDArray[np.datetime64]:
        zone = getattr(array.type, "tz", None)
        moments = array.cast(self._arrow.timestamp("us", tz=zone))
        if zone is None:
            return np.asarray(moments.to_numpy(zero_copy_only=False), "datetime64[us]")
        return np.asarray(moments.cast(self._arrow.int64()).fill_null(_NO_TIME), np.int64)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
