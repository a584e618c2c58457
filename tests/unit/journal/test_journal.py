"""The journal: what was appended is read back, damage is noticed and costs only what it hit."""

from __future__ import annotations

import random
import time
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.errors import ConflictError, DamagedFileError, SetupError, StorageError
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id, text_code
from factoryops.domain.time import now_us
from factoryops.journal import quarantine_bounds
from factoryops.journal import writer as writer_module
from factoryops.journal.checkpoints import highest_checkpoint, lowest_checkpoint, publish_checkpoint
from factoryops.journal.reader import JournalReader
from factoryops.journal.records import (
    Batch,
    ClockOffset,
    Entry,
    Gap,
    MessageLedger,
    QuarantinedMessage,
    checksum,
    decode,
    encode,
)
from factoryops.journal.writer import JournalWriter, import_samples

KEYS = [SeriesKey("f", "d", f"p{number}") for number in range(100)]
IDS = [series_id(key) for key in KEYS]
ROWS = 300


def entry_of(number: int, *, samples: int = 100) -> Entry:
    columns = SampleColumns.of((IDS[index], number * 1_000 + index, index * 1.5) for index in range(samples))
    return Entry(1_000 + number, MessageLedger(number + 1, number + 1), columns)


def read_all(path: Path, *, after_seq: int = 0) -> tuple[JournalReader, list[float]]:
    reader = JournalReader(path, after_seq=after_seq)
    marks: list[float] = []
    while batches := reader.read(most_rows=50):
        marks += [batch.entry.received_us for batch in batches]
    reader.close()
    return reader, marks


COLUMN = st.integers(-(2**62), 2**62)


@given(
    st.lists(st.tuples(COLUMN, COLUMN, st.floats(allow_nan=False), st.integers(0, 255)), max_size=200),
    st.integers(0, 2**60), st.lists(st.binary(max_size=20), max_size=3),
)  # fmt: skip
def test_an_entry_is_read_back_as_it_was(
    rows: list[tuple[int, int, float, int]], mark: int, events: list[bytes]
) -> None:
    samples = SampleColumns.of(row[:3] for row in rows)
    samples.flags[:] = [row[3] for row in rows]
    entry = Entry(
        5, MessageLedger(3, 2, 1, 4, 5, {"a": 6}, 7), samples, mark, (Gap(1, 2, "x", "f"),), (), tuple(events)
    )
    blob = encode(entry)
    batch = decode((9, 8, 5, checksum(9, 8, 5, blob), blob))
    assert batch.seq == 9
    for column in ("series", "time_us", "value", "flags"):
        assert getattr(batch.samples, column).tolist() == getattr(samples, column).tolist()
    assert (batch.entry.ledger, batch.entry.watermark_us) == (entry.ledger, mark)
    assert (batch.entry.gaps, batch.entry.events) == (entry.gaps, entry.events)


@given(st.binary(max_size=60), st.integers(0, 2**31))
def test_a_row_that_is_not_what_was_written_says_so(blob: bytes, crc: int) -> None:
    if checksum(1, 0, 0, blob) != crc:
        with pytest.raises(DamagedFileError):
            decode((1, 0, 0, crc, blob))


def test_rows_survive_the_writer_and_numbers_grow(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with JournalWriter(path) as writer:
        first = [writer.append(entry_of(number), KEYS) for number in range(5)]
    with JournalWriter(path) as writer:
        assert writer.last_seq == first[-1]
        assert writer.ledger.received == 5
        assert set(writer.series.values()) == set(KEYS)
        second = [writer.append(entry_of(number)) for number in range(5, 10)]
    assert sorted({*first, *second}) == [*first, *second]
    reader, marks = read_all(path, after_seq=first[0])
    assert marks == [1_000 + number for number in range(1, 10)]
    assert not reader.missing
    assert reader.series == dict(zip(IDS, KEYS, strict=True))


def test_a_reader_may_come_before_the_writer_and_follows_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    reader = JournalReader(path)
    assert (reader.read(), reader.end(), reader.count_samples(after_seq=0), reader.quarantined("f")) == (
        [],
        (0, MessageLedger()),
        0,
        [],
    )
    with JournalWriter(path) as writer:
        writer.append(entry_of(0), KEYS)
        assert len(reader.read()) == 1
        assert reader.count_samples(after_seq=0) == 100
    writer_module.set_aside(path)
    with JournalWriter(path) as writer:
        writer.append(entry_of(1), KEYS)
        assert [batch.entry.received_us for batch in reader.read()] == [1_001]
    reader.close()


def test_two_keys_with_one_id_are_refused(tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "journal.db") as writer:
        writer._known[IDS[0]] = SeriesKey("other", "d", "p")
        with pytest.raises(ConflictError):
            writer.append(entry_of(0), KEYS)


def test_names_of_any_script_and_sign_are_kept_in_order_and_as_they_are(tmp_path: Path) -> None:
    names = ['"', "\\u0041", "'; --", "[1]", "null", "1e3", "Öl–Druck °C", "温度", "🌡", "$.a", "x" * 100]
    keys = [SeriesKey("f", device, parameter) for device in names for parameter in names]
    with JournalWriter(tmp_path / "journal.db") as writer:
        writer.append(entry_of(0), keys)
    reader, _ = read_all(tmp_path / "journal.db")
    assert list(reader.series.items()) == [(series_id(key), key) for key in keys]


def test_imports_count_values_only(tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "import.db") as writer:
        import_samples(writer, entry_of(0).samples, KEYS)
        assert (writer.ledger.values_accepted, writer.ledger.received) == (100, 0)


def test_a_newer_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    JournalWriter(path).close()
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 99)
    connection.close()
    with pytest.raises(SetupError, match="newer FactoryOps"):
        JournalWriter(path)


def test_trimming_keeps_what_was_not_passed_and_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with JournalWriter(path) as writer:
        seqs = [writer.append(entry_of(number), KEYS) for number in range(20)]
        assert writer.last_seq_before(1_010) == seqs[9]
        assert writer.trim(seqs[9], most=5) == 5
        assert writer.trim(seqs[9]) == 4
        assert writer.trim(1 << 62) == 10
    assert read_all(path)[1] == [1_019]


def test_what_was_trimmed_gives_its_space_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "KEPT_FREE_PAGES", 10)
    bulk = tuple(bytes([number]) * 100_000 for number in range(30))
    with JournalWriter(tmp_path / "journal.db") as writer:
        for number in range(40):
            writer.append(Entry(number, MessageLedger(), events=bulk))
        for _ in range(400):
            writer.trim(writer.last_seq)
    assert (tmp_path / "journal.db").stat().st_size < 6 * 3_000_000


def test_a_full_disk_is_told_as_one_sentence_whatever_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = JournalWriter(tmp_path / "journal.db")
    monkeypatch.setattr(apsw, "Connection", _full)
    with pytest.raises(StorageError):
        writer.reopen()
    with pytest.raises(StorageError):
        writer.last_seq_before(1)
    with pytest.raises(StorageError, match="free space"):
        JournalWriter(tmp_path / "other.db")


def _full(*_: object, **__: object) -> None:
    raise apsw.FullError("database or disk is full")


def test_the_quarantine_is_bounded_and_the_ledger_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine_bounds, "MOST_MESSAGES", 300)
    with JournalWriter(tmp_path / "journal.db") as writer:
        for number in range(10):
            bad = tuple(QuarantinedMessage(number, b"t", b"p", "invalid_json", "x", "f") for _ in range(100))
            writer.append(Entry(number, MessageLedger(100 * number, 0, 100 * number), quarantined=bad))
        writer.trim(0)
        reader = JournalReader(tmp_path / "journal.db")
        kept = reader.quarantined("f", most=2_000)
        reader.close()
    assert 100 <= len(kept) <= 300
    assert kept[0]["received_us"] == 9


@pytest.mark.parametrize("bound", ["MOST_MESSAGES", "MOST_BYTES"])
def test_p4_a_flood_of_bad_messages_pushes_out_its_own_factorys_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(quarantine_bounds, bound, 300)
    path = tmp_path / "journal.db"
    with JournalWriter(path) as writer:
        quiet = tuple(QuarantinedMessage(1, b"", b"p", "invalid_json", "x", "quiet") for _ in range(50))
        writer.append(Entry(1, MessageLedger(50, 0, 50), quarantined=quiet))
    with JournalWriter(path) as writer:
        for number in range(10):
            loud = tuple(QuarantinedMessage(number, b"t", b"", "invalid_json", "x", "loud") for _ in range(100))
            writer.append(Entry(number, MessageLedger(100 * number, 0, 100 * number), quarantined=loud))
            writer.trim(0)
        reader = JournalReader(path)
        assert len(reader.quarantined("quiet", most=2_000)) == 50
        kept = reader.quarantined("loud", most=2_000)
        reader.close()
    assert 50 <= len(kept) <= 250
    assert kept[0]["received_us"] == 9


def test_long_topics_count_towards_the_quarantines_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine_bounds, "MOST_BYTES", 300_000)
    bad = tuple(QuarantinedMessage(1, b"t" * 1_000, b"", "invalid_topic", "x", "f") for _ in range(500))
    with JournalWriter(tmp_path / "journal.db") as writer:
        writer.append(Entry(1, MessageLedger(500, 0, 500), quarantined=bad))
        writer.trim(0)
        reader = JournalReader(tmp_path / "journal.db")
        assert len(reader.quarantined("f", most=2_000)) == 300
        reader.close()


def test_checkpoints_tell_the_slowest_and_the_furthest(tmp_path: Path) -> None:
    assert lowest_checkpoint(tmp_path, ["a", "b"], "journal") == 0
    publish_checkpoint(tmp_path, "a", "journal", 7)
    assert lowest_checkpoint(tmp_path, ["a", "b"], "journal") == 0
    publish_checkpoint(tmp_path, "b", "journal", 5)
    assert lowest_checkpoint(tmp_path, ["a", "b"], "journal") == 5
    assert highest_checkpoint(tmp_path, ["a", "b", "c"], "journal") == 7


# --- damage ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[int]]:
    """A journal file of 300 rows, checkpointed, and their numbers."""
    path = tmp_path_factory.mktemp("sound") / "journal.db"
    with JournalWriter(path) as writer:
        seqs = [writer.append(entry_of(number), KEYS) for number in range(ROWS)]
    return path.read_bytes(), seqs


def damaged(data: bytes, kind: str, seed: int) -> tuple[bytes, int]:
    place = random.Random(seed).randrange(8_192, len(data))
    changed = bytearray(data)
    if kind == "truncate":
        del changed[place:]
    elif kind == "flip":
        changed[place] ^= 0xFF
    else:
        changed[place // 4096 * 4096 : place // 4096 * 4096 + 4096] = bytes(4096)
    return bytes(changed), place


@pytest.mark.parametrize("kind", ["truncate", "flip", "zero a page"])
@pytest.mark.parametrize("seed", range(20))
def test_p7_damage_costs_what_it_hit_is_reported_and_delays_nothing(
    sound: tuple[bytes, list[int]], tmp_path: Path, kind: str, seed: int
) -> None:
    data, place = damaged(sound[0], kind, seed)
    path = tmp_path / "journal.db"
    path.write_bytes(data)
    started = time.monotonic()
    with JournalWriter(path) as writer:
        assert time.monotonic() - started < 10
        was_damaged = writer.damaged_us > 0
        writer.append(entry_of(ROWS))
    reader, marks = read_all(path, after_seq=sound[1][0])
    kept = {mark - 1_000 for mark in marks if 1_000 <= mark < 1_000 + ROWS}
    lost = set(range(1, ROWS)) - kept
    assert marks[-1] == 1_000 + ROWS
    # A page holds a handful of rows; a cut costs what lay behind it, and pages before it at most.
    most = 8 if kind != "truncate" else ROWS * (1 - place / len(sound[0])) + 48
    assert len(lost) <= most
    reported = {number for number, seq in enumerate(sound[1]) if any(m.first <= seq <= m.last for m in reader.missing)}
    gaps = [gap for batch in _batches(path) for gap in batch.entry.gaps]
    inner = {number for number in lost if number < max(kept, default=0)}
    assert inner <= reported <= lost
    assert gaps if was_damaged else lost <= reported


def _batches(path: Path) -> list[Batch]:
    reader = JournalReader(path)
    found: list[Batch] = []
    while batches := reader.read():
        found += batches
    reader.close()
    return found


def test_a_file_cut_short_unnoticed_by_sqlite_is_noticed_by_its_known_end(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with JournalWriter(path) as writer:
        seqs = [writer.append(entry_of(number), KEYS) for number in range(10)]
        writer._connection.execute("DELETE FROM batch WHERE seq > ?", (seqs[5],))
    with JournalWriter(path, known_end=seqs[-1]) as writer:
        assert writer.last_seq > seqs[-1]
    assert [len(batch.entry.gaps) for batch in _batches(path)] == [0] * 6 + [1]


def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"not a database at all" * 1_000)
    with JournalWriter(path) as writer:
        assert writer.damaged_us
        assert writer.last_seq <= now_us()
    assert list(tmp_path.glob("journal.damaged-*"))
    assert len(_batches(path)[0].entry.gaps) == 1


def test_a_text_has_its_record_before_its_code_is_used(tmp_path: Path) -> None:
    running, idle = ("f", "running"), ("f", "idle \u2026")
    with JournalWriter(tmp_path / "journal.db") as writer:
        writer.append(entry_of(0), KEYS, [running, idle, running])
        writer.append(entry_of(1), (), [running])
    with JournalWriter(tmp_path / "journal.db") as again:
        assert dict(again.texts) == {text_code(*text): text for text in (running, idle)}
    reader = JournalReader(tmp_path / "journal.db")
    reader.read()
    assert reader.texts == {text_code(*text): text for text in (running, idle)}
    assert text_code("f", "running") != text_code("g", "running")
    reader.close()


def test_a_journal_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with JournalWriter(path) as writer:
        writer.append(entry_of(0), KEYS)
    old = apsw.Connection(str(path))
    old.execute("DROP INDEX quarantine_groups; DROP TABLE text; ALTER TABLE quarantine DROP COLUMN device")
    old.pragma("user_version", 1)
    old.close()
    with JournalWriter(path) as writer:
        bad = QuarantinedMessage(1, b"t", b"p", "unknown_device", "x", "f", "gateway", "pump-9")
        writer.append(Entry(2, MessageLedger(2, 1, 1), quarantined=(bad,)), (), [("f", "on")])
    _, marks = read_all(path)
    assert marks == [1_000, 2]


def test_clock_offsets_travel_in_rows_and_the_file_knows_those_in_force(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    first, second = ClockOffset("f", "pump", 3_600_000_000), ClockOffset("f", "pump", 0)
    with JournalWriter(path) as writer:
        writer.append(Entry(1, MessageLedger(), clocks=(first, ClockOffset("g", "press", -5))))
        assert writer.clocks == {("f", "pump"): 3_600_000_000, ("g", "press"): -5}
        writer.append(Entry(2, MessageLedger(), clocks=(second,), heard=b"12345678"))
    with JournalWriter(path) as again:
        assert again.clocks == {("f", "pump"): 0, ("g", "press"): -5}
    reader = JournalReader(path)
    rows = reader.read()
    reader.close()
    assert [row.entry.clocks for row in rows] == [(first, ClockOffset("g", "press", -5)), (second,)]
    assert [row.entry.heard for row in rows] == [b"", b"12345678"]
