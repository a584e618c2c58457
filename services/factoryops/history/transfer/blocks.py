"""What a table's rows look like to the import, whatever file they come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy.typing as npt

Column = list[str] | npt.NDArray[Any]
"""Cells as text, or numbers (float64, NaN for none), truths (bool), points in time (int64, microseconds in UTC),
or local times (datetime64[us], NaT for none)."""


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows of a table.

    Attributes:
        columns: one per name of the header, all of the same length.
        rows: how many rows.
        first_row: the number of the first as a person counts lines or rows.
        end: where the next block begins, to go on from after a restart.
        refused: rows that could not be read at all, by reason; they are not among the columns' cells.
    """

    columns: Sequence[Column]
    rows: int
    first_row: int
    end: int
    refused: Counter[str] = field(default_factory=Counter)


class TableFile(Protocol):
    """A table on disk."""

    @property
    def header(self) -> list[str]:
        """The columns' names."""
        ...

    @property
    def size(self) -> int:
        """What `Block.end` comes to at the end."""
        ...

    def meant(self, cell: str) -> str:
        """A name or text without what files of this kind put before it for the sake of spreadsheets."""
        ...

    def blocks(self, after: int = 0, first_row: int = 0) -> Iterator[Block]:
        """The rows in blocks; go on with a block's `end` and the number of the row after it."""
        ...


def text_of(column: Column, index: int) -> str:
    """One cell as a person would see it."""
    return str(column[index])
