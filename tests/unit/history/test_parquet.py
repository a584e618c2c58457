"""History as Parquet: everything is in it, any reader understands it, and a half-written file is not left behind."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from factoryops.domain.errors import InvalidInputError, StorageError
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, text_code
from factoryops.history import parquet
from factoryops.history.parquet import ParquetTable, ParquetWriter
from tests.support.history_model import FACTORY, START_US

KEY = SeriesKey(FACTORY, "press 1", "Temperatur °C")
STATE = SeriesKey(FACTORY, "press 1", "state")


def _numbers(count: int, first: int = 0) -> SampleColumns:
    return SampleColumns.of([(1, START_US + n * 1_000_003, n / 4) for n in range(first, first + count)], flags=1)


def test_numbers_texts_and_flags_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "history.parquet"
    code = text_code(FACTORY, "läuft")
    states = SampleColumns.of([(2, START_US, float(code))], flags=SampleFlag.TEXT)
    with ParquetWriter(path, factory=FACTORY) as writer:
        writer.write(KEY, _numbers(3), {})
        writer.write(STATE, states, {code: "läuft"})
    with closing(ParquetTable(path)) as table:
        assert (table.names, table.rows) == (["device", "parameter", "time", "value", "text", "flags"], 4)
        (piece,) = table.pieces(table.names, most_rows=10)
    assert piece["device"].tolist() == ["press 1"] * 4
    assert piece["parameter"].tolist() == ["Temperatur °C"] * 3 + ["state"]
    assert piece["time"].tolist() == [*_numbers(3).time_us.tolist(), START_US]
    assert piece["value"].tolist()[:3] == [0.0, 0.25, 0.5]
    assert np.isnan(piece["value"].astype(np.float64)[3])
    assert piece["text"].tolist() == [None, None, None, "läuft"]
    assert piece["flags"].tolist() == [1.0, 1.0, 1.0, 16.0]


def test_long_series_are_written_and_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_GROUP_ROWS", 100)
    path = tmp_path / "history.parquet"
    with ParquetWriter(path, factory=FACTORY) as writer:
        for first in range(0, 500, 50):
            writer.write(SeriesKey(FACTORY, f"device {first}", "p"), _numbers(50, first), {})
    with closing(ParquetTable(path)) as table:
        pieces = list(table.pieces(["value", "device"], most_rows=64))
    assert len(pieces) > 4
    assert np.concatenate([piece["value"] for piece in pieces]).tolist() == [n / 4 for n in range(500)]
    assert [one for piece in pieces for one in piece["device"].tolist()][::50] == [
        f"device {n}" for n in range(0, 500, 50)
    ]


def _break_off(path: Path) -> None:
    with ParquetWriter(path, factory=FACTORY) as writer:
        writer.write(KEY, _numbers(3), {})
        raise KeyError("nobody waits")


def test_a_file_that_was_broken_off_is_removed(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        _break_off(tmp_path / "history.parquet")
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_parquet_is_said_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="cannot be read as a Parquet file"):
        ParquetTable(path)


def test_a_place_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        ParquetWriter(tmp_path / "missing" / "history.parquet", factory=FACTORY)
