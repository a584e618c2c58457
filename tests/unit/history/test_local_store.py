"""What concerns the file history.db itself: who may open it, and what a reader makes of it."""

from __future__ import annotations

import contextlib
import os
import random
import sys
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from factoryops.domain.errors import AbandonedError, DamagedFileError, SetupError, StorageError
from factoryops.domain.samples import SampleColumns
from factoryops.history.local.reader import LocalHistoryReader
from factoryops.history.local.store import LocalHistory
from factoryops.journal.records import NEVER_TOLD, Gap
from tests.support.history_model import FACTORY, START_US, ModelHistory, Row, assert_bins, columns, plain_keys, rows_of

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


def test_bins_of_years_are_read_in_short_transactions_and_end_when_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("factoryops.history.local.reader._DAYS_AT_ONCE", 2)
    rows: list[Row] = [(A, START_US + n * 3_500_000_000, float(n % 9), 0) for n in range(1_000)]
    model, asked = ModelHistory(), []
    model.append(rows)
    with closing(LocalHistory(tmp_path / "history.db")) as store:
        store.append(columns(rows), KEYS, gaps=(), checkpoints={"journal": 1})
        for span in (ALL, (START_US + 5, START_US + 30 * 86_400_000_000 + 7)):
            for width_us in (60_000_000, 86_400_000_000, 604_800_000_000):
                assert_bins(store.binned([A], *span, width_us)[A], model.binned(A, *span, width_us))

        def is_enough() -> bool:
            asked.append(True)
            return len(asked) > 5

        with pytest.raises(AbandonedError):
            store.binned([A], *ALL, 60_000_000, cancelled=is_enough)


def test_a_second_writer_is_refused_with_the_first_one_s_process_id(tmp_path: Path) -> None:
    with closing(LocalHistory(tmp_path / "history.db")) as store:
        store.append(columns([(A, START_US, 1.0, 0)]), KEYS, gaps=(), checkpoints={"journal": 1})
        with pytest.raises(SetupError, match=rf"written by another process \(id {os.getpid()}\)"):
            LocalHistory(tmp_path / "history.db")
        assert rows_of(store.raw(A, *ALL, most=10)) == [(A, START_US, 1.0, 0)]
    LocalHistory(tmp_path / "history.db").close()


def test_a_damaged_roll_up_is_passed_over_and_the_samples_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "history.db"
    rows: list[Row] = [(A, START_US + n * 1_000_000, float(n % 7), 0) for n in range(4_000)]
    with closing(LocalHistory(path)) as store:
        store.append(columns(rows), KEYS, gaps=(), checkpoints={"journal": 1})
        expected = store.binned([A], *ALL, 3_600_000_000)[A]
        connection = apsw.Connection(str(path))
        assert connection.execute("SELECT sum(length(hours)) FROM rollup").get > 0
        connection.execute("UPDATE rollup SET hours = CAST(x'00' || substr(hours, 2) AS BLOB), minutes = x''")
        connection.close()
        found = store.binned([A], *ALL, 3_600_000_000)[A]
    assert found.count.tolist() == expected.count.tolist()
    assert found.inner.tolist() == pytest.approx(expected.inner.tolist())
    assert "A roll-up of series" in caplog.text


def test_a_file_of_version_1_is_brought_up_to_date_without_losing_anything(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    rows: list[Row] = [(A, START_US + n * 1_000_000, float(n % 7), 0) for n in range(4_000)]
    with closing(LocalHistory(path)) as store:
        store.append(columns(rows), KEYS, gaps=(), checkpoints={"journal": 1})
        store.append(columns([(A, START_US + 5_000_000_000, 1.0, 1)]), KEYS, gaps=(), checkpoints={"journal": 2})
        expected = store.binned([A], *ALL, 60_000_000)[A]
    _make_version_1(path)
    with closing(LocalHistory(path)) as store:
        assert store.checkpoint("journal") == 2
        assert rows_of(store.latest([A])) == [(A, START_US + 5_000_000_000, 1.0, 1)]
        assert store.binned([A], *ALL, 60_000_000)[A].count.tolist() == expected.count.tolist()
        store.tidy(budget_s=5)
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        assert connection.execute("SELECT count(*) FROM rollup").get == 1
        connection.close()
        assert store.binned([A], *ALL, 60_000_000)[A].inner.tolist() == pytest.approx(expected.inner.tolist())
        assert rows_of(store.raw(A, *ALL, most=10_000))[:4_000] == rows


def test_gaps_of_a_file_that_does_not_keep_when_they_were_told_were_told_in_time(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    gap = Gap(10, 20, "broker", FACTORY, told_us=NEVER_TOLD)
    with closing(LocalHistory(path)) as store:
        store.append(SampleColumns.empty(), {}, gaps=[gap], checkpoints={"journal": 1})
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("ALTER TABLE gap DROP COLUMN told_us")
    with closing(LocalHistoryReader(path)) as reader:
        assert reader.gaps(FACTORY, 0, 100) == [Gap(10, 20, "broker", FACTORY)]
    with closing(LocalHistory(path)) as store:
        store.append(SampleColumns.empty(), {}, gaps=[gap], checkpoints={"journal": 2})
        assert store.gaps(FACTORY, 0, 100) == [Gap(10, 20, "broker", FACTORY)]


def _make_version_1(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute(
        "DROP INDEX block_shared; ALTER TABLE block DROP COLUMN low; ALTER TABLE block DROP COLUMN high;"
    )
    connection.execute("DROP TABLE rollup; DROP TABLE upkeep; DROP TABLE text; DROP TABLE latest_page;")
    connection.execute("CREATE TABLE latest (series INTEGER PRIMARY KEY, time_us INTEGER, value REAL, flags INTEGER)")
    connection.execute("INSERT INTO latest VALUES (?, ?, 1.0, 1)", (A, START_US + 5_000_000_000))
    connection.pragma("user_version", 1)
    connection.close()


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_damaged_what_cannot_be_read_is_reported(tmp_path: Path, seed: int) -> None:
    """A flipped byte, a page of zeros or a cut end somewhere: nothing is invented, nothing is lost in silence."""
    path, chance = tmp_path / "history.db", random.Random(seed)
    rows: list[Row] = [(A, START_US + n * 1_000_000, float(n % 7) / 3, 0) for n in range(30_000)]
    with closing(LocalHistory(path)) as store:
        store.append(columns(rows), KEYS, gaps=(), checkpoints={"journal": 1})
    data = bytearray(path.read_bytes())
    place = chance.randrange(len(data))
    if seed % 3 == 0:
        data[place] ^= 0x10
    elif seed % 3 == 1:
        data[place // 8_192 * 8_192 : place // 8_192 * 8_192 + 8_192] = bytes(8_192)
    else:
        del data[place:]
    path.write_bytes(data)
    with closing(LocalHistory(path)) as store:
        with contextlib.suppress(DamagedFileError):
            store.tidy(budget_s=5)
        found = rows_of(store.raw(A, *ALL, most=100_000))
        gaps = store.gaps(FACTORY, *ALL)
    assert set(found) <= set(rows)
    assert found == rows or gaps, f"seed {seed}"
