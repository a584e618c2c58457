"""When a schedule holds, asked for step by step by many conditions at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from factoryops.domain.calendar import changes
from factoryops.domain.schedules import Schedule
from factoryops.domain.time import US_PER_S
from factoryops.rules.conditions.signal import FALSE, TRUE, Signal

_AHEAD_US: Final = 8 * 86_400 * US_PER_S
"""How far is looked ahead for the next turn; a schedule that does not turn by then is looked at again."""


class ScheduleClock:
    """A schedule on a factory's clock; what was asked last is kept, for conditions of one rule ask the same."""

    def __init__(self, schedule: Schedule, shifts: Mapping[str, Schedule], timezone: str) -> None:
        self._schedule = schedule
        self._shifts = shifts
        self._timezone = timezone
        self._asked = (0, 0)
        self._signal = Signal.of([(0, FALSE)])
        self._known_from_us = self._turn_us = 0

    def signal(self, since_us: int, until_us: int) -> Signal:
        """When it holds in a span."""
        if self._asked != (since_us, until_us):
            found = changes(self._schedule, self._shifts, self._timezone, since_us, until_us)
            state = np.where(np.append(found.is_true_at_since, found.states), TRUE, FALSE).astype(np.int8)
            self._signal = Signal(np.append(np.int64(since_us), found.moments), state)
            self._asked = (since_us, until_us)
        return self._signal

    def next_turn_us(self, from_us: int) -> int:
        """The next moment at or after `from_us` at which it may turn; looking again by then is enough."""
        if not self._known_from_us <= from_us < self._turn_us:
            before_us = from_us - 1
            turns = changes(self._schedule, self._shifts, self._timezone, before_us, before_us + _AHEAD_US).moments
            self._known_from_us = from_us
            self._turn_us = int(turns[0]) if len(turns) else before_us + _AHEAD_US
        return self._turn_us
