"""Damage in a journal too large to be checked whole at its opening: it never stops ingest, at the start or in use."""

from __future__ import annotations

import itertools
from pathlib import Path

import apsw
import pytest

from factoryops.domain.errors import StorageError
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.journal import writer as writer_module
from factoryops.journal.reader import JournalReader
from factoryops.journal.records import Batch, ClockOffset, Entry, MessageLedger, QuarantinedMessage
from factoryops.journal.writer import JournalWriter

KEYS = [SeriesKey("f", "d", f"p{number}") for number in range(40)]
IDS = [series_id(key) for key in KEYS]
ROWS = 200
PAGE = 4_096
POINTER_MAP = 2
BAD = QuarantinedMessage(1, b"topic", b"payload", "invalid_json", "x", "f")


@pytest.fixture(autouse=True)
def every_file_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "CHECKED_BYTES", 0)


def entry_of(number: int) -> Entry:
    samples = SampleColumns.of((one, number * 1_000 + place, place * 1.5) for place, one in enumerate(IDS))
    ledger = MessageLedger(number + 2, number + 1, 1)
    return Entry(1_000 + number, ledger, samples, watermark_us=number + 1)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A closed journal that holds something in every table."""
    path = tmp_path / "journal.db"
    with JournalWriter(path) as writer:
        first = Entry(999, MessageLedger(1, 0, 1), quarantined=(BAD,), clocks=(ClockOffset("f", "d", 5_000_000),))
        writer.append(first, KEYS, [("f", "running")])
        for number in range(ROWS):
            writer.append(entry_of(number))
    return path


def first_page_of(path: Path, name: str) -> int:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    page = int(connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).get)
    connection.close()
    return page


def wipe(path: Path, page: int) -> None:
    data = bytearray(path.read_bytes())
    data[(page - 1) * PAGE : page * PAGE] = bytes(PAGE)
    path.write_bytes(data)


def batches_of(path: Path) -> list[Batch]:
    reader = JournalReader(path)
    found = list(itertools.chain.from_iterable(iter(reader.read, [])))
    reader.close()
    return found


def marks_of(path: Path) -> set[int]:
    """The receive times of the test's own rows."""
    return {batch.entry.received_us - 1_000 for batch in batches_of(path) if batch.entry.received_us < 1_000_000}


@pytest.mark.parametrize("table", ["series", "text", "clock", "quarantine", "batch"])
def test_a_table_that_cannot_be_read_is_no_reason_not_to_start(journal: Path, table: str) -> None:
    wipe(journal, first_page_of(journal, table))
    with JournalWriter(journal) as writer:
        assert writer.damaged_us
        writer.append(entry_of(ROWS), KEYS, [("f", "running")])
        assert set(writer.series.values()) == set(KEYS)
    assert list(journal.parent.glob("journal.damaged-*"))
    kept = marks_of(journal)
    assert ROWS in kept
    assert table == "batch" or kept >= set(range(ROWS))
    assert any(batch.entry.gaps for batch in batches_of(journal))


@pytest.mark.parametrize("is_restarted", [False, True], ids=["in use", "after a restart"])
def test_damage_that_shows_in_use_sets_the_file_aside_before_the_next_commit(
    journal: Path, monkeypatch: pytest.MonkeyPatch, is_restarted: bool
) -> None:
    monkeypatch.setattr(writer_module, "KEPT_FREE_PAGES", 0)
    wipe(journal, POINTER_MAP)
    writer = JournalWriter(journal)
    assert not writer.damaged_us
    with pytest.raises(StorageError, match="malformed"):
        writer.trim(writer.last_seq - ROWS // 4, most=ROWS)
    with pytest.raises(StorageError, match="damaged"):
        writer.append(entry_of(ROWS))
    if is_restarted:
        writer.close()
        writer = JournalWriter(journal)
    else:
        writer.reopen()
    assert writer.damaged_us
    writer.append(entry_of(ROWS))
    writer.trim(writer.last_seq)
    writer.close()
    assert ROWS in marks_of(journal)
    with JournalWriter(journal) as again:
        assert not again.damaged_us


def test_in_the_time_there_is_the_newest_rows_are_taken_over(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wipe(journal, first_page_of(journal, "clock"))
    monkeypatch.setattr("factoryops.journal.salvage._ROWS_AT_ONCE", 1)
    monkeypatch.setattr("factoryops.journal.salvage.time.monotonic", itertools.count().__next__)
    with JournalWriter(journal) as writer:
        assert writer.ledger.accepted == ROWS
    kept = marks_of(journal)
    assert 0 < len(kept) < 10
    assert kept == set(range(ROWS - len(kept), ROWS))


def test_a_clock_record_that_is_no_text_is_found_out_anew(journal: Path) -> None:
    data = journal.read_bytes()
    page = first_page_of(journal, "clock")
    place = data.index(b"fd", (page - 1) * PAGE)
    journal.write_bytes(data[: place + 1] + b"\xff" + data[place + 2 :])
    with JournalWriter(journal) as writer:
        assert writer.clocks == {}
        writer.append(entry_of(ROWS))
