"""How much one evaluation may look at: counted as it goes, so that one that is too dear ends in the middle."""

from __future__ import annotations

from typing import Final

_ONE_LOOK: Final = 4_000
"""What it takes to begin with a window, in rows of it."""
_ONE_INPUT: Final = 300
"""What it takes to look one input up, likewise."""


class TooMuchWorkError(ArithmeticError):
    """More than one evaluation may look at."""


class Work:
    """What is left for one evaluation; the same samples always take the same of it.

    Args:
        most: rows of windows, at most; one takes about 20 ns.
    """

    def __init__(self, most: int) -> None:
        self._left = most

    def look_back(self, rows: int) -> None:
        """A window function is about to be evaluated over a column; raises TooMuchWorkError when that is too much."""
        self._take(_ONE_LOOK + rows)

    def look_up(self, inputs: int, rows: int) -> None:
        """Inputs are about to be held to moments; raises TooMuchWorkError when that is too much."""
        self._take(inputs * (_ONE_INPUT + rows))

    def _take(self, amount: int) -> None:
        self._left -= amount
        if self._left < 0:
            raise TooMuchWorkError("it looks back over too many samples too often")
