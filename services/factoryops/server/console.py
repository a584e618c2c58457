"""How the command line speaks."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

_out = Console(soft_wrap=True, highlight=False, markup=False)
_err = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)


def say(text: str) -> None:
    """One line a person reads."""
    _out.print(text)


def complain(text: str) -> None:
    """One sentence about what went wrong, on stderr."""
    _err.print(text)


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A plain table."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    _out.print(table)


def is_terminal() -> bool:
    """Whether a person is watching."""
    return sys.stdout.isatty()
