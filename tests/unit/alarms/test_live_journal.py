"""The engine's own journal while its file cannot be written: nothing is told twice, and what is lost is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from factoryops.alarms import live_journal
from factoryops.alarms.engine import Calculated
from factoryops.alarms.live_journal import LiveJournal
from factoryops.domain.errors import StorageError
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.journal.reader import JournalReader
from factoryops.journal.writer import JournalWriter

KEY = SeriesKey("f", "pump-1", "power")
NAMES = {int(series_id(KEY)): KEY}
S = 1_000_000


def step(second: int, count: int = 1) -> Calculated:
    rows = [(int(series_id(KEY)), second * S + number, float(second)) for number in range(count)]
    return Calculated((second + 1) * S, SampleColumns.of(rows))


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveJournal]:
    made = LiveJournal(tmp_path / "derived.db", tmp_path / "checkpoints", tmp_path / "doorbell")
    yield made
    made.close()


class Disk:
    """Makes writing fail as long as it is full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        write = JournalWriter.append

        def append(writer: JournalWriter, *entry: object) -> int:
            if self.is_full:
                raise StorageError("The disk is full.")
            return write(writer, *entry)  # type: ignore[arg-type]  # passed on as they came

        monkeypatch.setattr(JournalWriter, "append", append)


def written(folder: Path) -> tuple[list[float], int]:
    """The seconds of the values in the file, and how many gaps it holds."""
    reader = JournalReader(folder / "derived.db")
    batches = reader.read()
    reader.close()
    values = [value for batch in batches for value in batch.samples.value.tolist()]
    return values, sum(len(batch.entry.gaps) for batch in batches)


def test_values_wait_for_a_full_disk_and_are_written_once(
    live: LiveJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    live.tell([], calculated=[step(1)], names=NAMES)
    disk.is_full = True
    live.tell([], calculated=[step(2)], names=NAMES)
    assert live.problem
    assert live.calculated_through_us == 2 * S
    disk.is_full = False
    live.tell([], calculated=[step(3)], names=NAMES)
    live.tell([], calculated=[step(2), step(3)], names=NAMES)
    assert not live.problem
    assert written(tmp_path) == ([1.0, 2.0, 3.0], 0)
    assert JournalReader(tmp_path / "derived.db").end()[1].values_accepted == 3


def test_after_a_restart_it_knows_how_far_it_has_come(live: LiveJournal, tmp_path: Path) -> None:
    live.tell([], calculated=[step(1), step(2)], names=NAMES)
    live.close()
    again = LiveJournal(tmp_path / "derived.db", tmp_path / "checkpoints", tmp_path / "doorbell")
    again.tell([], calculated=[step(1), step(2), step(3)], names=NAMES)
    again.close()
    assert written(tmp_path) == ([1.0, 2.0, 3.0], 0)


def test_values_beyond_what_memory_is_meant_for_become_a_gap(
    live: LiveJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_journal, "_MOST_UNTOLD_VALUES", 10)
    disk = Disk(monkeypatch)
    disk.is_full = True
    for second in range(1, 8):
        live.tell([], calculated=[step(second, 3)], names=NAMES)
    disk.is_full = False
    live.tell([], calculated=[step(8, 1)], names=NAMES)
    values, gaps = written(tmp_path)
    assert values == [5.0] * 3 + [6.0] * 3 + [7.0] * 3 + [8.0]
    assert gaps == 4
