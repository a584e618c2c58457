"""What leaves a table: tab-separated text for the clipboard, CSV files that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from factoryops.domain.errors import StorageError
from factoryops_resources.words import say

_FORMULA_STARTS: Final = frozenset("=+-@\t\r\n|%")


def harmless(cell: str) -> str:
    """`cell` so that a spreadsheet shows it instead of computing it; numbers stay as they are.

    A cell is a formula when it begins with one of = + - @ (also as a full-width letter, or behind blanks, quotes
    or a separator): such a cell gets an apostrophe in front.
    """
    if _is_number(cell):
        return cell
    bare = unicodedata.normalize("NFKC", cell.replace("\N{MINUS SIGN}", "-")).lstrip(" \"';,\ufeff\u200b")
    starts_badly = bare[:1] in _FORMULA_STARTS or cell[:1] in _FORMULA_STARTS
    return f"'{cell}" if cell and starts_badly and bare else cell


def to_tsv(rows: Iterable[Sequence[str]]) -> str:
    """Rows as tab-separated lines; tabs and line ends inside cells become blanks."""
    return "\n".join("\t".join(harmless(" ".join(cell.split())) for cell in row) for row in rows)


def to_csv(rows: Iterable[Sequence[str]]) -> str:
    """Rows as CSV (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def write_csv(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write rows as UTF-8 with the mark that spreadsheets look for; raises StorageError."""
    try:
        path.write_text(to_csv(rows), encoding="utf-8-sig", newline="")
    except OSError as error:
        raise StorageError(
            say("The table could not be saved to {path}: {reason}.", path=path, reason=error.strerror or error)
        ) from error


def _is_number(cell: str) -> bool:
    plain = cell.replace("\N{MINUS SIGN}", "-")
    try:
        float(plain.replace(",", ""))
    except ValueError:
        return False
    return plain.lstrip("+-")[:1].isdigit()
