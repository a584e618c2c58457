"""How the command line speaks, and reads what people write."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from factoryops.domain.errors import InvalidInputError

_out = Console(soft_wrap=True, highlight=False, markup=False)
_err = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
_unbounded = Console(width=100_000, soft_wrap=True, highlight=False, markup=False)


def say(text: str) -> None:
    """One line a person reads."""
    _out.print(text)


def complain(text: str) -> None:
    """One sentence about what went wrong, on stderr."""
    _err.print(text)


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A plain table: nothing is cut off, and what is not read on a terminal has each row on one line."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    (_out if _out.is_terminal else _unbounded).print(table)


def is_terminal() -> bool:
    """Whether a person is watching."""
    return sys.stdout.isatty()


def parse_moment(text: str, zone: ZoneInfo) -> datetime:
    """The day or moment a person wrote, in UTC; without an offset it is on the factory's clock, in `zone`.

    Raises:
        InvalidInputError: it is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(f"A time is written such as 2026-03-01 or 2026-03-01T06:00Z; {text} is not.") from error
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(UTC)
