"""One limit on one device: a small state machine without a clock of its own.

It is fed the on-time samples of one series in order, and told how far time has come. What it answers is a pure function
of the rule and the samples: whether a tick or the next sample lets a delay run out, and how the samples were cut into
batches, makes no difference (law 4 of the corridor).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import msgspec

from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.time import US_PER_S
from factoryops.rules.immediate import Threshold

_LONGEST_DELAY_US: Final = 100 * 366 * 86_400 * US_PER_S
"""Delays beyond a century never run out; the bound keeps their due times within 64 bits."""

_NO_SIDES: Final = "a limit has an abnormal side: only ordered comparisons make a threshold"


class Band(NamedTuple):
    """A closed interval of values, in the parameter's unit."""

    low: float
    high: float


EVERYTHING: Final = Band(-math.inf, math.inf)
NOTHING: Final = Band(math.inf, -math.inf)


class Move(NamedTuple):
    """The condition raised or cleared.

    Attributes:
        at_us: the sample's time, or the moment a delay was due.
        value: of the sample that moved it; with a delay, of the one that started the delay.
    """

    kind: AlarmEventKind
    at_us: int
    value: float


class MachineState(msgspec.Struct, frozen=True):
    """What a machine must remember across a restart; times in microseconds.

    Attributes:
        is_true: whether the condition holds, its delays not considered.
        is_active: whether it is raised.
        since_us / value: the sample that last turned the condition.
        due_us: when the running delay runs out, None when none runs.
        seen_us: the newest input.
    """

    is_true: bool = False
    is_active: bool = False
    since_us: int = 0
    due_us: int | None = None
    value: float = 0.0
    seen_us: int = 0


def band_while_false(threshold: Threshold) -> Band:
    """The values at which a condition that is false stays so."""
    limit = threshold.limit
    match threshold.comparison:
        case Comparison.ABOVE:
            return Band(-math.inf, limit)
        case Comparison.AT_OR_ABOVE:
            return Band(-math.inf, math.nextafter(limit, -math.inf))
        case Comparison.BELOW:
            return Band(limit, math.inf)
        case Comparison.AT_OR_BELOW:
            return Band(math.nextafter(limit, math.inf), math.inf)
        case _:
            raise ValueError(_NO_SIDES)


def band_while_true(threshold: Threshold) -> Band:
    """The values at which a condition that is true stays so: they compare with the limit moved by the deadband."""
    release = (
        threshold.limit - threshold.deadband if threshold.comparison.is_high else threshold.limit + threshold.deadband
    )
    match threshold.comparison:
        case Comparison.ABOVE:
            return Band(math.nextafter(release, math.inf), math.inf)
        case Comparison.AT_OR_ABOVE:
            return Band(release, math.inf)
        case Comparison.BELOW:
            return Band(-math.inf, math.nextafter(release, -math.inf))
        case Comparison.AT_OR_BELOW:
            return Band(-math.inf, release)
        case _:
            raise ValueError(_NO_SIDES)


def _delay_us(delay_s: float) -> int:
    return min(round(delay_s * US_PER_S), _LONGEST_DELAY_US)


class ThresholdMachine:
    """One rule's condition on one series.

    Attributes:
        is_active: whether it is raised.
        due_us: when the running delay runs out, None when none runs.
    """

    __slots__ = (
        "_is_true", "_off_delay_us", "_on_delay_us", "_seen_us", "_since_us", "_value", "_while_false", "_while_true",
        "due_us", "is_active",
    )  # fmt: skip

    def __init__(self, threshold: Threshold, state: MachineState | None = None) -> None:
        self._take(threshold)
        self.put_back(state or MachineState())

    def put_back(self, state: MachineState) -> None:
        """Stand where `state` was told."""
        self._is_true, self.is_active, self._since_us = state.is_true, state.is_active, state.since_us
        self.due_us, self._value, self._seen_us = state.due_us, state.value, state.seen_us

    def _take(self, threshold: Threshold) -> None:
        self._while_false, self._while_true = band_while_false(threshold), band_while_true(threshold)
        self._on_delay_us, self._off_delay_us = _delay_us(threshold.on_delay_s), _delay_us(threshold.off_delay_s)

    @property
    def state(self) -> MachineState:
        """What to remember across a restart."""
        return MachineState(self._is_true, self.is_active, self._since_us, self.due_us, self._value, self._seen_us)

    @property
    def is_at_rest(self) -> bool:
        """Whether it is as a new machine would be."""
        return not self._is_true and not self.is_active and self.due_us is None

    @property
    def quiet_band(self) -> Band:
        """Values it need not hear of; while a delay runs it wants to hear everything, to be done in time."""
        if self.due_us is not None:
            return NOTHING
        return self._while_true if self._is_true else self._while_false

    def sample(self, time_us: int, value: float) -> tuple[Move, ...]:
        """Take the next on-time sample; one that is older than what was seen is passed over."""
        if time_us < self._seen_us:
            return ()
        run_out = self.tick(time_us)
        self._seen_us = time_us
        if self._is_kept_by(value):
            return run_out
        self._is_true = not self._is_true
        return run_out + self._turned(time_us, value)

    def _turned(self, time_us: int, value: float) -> tuple[Move, ...]:
        """The condition has just become what it was not."""
        self._since_us, self._value = time_us, value
        if self._is_true == self.is_active:
            self.due_us = None
            return ()
        delay_us = self._on_delay_us if self._is_true else self._off_delay_us
        self.due_us = time_us + delay_us
        return self.tick(time_us)

    def tick(self, time_us: int) -> tuple[Move, ...]:
        """Time has come to `time_us`: no sample older than that follows."""
        if self.due_us is None or self.due_us > time_us:
            return ()
        at_us, self.due_us = self.due_us, None
        self.is_active = self._is_true
        self._seen_us = max(self._seen_us, at_us)
        kind = AlarmEventKind.RAISED if self._is_true else AlarmEventKind.CLEARED
        return (Move(kind, at_us, self._value),)

    def change(self, threshold: Threshold, time_us: int, value: float | None) -> tuple[Move, ...]:
        """Go on under another version of the rule, from `time_us` on.

        Args:
            threshold: of the version now in force.
            time_us: how far time has come.
            value: the newest on-time value, against which the condition is judged anew; None when there is none.

        A delay that was running goes on with its new length, and never runs out before `time_us`.
        """
        run_out = self.tick(time_us)
        self._take(threshold)
        self._seen_us = max(self._seen_us, time_us)
        if value is not None and not self._is_kept_by(value):
            self._is_true = not self._is_true
            return run_out + self._turned(self._seen_us, value)
        if self.due_us is not None:
            delay_us = self._on_delay_us if self._is_true else self._off_delay_us
            self.due_us = max(self._since_us + delay_us, time_us)
        return run_out + self.tick(time_us)

    def _is_kept_by(self, value: float) -> bool:
        """Whether the condition stays as it is at `value`."""
        band = self._while_true if self._is_true else self._while_false
        return band.low <= value <= band.high
