"""What an import came to, so far: counted by reason, with the first examples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

EXAMPLES_PER_REASON: Final = 5
_EXAMPLE_LENGTH: Final = 80


class Example(msgspec.Struct, frozen=True):
    """One cell or row that was refused.

    Attributes:
        row: its number as a person counts lines.
        cell: what it held, shortened.
    """

    reason: str
    row: int
    column: str
    cell: str


class Tally(msgspec.Struct):
    """Counts.

    Attributes:
        rows: rows read.
        samples: samples written, or that a dry run would write.
        texts / booleans: how many of them are no numbers.
        repeated: samples of a series and time that the file itself gives again within one block; the last one counts.
        replacing: samples that take the place of an imported one that is stored already.
        device_wins: samples left out because the device's own sample of that time is stored.
        ambiguous: local times that existed twice, placed as the plan says.
        refused: cells and rows left out, by reason.
        first_us / last_us: the span; 0 while there is none.
        new_series / known_series: how many series get samples.
    """

    rows: int = 0
    samples: int = 0
    texts: int = 0
    booleans: int = 0
    repeated: int = 0
    replacing: int = 0
    device_wins: int = 0
    ambiguous: int = 0
    refused: dict[str, int] = {}
    examples: list[Example] = []
    first_us: int = 0
    last_us: int = 0
    new_series: int = 0
    known_series: int = 0

    def refuse(self, reason: str, count: int, examples: Iterable[tuple[int, str, str]] = ()) -> None:
        """Count `count` of a reason; of the examples (row, column, cell) the first few are kept."""
        if count <= 0:
            return
        self.refused[reason] = self.refused.get(reason, 0) + count
        room = EXAMPLES_PER_REASON - sum(1 for one in self.examples if one.reason == reason)
        for row, column, cell in examples:
            if room <= 0:
                return
            self.examples.append(Example(reason, row, column[:_EXAMPLE_LENGTH], _shown(cell)))
            room -= 1

    def cover(self, first_us: int, last_us: int) -> None:
        """Stretch the span."""
        self.first_us = min(self.first_us or first_us, first_us)
        self.last_us = max(self.last_us, last_us)


def _shown(cell: str) -> str:
    return "".join(letter if letter.isprintable() else "�" for letter in cell[:_EXAMPLE_LENGTH])
