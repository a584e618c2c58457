"""When conditions were told of a gap, as the historian finds it in the journals."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from factoryops.history.intake import Intake
from factoryops.journal.records import NEVER_TOLD, Entry, Gap, MessageLedger
from factoryops.journal.writer import JournalWriter

GAP = Gap(10, 20, "The broker was away.")


class Contained:
    """A store that contains journals up to given rows."""

    def __init__(self, fronts: Mapping[str, int]) -> None:
        self._fronts = fronts

    def front(self, journal: str) -> int:
        return self._fronts.get(journal, 0)


def told_us(path: Path, name: str, entries: list[Entry], contained: int = 0) -> list[int]:
    """Of the gaps in rows behind the first `contained` ones."""
    with closing(JournalWriter(path)) as writer:
        numbers = [0, *(writer.append(entry) for entry in entries)]
    with closing(Intake({name: path}, Contained({name: numbers[contained]}))) as intake:
        intake.read(most_samples=100)
        return [gap.told_us for gap in intake.sheaf().gaps]


def row(watermark_us: int = 0, *gaps: Gap) -> Entry:
    return Entry(100, MessageLedger(), watermark_us=watermark_us, gaps=gaps)


def test_a_gap_was_told_when_everything_before_its_rows_watermark_was_evaluated(tmp_path: Path) -> None:
    assert told_us(tmp_path / "journal.db", "journal", [row(7), row(), row(9, GAP), row(5, GAP)]) == [7, 9]


def test_the_watermark_is_found_again_in_rows_that_the_history_contains(tmp_path: Path) -> None:
    rows = [row(6), row(7), *[row()] * 100, row(9, GAP)]
    assert told_us(tmp_path / "journal.db", "journal", rows, contained=102) == [7]


def test_what_imports_and_calculated_values_lack_no_condition_was_told_of(tmp_path: Path) -> None:
    assert told_us(tmp_path / "import.db", "import", [row(7), row(0, GAP)]) == [NEVER_TOLD]
    told = Gap(10, 20, "Rows are missing.", told_us=8)
    assert told_us(tmp_path / "derived.db", "derived", [row(7), row(0, GAP, told)]) == [NEVER_TOLD, 8]
