"""From a condition to raises and clears: the delays, as a small state machine without a clock of its own.

It is told when the condition turns and how far time has come. What it answers is a pure function of that: whether a
tick or the next turn lets a delay run out makes no difference (law 4 of the corridor). While the condition is not known
it is told of no time: what is due then waits until it is known again.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.time import US_PER_S

_LONGEST_DELAY_US: Final = 100 * 366 * 86_400 * US_PER_S
"""Delays beyond a century never run out; the bound keeps their due times within 64 bits."""


class Move(NamedTuple):
    """The condition raised or cleared.

    Attributes:
        at_us: when it turned, or the moment a delay was due.
        value: of the sample that moved it; with a delay, of the one that started the delay. None when no one value did.
        since_us: when the condition turned.
    """

    kind: AlarmEventKind
    at_us: int
    value: float | None
    since_us: int


class MachineState(msgspec.Struct, frozen=True):
    """What a machine must remember across a restart; times in microseconds.

    Attributes:
        is_true: whether the condition holds, its delays not considered.
        is_active: whether it is raised.
        since_us / value: the sample that last turned the condition.
        due_us: when the running delay runs out, None when none runs.
        seen_us: the newest input.
        known_until_us: until when the condition is known, while a delay runs; None where it is not kept.
    """

    is_true: bool = False
    is_active: bool = False
    since_us: int = 0
    due_us: int | None = None
    value: float | None = 0.0
    seen_us: int = 0
    known_until_us: int | None = None


def delay_us(delay_s: float) -> int:
    """A delay in microseconds."""
    return min(round(delay_s * US_PER_S), _LONGEST_DELAY_US)


class DelayMachine:
    """One condition on one device.

    Attributes:
        is_true: whether the condition holds, its delays not considered.
        is_active: whether it is raised.
        since_us: when the condition last turned.
        due_us: when the running delay runs out, None when none runs.
        seen_us: the newest input.
    """

    __slots__ = ("_off_delay_us", "_on_delay_us", "_value", "due_us", "is_active", "is_true", "seen_us", "since_us")

    def __init__(self, on_delay_s: float, off_delay_s: float) -> None:
        self.set_delays(on_delay_s, off_delay_s)
        self.put_back(MachineState())

    def put_back(self, state: MachineState) -> None:
        """Stand where `state` was told."""
        self.is_true, self.is_active, self.since_us = state.is_true, state.is_active, state.since_us
        self.due_us, self._value, self.seen_us = state.due_us, state.value, state.seen_us

    def set_delays(self, on_delay_s: float, off_delay_s: float) -> None:
        """Use other delays, from the next turn on."""
        self._on_delay_us, self._off_delay_us = delay_us(on_delay_s), delay_us(off_delay_s)

    @property
    def state(self) -> MachineState:
        """What to remember across a restart."""
        return MachineState(self.is_true, self.is_active, self.since_us, self.due_us, self._value, self.seen_us)

    @property
    def is_at_rest(self) -> bool:
        """Whether it is as a new machine would be."""
        return not self.is_true and not self.is_active and self.due_us is None

    def turn(self, time_us: int, value: float | None) -> tuple[Move, ...]:
        """The condition has just become what it was not."""
        self.is_true = not self.is_true
        self.since_us, self._value = time_us, value
        if self.is_true == self.is_active:
            self.due_us = None
            return ()
        self.due_us = time_us + (self._on_delay_us if self.is_true else self._off_delay_us)
        return self.tick(time_us)

    def tick(self, time_us: int) -> tuple[Move, ...]:
        """Time has come to `time_us`: no turn before that follows."""
        if self.due_us is None or self.due_us > time_us:
            return ()
        at_us, self.due_us = self.due_us, None
        self.is_active = self.is_true
        self.seen_us = max(self.seen_us, at_us)
        kind = AlarmEventKind.RAISED if self.is_true else AlarmEventKind.CLEARED
        return (Move(kind, at_us, self._value, self.since_us),)

    def confirm(self, time_us: int) -> tuple[Move, ...]:
        """The condition is known to be as it was: a delay that ran out while it was not known is over now."""
        if self.due_us is not None and self.due_us < time_us:
            self.due_us = time_us
        return self.tick(time_us)

    def reckon_anew(self, time_us: int) -> None:
        """A delay that runs goes on with its new length, and never runs out before `time_us`."""
        if self.due_us is not None:
            length_us = self._on_delay_us if self.is_true else self._off_delay_us
            self.due_us = max(self.since_us + length_us, time_us)
