from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from factoryops.domain.errors import StorageError
from factoryops_widgets.table_export import harmless, to_csv, to_tsv, write_csv

PAYLOADS = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "\r=1", '"=1"', "'=1", ";=1", ",=1", " =1",
    "\N{FULLWIDTH EQUALS SIGN}1", "\N{FULLWIDTH PLUS SIGN}1", "\N{FULLWIDTH HYPHEN-MINUS}1",
    "\N{FULLWIDTH COMMERCIAL AT}x",
    "\ufeff=1", "\u200b=1", "-2+3+cmd|' /C calc'!A0", "=HYPERLINK(\"http://x\")", "|calc", "%0A=1", "+A1", "-A1",
    "@A1", "=", "+cmd", "=\"x\"", "\N{MINUS SIGN}A1", "\n=1",
]  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_cell_is_taken_for_a_formula(payload: str) -> None:
    assert harmless(payload).startswith("'")


@pytest.mark.parametrize("cell", ["-12.5", "+3", "1,234.5", "\N{MINUS SIGN}4.2", "", "CNC-02", "a=b", "\N{EN DASH}"])
def test_numbers_and_names_stay_as_they_are(cell: str) -> None:
    assert harmless(cell) == cell


def test_csv_reads_back_as_it_was() -> None:
    rows = [["Device", "Value"], ['Press "4", left', "1,5"], ["two\nlines", "x;y"]]
    assert list(csv.reader(io.StringIO(to_csv(rows)))) == rows


def test_the_clipboard_gets_one_line_per_row() -> None:
    assert to_tsv([["a\tb", "c\nd"], ["e", "=f"]]) == "a b\tc d\ne\t'=f"


def test_files_carry_the_mark_that_spreadsheets_look_for(tmp_path: Path) -> None:
    write_csv(tmp_path / "x.csv", [["Größe"]])
    assert (tmp_path / "x.csv").read_bytes() == b"\xef\xbb\xbf" + "Größe\r\n".encode()


def test_a_file_that_cannot_be_written_is_named_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"missing.*could not be saved|could not be saved.*missing"):
        write_csv(tmp_path / "missing" / "x.csv", [["a"]])
