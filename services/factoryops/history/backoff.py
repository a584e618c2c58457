"""How long to wait before a store that is away is asked again."""

from __future__ import annotations

import random
import time
from typing import Final

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0


class Backoff:
    """1 s, doubling up to 60 s, spread a little, not less than asked."""

    def __init__(self) -> None:
        self._wait_s = FIRST_WAIT_S
        self._until = 0.0

    def is_over(self) -> bool:
        """Whether it may be asked."""
        return time.monotonic() >= self._until

    def failed(self, *, asked_s: float) -> None:
        """It was asked in vain; `asked_s` is the wait it wishes for."""
        wait_s = max(asked_s, self._wait_s * random.uniform(0.75, 1.25))  # noqa: S311 - spreads retries, hides nothing
        self._until = time.monotonic() + wait_s
        self._wait_s = min(LONGEST_WAIT_S, self._wait_s * 2)

    def succeeded(self) -> None:
        """It answered."""
        self._wait_s, self._until = FIRST_WAIT_S, 0.0
