from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.time import to_us
from factoryops.simulator.recording import read_recording

NOON_US = to_us(datetime(2026, 3, 9, 12, tzinfo=UTC))


def write(folder: Path, text: str, *, encoding: str = "utf-8") -> Path:
    file = folder / "recording.csv"
    file.write_bytes(text.encode(encoding))
    return file


def test_a_recording_keeps_its_names_numbers_and_spacing(tmp_path: Path) -> None:
    recording = read_recording(
        write(
            tmp_path,
            "datetime;Pressure;Volume Flow RateRMS;anomaly;changepoint\n"
            "2026-03-09 12:00:00;0.054711;32.0;0.0;0.0\n2026-03-09 12:00:01.250000;0.1;31;1.0;0\n",
        )
    )
    assert recording.signals == ("Pressure", "Volume Flow RateRMS")
    assert [row.time_us for row in recording.rows] == [NOON_US, NOON_US + 1_250_000]
    assert recording.rows[0].values == {"Pressure": 0.054711, "Volume Flow RateRMS": 32.0}
    assert (recording.skipped_cells, recording.skipped_rows) == (0, 0)


def test_truth_columns_come_along_only_when_asked_for(tmp_path: Path) -> None:
    file = write(tmp_path, "time,a,anomaly\n2026-03-09T12:00Z,1,0\n")
    assert read_recording(file).signals == ("a",)
    assert read_recording(file, is_truth_included=True).signals == ("a", "anomaly")


@pytest.mark.parametrize(
    ("text", "expected_us"),
    [
        ("2026-03-09T12:00:00Z", NOON_US),
        ("2026-03-09T13:00:00+01:00", NOON_US),
        ("2026-03-09 12:00", NOON_US),
        ("2026-03-09", NOON_US - 12 * 3_600_000_000),
        (str(NOON_US // 1_000_000), NOON_US),
        (str(NOON_US // 1_000), NOON_US),
        (f"{NOON_US // 1_000_000}.5", NOON_US + 500_000),
    ],
)
def test_times_are_read_in_every_usual_form(tmp_path: Path, text: str, expected_us: int) -> None:
    assert read_recording(write(tmp_path, f"timestamp,x\n{text},1\n")).rows[0].time_us == expected_us


def test_a_decimal_comma_a_byte_order_mark_and_windows_line_ends_are_understood(tmp_path: Path) -> None:
    recording = read_recording(write(tmp_path, "\ufeffZeit;Druck\r\n2026-03-09 12:00:00;1,25\r\n"))
    assert recording.rows[0].values == {"Druck": 1.25}


def test_cells_without_a_number_are_left_out_singly_and_counted(tmp_path: Path) -> None:
    recording = read_recording(
        write(
            tmp_path, "time,a,b,note\n2026-03-09 12:00,1,,ok\n2026-03-09 12:01,nan,inf,x\n2026-03-09 12:02,broken,2,\n"
        )
    )
    assert [row.values for row in recording.rows] == [{"a": 1.0}, {"b": 2.0}]
    assert recording.signals == ("a", "b")
    assert (recording.skipped_cells, recording.skipped_rows) == (4, 1)


def test_rows_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    recording = read_recording(write(tmp_path, "time,a\n2026-03-09 12:05,2\n2026-03-09 12:00,1\n"))
    assert [row.values["a"] for row in recording.rows] == [1.0, 2.0]


def test_a_time_column_of_any_name_is_found_by_what_it_holds(tmp_path: Path) -> None:
    assert read_recording(write(tmp_path, "Gemessen um,a\n2026-03-09 12:00,1\n")).rows[0].time_us == NOON_US


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "no time column"),
        ("time,a\n", "no column of numbers"),
        ("time,note\n2026-03-09,hello\n", "no column of numbers"),
        ("time,a\nyesterday,1\n", "Line 2"),
        ("time,a\n2026-03-09,1\n,2\n", "Line 3"),
        ("time,a,a\n2026-03-09,1,2\n", "cannot name a signal"),
        ("time,,b\n2026-03-09,1,2\n", "cannot name a signal"),
        ('time,a\n2026-03-09,"1\n', "not a CSV file"),
    ],
)
def test_a_file_that_is_no_recording_says_what_is_wrong(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InvalidInputError, match=sentence):
        read_recording(write(tmp_path, text))


def test_a_file_that_is_not_there_or_not_text_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_recording(tmp_path / "absent.csv")
    with pytest.raises(InvalidInputError, match="not UTF-8"):
        read_recording(write(tmp_path, "time,ä\n2026-03-09,1\n", encoding="latin-1"))
