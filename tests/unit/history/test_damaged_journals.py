"""Each of the three journals may be damaged: it is set aside and reported with its span, and the others go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from factoryops.alarms.live_journal import LiveJournal
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.history.intake import Intake
from factoryops.history.local.store import LocalHistory
from factoryops.journal.import_writer import ImportWriter
from factoryops.journal.reader import JournalReader
from factoryops.journal.records import Gap
from factoryops.journal.writer import JournalWriter, import_samples
from tests.support.import_place import import_place

NAMES = ("journal", "derived", "import")
KEYS = {name: SeriesKey("f", name, "p") for name in NAMES}
ROWS = 60


def fill(root: Path) -> dict[str, Path]:
    """Three journals of as many rows, each with a series of its own."""
    paths = {name: root / f"{name}.db" for name in NAMES}
    for name, path in paths.items():
        with JournalWriter(path) as writer:
            for row in range(ROWS):
                samples = SampleColumns.of((series_id(KEYS[name]), row * 1_000 + n, float(n)) for n in range(200))
                import_samples(writer, samples, [KEYS[name]])
    return paths


def counts_and_gaps(paths: dict[str, Path], root: Path) -> tuple[dict[str, int], list[Gap]]:
    """What the historian would store: samples by journal, and gaps."""
    store = LocalHistory(root / "history.db")
    intake = Intake(paths, store)
    intake.read(most_samples=1_000_000)
    sheaf = intake.sheaf()
    counts = {name: int((sheaf.samples.series == series_id(KEYS[name])).sum()) for name in NAMES}
    intake.close()
    store.close()
    return counts, list(sheaf.gaps)


@pytest.mark.parametrize("damaged", NAMES)
def test_a_row_that_cannot_be_read_is_a_gap_that_names_its_file(tmp_path: Path, damaged: str) -> None:
    paths = fill(tmp_path)
    connection = apsw.Connection(str(paths[damaged]))
    connection.execute(
        "UPDATE batch SET crc = crc + 1 WHERE seq IN (SELECT seq FROM batch ORDER BY seq LIMIT 2 OFFSET 20)"
    )
    connection.close()
    counts, gaps = counts_and_gaps(paths, tmp_path)
    assert counts == {name: (ROWS - 2 if name == damaged else ROWS) * 200 for name in NAMES}
    assert gaps
    assert all(f"{damaged}.db" in gap.reason for gap in gaps)
    assert all(0 < gap.start_us <= gap.end_us for gap in gaps)


def _open_journal(root: Path) -> None:
    JournalWriter(root / "journal.db").close()


def _open_derived(root: Path) -> None:
    LiveJournal(root / "derived.db", root / "run" / "checkpoints", root / "run" / "doorbell").close()


def _open_import(root: Path) -> None:
    ImportWriter(import_place(root)).close()


@pytest.mark.parametrize(
    ("damaged", "reopen"), [("journal", _open_journal), ("derived", _open_derived), ("import", _open_import)]
)
def test_a_damaged_file_is_set_aside_at_the_next_opening_and_the_rest_goes_on(
    tmp_path: Path, damaged: str, reopen: Callable[[Path], None]
) -> None:
    paths = fill(tmp_path)
    content = bytearray(paths[damaged].read_bytes())
    content[12_288:20_480] = b"\xa5" * 8_192
    paths[damaged].write_bytes(content)
    reopen(tmp_path)
    assert list(tmp_path.glob(f"{damaged}.damaged-*.db"))
    counts, gaps = counts_and_gaps(paths, tmp_path)
    assert all(counts[name] == ROWS * 200 for name in NAMES if name != damaged)
    assert any("damaged" in gap.reason for gap in gaps)
    reader = JournalReader(paths[damaged])
    assert reader.read()
    reader.close()
