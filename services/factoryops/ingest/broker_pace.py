"""When to connect again: 1 to 30 s with jitter, and how a client id that is used twice shows."""

from __future__ import annotations

import random
import time
from collections import deque
from typing import Final

_FIRST_S: Final = 1.0
_LONGEST_S: Final = 30.0
_LONGEST_AFTER_CONNECTION_S: Final = 4.0
_STEADY_S: Final = 10.0
_UNSTABLE_WITHIN_S: Final = 60.0
_UNSTABLE_TIMES: Final = 4


class ReconnectPace:
    """Pauses between connections; each is between half and the whole of its length, so that clients do not meet."""

    def __init__(self) -> None:
        self._pause_s = 0.0
        self._made_at_s: float | None = None
        self._lost_at_s: deque[float] = deque(maxlen=_UNSTABLE_TIMES)

    def made(self) -> None:
        """A connection stands."""
        self._made_at_s = time.monotonic()

    def lost(self) -> None:
        """It is gone."""
        self._lost_at_s.append(time.monotonic())

    def next_pause_s(self) -> float:
        """How long to wait now: a second after a steady connection, else twice what it was."""
        was_made, is_steady = self._made_at_s is not None, self._was_steady()
        self._made_at_s = None
        if is_steady or not self._pause_s:
            self._pause_s = _FIRST_S
        else:
            # Who is let in and thrown out again, by a twin under the same client id say, comes back at a walk.
            self._pause_s = min(self._pause_s * 2, _LONGEST_AFTER_CONNECTION_S if was_made else _LONGEST_S)
        return self._pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter is no secret

    def _was_steady(self) -> bool:
        return self._made_at_s is not None and time.monotonic() - self._made_at_s >= _STEADY_S

    @property
    def is_unstable(self) -> bool:
        """Whether connections were made and lost four times within a minute."""
        full = len(self._lost_at_s) == _UNSTABLE_TIMES
        return full and time.monotonic() - self._lost_at_s[0] < _UNSTABLE_WITHIN_S
