"""What concerns the file history.db itself: who may open it, and what a reader makes of it."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from factoryops.domain.errors import SetupError, StorageError
from factoryops.history.local.reader import LocalHistoryReader
from factoryops.history.local.store import LocalHistory
from tests.support.history_model import START_US, columns, plain_keys, rows_of

KEYS = plain_keys(1)
(A,) = KEYS
ALL = (0, 1 << 60)


def test_a_file_of_a_newer_program_stops_the_start_and_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 99)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(SetupError, match="written by a newer FactoryOps"):
        LocalHistory(path)
    assert path.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_folder_that_cannot_be_written_is_named_in_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="give the service's user the right to write"):
            LocalHistory(tmp_path / "history.db")
    finally:
        tmp_path.chmod(0o700)


def test_a_place_that_is_no_folder_is_named_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot be opened for writing"):
        LocalHistory(tmp_path / "file" / "history.db")


def test_a_reader_follows_when_the_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    reader = LocalHistoryReader(path)
    for value in (1.0, 2.0):
        with closing(LocalHistory(path)) as store:
            store.append(columns([(A, START_US, value, 0)]), KEYS, gaps=(), checkpoints={"journal": 1})
        assert rows_of(reader.raw(A, *ALL, most=10)) == [(A, START_US, value, 0)]
        for part in tmp_path.glob("history.db*"):
            part.rename(part.with_name(f"old-{value}-{part.name}"))
    assert len(reader.raw(A, *ALL, most=10)) == 0
    reader.close()


def test_a_reader_started_before_the_tables_exist_waits_quietly(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    path.write_bytes(b"")
    reader = LocalHistoryReader(path)
    assert reader.checkpoint("journal") == 0
    assert reader.binned([A], 0, 10, 1_000_000) == {}
    reader.close()


def test_samples_on_both_sides_of_midnight_are_one_line(tmp_path: Path) -> None:
    midnight_us = START_US - START_US % 86_400_000_000
    with closing(LocalHistory(tmp_path / "history.db")) as store:
        rows = [(A, midnight_us + n, float(n), 0) for n in range(-3, 3)]
        store.append(columns(rows), KEYS, gaps=(), checkpoints={"journal": 1})
        assert rows_of(store.raw(A, midnight_us - 2, midnight_us + 2, most=10)) == rows[1:5]
        assert store.binned([A], *ALL, 86_400_000_000)[A].count.tolist() == [3, 3]
