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
        self._refused_s = 0.0
        self._lost_s = _FIRST_S / 2
        self._made_at_s: float | None = None
        self._lost_at_s: deque[float] = deque(maxlen=_UNSTABLE_TIMES)

    def made(self) -> None:
        """A connection stands."""
        self._made_at_s = time.monotonic()

    def lost(self) -> None:
        """It is gone."""
        self._lost_at_s.append(time.monotonic())

    def next_pause_s(self) -> float:
        """How long to wait now: a second, and twice as long each time while it does not get better."""
        if self._made_at_s is None:
            self._refused_s = pause_s = min(self._refused_s * 2, _LONGEST_S) or _FIRST_S
        else:
            # Who is let in and thrown out again, by a twin under the same client id say, comes back at a walk.
            self._lost_s = pause_s = (
                _FIRST_S if self._was_steady() else min(self._lost_s * 2, _LONGEST_AFTER_CONNECTION_S)
            )
            self._refused_s, self._made_at_s = 0.0, None
        return pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter is no secret

    def _was_steady(self) -> bool:
        return self._made_at_s is not None and time.monotonic() - self._made_at_s >= _STEADY_S

    @property
    def is_unstable(self) -> bool:
        """Whether connections were made and lost four times within a minute."""
        full = len(self._lost_at_s) == _UNSTABLE_TIMES
        return full and time.monotonic() - self._lost_at_s[0] < _UNSTABLE_WITHIN_S
