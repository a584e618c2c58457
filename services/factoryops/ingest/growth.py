"""How fast the journal grows, and how long its limit lasts at that rate."""

from __future__ import annotations

from collections import deque
from typing import Final

_SPAN_S: Final = 300.0
_STEP_S: Final = 5.0
_S_PER_HOUR: Final = 3_600.0


class JournalGrowth:
    """The rate of the last five minutes, from totals of written bytes.

    Attributes:
        bytes_per_hour: None until there is something to compare.
    """

    def __init__(self) -> None:
        self._readings: deque[tuple[float, int]] = deque()
        self.bytes_per_hour: float | None = None

    def note(self, written_bytes: int, at_s: float) -> None:
        """Note how many bytes were written so far; `at_s` is a monotonic clock."""
        if not self._readings or at_s - self._readings[-1][0] >= _STEP_S:
            self._readings.append((at_s, written_bytes))
        while self._readings[0][0] < at_s - _SPAN_S:
            self._readings.popleft()
        began_s, began_bytes = self._readings[0]
        if at_s - began_s >= _STEP_S:
            self.bytes_per_hour = (written_bytes - began_bytes) / (at_s - began_s) * _S_PER_HOUR

    def hours_left(self, free_bytes: int) -> float | None:
        """How long `free_bytes` last if nothing may be removed meanwhile; None when that cannot be told."""
        if not self.bytes_per_hour:
            return None
        return max(0.0, free_bytes / self.bytes_per_hour)
