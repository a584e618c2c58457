"""The import journal: one writer at a time, bounded commits, and no row longer than it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from factoryops.domain.errors import UnavailableError
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id, text_code
from factoryops.journal import import_writer
from factoryops.journal.checkpoints import publish_checkpoint
from factoryops.journal.import_writer import ImportWriter
from factoryops.journal.reader import JournalReader
from factoryops.journal.records import Batch
from tests.support.import_place import import_place

KEY = SeriesKey("f", "press-1", "temperature")
SERIES = series_id(KEY)
KEYS = {int(SERIES): KEY}


def samples(count: int, *, start: int = 0) -> SampleColumns:
    return SampleColumns.of((SERIES, start + number, number * 0.5) for number in range(count))


def batches_of(path: Path) -> tuple[JournalReader, list[Batch]]:
    reader = JournalReader(path)
    found: list[Batch] = []
    while batches := reader.read():
        found += batches
    reader.close()
    return reader, found


def test_samples_texts_and_series_are_read_back_flagged_as_imported(tmp_path: Path) -> None:
    place = import_place(tmp_path)
    code = text_code("f", "running")
    texts = SampleColumns.of([(SERIES, 99, float(code))], flags=int(SampleFlag.TEXT))
    with ImportWriter(place) as writer:
        writer.append(samples(3), KEYS)
        writer.append(texts, KEYS, texts={code: ("f", "running")})
    reader, batches = batches_of(place.journal)
    assert [len(batch.samples) for batch in batches] == [3, 1]
    assert reader.series == KEYS
    assert reader.texts == {code: ("f", "running")}
    flags = {flag for batch in batches for flag in batch.samples.flags.tolist()}
    assert flags == {SampleFlag.IMPORTED, SampleFlag.IMPORTED | SampleFlag.TEXT}
    assert batches[-1].entry.ledger.values_accepted == 4


def test_a_large_import_becomes_many_commits_of_bounded_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_writer, "MOST_SAMPLES", 10)
    place = import_place(tmp_path)
    with ImportWriter(place) as writer:
        writer.append(samples(25), KEYS)
    _, batches = batches_of(place.journal)
    assert [len(batch.samples) for batch in batches] == [10, 10, 5]


def test_a_second_import_is_told_to_wait_and_a_dead_one_is_not_in_the_way(tmp_path: Path) -> None:
    place = import_place(tmp_path)
    with ImportWriter(place) as writer:
        writer.append(samples(1), KEYS)
        with pytest.raises(UnavailableError, match="Another import"):
            ImportWriter(place)
    program = (
        "import os, sys; from pathlib import Path; from tests.support.import_place import import_place\n"
        "from factoryops.journal.import_writer import ImportWriter\n"
        "ImportWriter(import_place(Path(sys.argv[1]))); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == 9
    with ImportWriter(place) as writer:
        writer.append(samples(1), KEYS)


def test_rows_go_when_the_historian_has_them_and_the_window_is_over(tmp_path: Path) -> None:
    place = import_place(tmp_path, replay_window_s=0.0)
    with ImportWriter(place) as writer:
        seqs = [writer.append(samples(1, start=number), KEYS) for number in range(5)]
        assert writer.trim() == 0
        publish_checkpoint(place.checkpoints_folder, "historian", "import", seqs[2])
        assert writer.trim() == 2
        publish_checkpoint(place.checkpoints_folder, "historian", "import", seqs[4])
        assert writer.trim() == 2
    assert [batch.seq for batch in batches_of(place.journal)[1]] == [seqs[4]]


def test_rows_stay_within_the_window_unless_the_file_has_grown_too_large(tmp_path: Path) -> None:
    place = import_place(tmp_path)
    with ImportWriter(place) as writer:
        seqs = [writer.append(samples(100), KEYS) for _ in range(3)]
        publish_checkpoint(place.checkpoints_folder, "historian", "import", seqs[-1])
        assert writer.trim() == 0
    with ImportWriter(import_place(tmp_path, size_limit_bytes=1)) as writer:
        assert writer.trim() == 2


def test_a_damaged_file_is_set_aside_and_the_next_import_goes_on_with_a_gap(tmp_path: Path) -> None:
    place = import_place(tmp_path)
    with ImportWriter(place) as writer:
        for number in range(50):
            writer.append(samples(500, start=number * 500), KEYS)
    content = bytearray(place.journal.read_bytes())
    content[8_192:16_384] = b"\xa5" * 8_192
    place.journal.write_bytes(content)
    with ImportWriter(place) as writer:
        assert writer.was_damaged
        writer.append(samples(10), KEYS)
    _, batches = batches_of(place.journal)
    gaps = [gap for batch in batches for gap in batch.entry.gaps]
    assert any("damaged" in gap.reason for gap in gaps)
    assert len(batches[-1].samples) == 10
    assert list(tmp_path.glob("import.damaged-*.db"))


def test_a_file_cut_short_is_noticed_by_the_mark_left_beside_it(tmp_path: Path) -> None:
    place = import_place(tmp_path)
    with ImportWriter(place) as writer:
        writer.append(samples(10), KEYS)
        last = writer.append(samples(10), KEYS)
    connection = apsw.Connection(str(place.journal))
    connection.execute("DELETE FROM batch WHERE seq = ?", (last,))
    connection.close()
    with ImportWriter(place):
        pass
    _, batches = batches_of(place.journal)
    assert len(batches[-1].entry.gaps) == 1
