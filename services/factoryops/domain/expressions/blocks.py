"""Sums and extremes over many windows that overlap, at a cost that does not grow with their length.

Time is divided into blocks as long as the windows, counted from the epoch. A window (t - length, t] is then always the
end of one block and the beginning of the next: what is accumulated from a block's end backwards, joined with what is
accumulated from a block's beginning forwards (as van Herk, Gil and Werman do for sliding extremes, with blocks of time
in place of blocks of rows). Both are made of the window's own rows alone, in an order that their times fix, so that a
result is the same to the last bit wherever a column begins and however it is cut.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from factoryops.domain.expressions.track import Numbers, Times

_LONG: Final = 64
"""Rows of a block from which on it is accumulated by itself; many shorter ones are accumulated side by side."""
_FEW: Final = 50
"""As many blocks are accumulated one by one, however short."""


class Blocks:
    """Windows (t - length, t] of rows, divided where blocks begin.

    Attributes:
        inner: int[m], the first row within each window.
        row: int[m], the row each window ends at, at `t`.
    """

    def __init__(self, time_us: Times, length_us: int, inner: Times, row: Times) -> None:
        self.inner, self.row = inner, row
        self._first = int(inner[0])
        block = time_us[self._first :] // length_us
        begins = np.append(True, block[1:] != block[:-1])
        self._starts = np.flatnonzero(begins)
        # The first row of the block in which each window ends.
        self._middle = self._starts[np.cumsum(begins)[row - self._first] - 1] + self._first

    def over(self, step: np.ufunc, column: Numbers, end: Times, neutral: float) -> Numbers:
        """`step` over the rows of each window before `end`; `neutral` where there are none.

        Args:
            step: `np.add`, `np.minimum` or `np.maximum`.
            column: float64[n], a value per row.
            end: int[m], `row` or the row behind it.
            neutral: what changes nothing that `step` joins it with.
        """
        rows = column[self._first :]
        count = len(rows)
        before = accumulated(step, rows[::-1], count - np.append(self._starts[1:], count)[::-1])[::-1]
        behind = accumulated(step, rows, self._starts)
        tail = np.where(self.inner < self._middle, before[np.minimum(self.inner - self._first, count - 1)], neutral)
        head = np.where(end > self._middle, behind[np.maximum(end - 1 - self._first, 0)], neutral)
        joined: Numbers = step(tail, head)
        return joined


def accumulated(step: np.ufunc, column: Numbers, starts: Times) -> Numbers:
    """`step` from the beginning of each row's block up to the row, one row after the other.

    Args:
        step: a ufunc of two numbers.
        column: float64[n].
        starts: where blocks begin, rising; the first at 0.
    """
    lengths = np.diff(starts, append=len(column))
    found = np.empty(len(column))
    are_few = len(starts) <= _FEW + len(column) // _LONG
    is_long = np.full(len(starts), True) if are_few else lengths > _LONG
    for start, length in zip(starts[is_long].tolist(), lengths[is_long].tolist(), strict=True):
        step.accumulate(column[start : start + length], out=found[start : start + length])
    width = 1
    while not are_few and width <= _LONG:
        is_wide = (lengths <= width) & (lengths > width // 2)
        if is_wide.any():
            _side_by_side(step, column, found, (starts[is_wide], lengths[is_wide]), width)
        width *= 2
    return found


def _side_by_side(step: np.ufunc, column: Numbers, found: Numbers, blocks: tuple[Times, Times], width: int) -> None:
    """Accumulate blocks of at most `width` rows as rows of a matrix; what stands behind a block's end is not used."""
    starts, lengths = blocks
    place = np.arange(width)
    at = starts[:, np.newaxis] + place
    running = step.accumulate(column[np.minimum(at, len(column) - 1)], axis=1)
    is_inside = place < lengths[:, np.newaxis]
    found[at[is_inside]] = running[is_inside]
