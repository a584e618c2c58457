"""History knows with which offset conditions saw a device's samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id
from factoryops.history.clock_changes import ClockChange, changes_in
from factoryops.history.intake import Intake
from factoryops.journal.records import Batch, ClockOffset, Entry, MessageLedger
from factoryops.journal.writer import JournalWriter
from tests.support.history_model import FACTORY, START_US, columns

PRESS = SeriesKey(FACTORY, "press", "pressure")
OVEN = SeriesKey(FACTORY, "oven", "temperature")
KEYS = {int(series_id(key)): key for key in (PRESS, OVEN)}
A, B = KEYS
S = 1_000_000
SLOW = ClockOffset(FACTORY, "press", 60 * S)


def _batch(samples: SampleColumns) -> Batch:
    return Batch(7, Entry(START_US, MessageLedger(), samples, clocks=(SLOW,)))


def test_an_offset_holds_behind_the_last_sample_of_the_row_that_found_it_out() -> None:
    samples = columns([(A, START_US - 62 * S, 1.0, 1), (B, START_US, 1.0, 0), (A, START_US - 60 * S, 1.0, 1)])
    assert [*changes_in(_batch(samples), KEYS)] == [
        ClockChange(FACTORY, "press", START_US - 62 * S + 1, 60 * S, START_US)
    ]


def test_a_sample_that_was_given_the_receive_time_says_nothing_of_the_clock() -> None:
    samples = columns([(A, START_US - 60 * S, 1.0, 1), (A, START_US, 1.0, SampleFlag.RECEIVE_TIME)])
    assert [change.from_us for change in changes_in(_batch(samples), KEYS)] == [START_US - 62 * S + 1]


@pytest.mark.parametrize("samples", [SampleColumns.empty(), columns([(B, START_US, 1.0, 0)])])
def test_without_a_sample_of_the_device_the_offset_holds_from_about_the_receipt_on(samples: SampleColumns) -> None:
    assert [change.from_us for change in changes_in(_batch(samples), KEYS)] == [START_US - 62 * S]


def test_the_historian_s_sheaf_carries_what_its_rows_say_of_clocks(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "journal.db")
    writer.append(Entry(START_US, MessageLedger(), columns([(A, START_US - 60 * S, 1.0, 1)]), clocks=(SLOW,)), [PRESS])
    writer.append(Entry(START_US + 1, MessageLedger(), clocks=(ClockOffset(FACTORY, "press", 0),)))
    writer.close()
    intake = Intake({"journal": tmp_path / "journal.db"}, _Nothing())
    intake.read(most_samples=100)
    assert intake.sheaf().clocks == (
        ClockChange(FACTORY, "press", START_US - 62 * S + 1, 60 * S, START_US),
        ClockChange(FACTORY, "press", START_US + 1 - 2 * S, 0, START_US + 1),
    )
    intake.close()


class _Nothing:
    """A store that holds nothing yet."""

    def front(self, journal: str) -> int:
        return 0
