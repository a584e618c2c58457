"""One limit on one device: a small state machine without a clock of its own.

It is fed the on-time samples of one series in order, and told how far time has come. What it answers is a pure function
of the rule and the samples: whether a tick or the next sample lets a delay run out, and how the samples were cut into
batches, makes no difference (law 4 of the corridor).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from msgspec import structs

from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.expressions.track import FOR_EVER
from factoryops.rules.delays import DelayMachine, MachineState, Move, delay_us
from factoryops.rules.immediate import Threshold

_NO_SIDES: Final = "a limit has an abnormal side: only ordered comparisons make a threshold"


class Band(NamedTuple):
    """A closed interval of values, in the parameter's unit."""

    low: float
    high: float


EVERYTHING: Final = Band(-math.inf, math.inf)
NOTHING: Final = Band(math.inf, -math.inf)


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


class ThresholdMachine(DelayMachine):
    """One rule's condition on one series.

    It is known from a sample until that is too old, or one of bad quality comes.
    """

    __slots__ = ("_age_us", "_known_until_us", "_while_false", "_while_true")

    def __init__(self, threshold: Threshold, state: MachineState | None = None) -> None:
        super().__init__(threshold.on_delay_s, threshold.off_delay_s)
        self._take(threshold)
        if state is not None:
            self.put_back(state)

    def _take(self, threshold: Threshold) -> None:
        self._while_false, self._while_true = band_while_false(threshold), band_while_true(threshold)
        self._age_us = delay_us(threshold.maximum_age_s)
        self.set_delays(threshold.on_delay_s, threshold.off_delay_s)

    def put_back(self, state: MachineState) -> None:
        """Stand where `state` was told."""
        super().put_back(state)
        self._known_until_us = FOR_EVER if state.known_until_us is None else state.known_until_us

    @property
    def state(self) -> MachineState:
        """What to remember across a restart."""
        is_kept = self.due_us is not None and self._known_until_us != FOR_EVER
        return structs.replace(super().state, known_until_us=self._known_until_us if is_kept else None)

    def tick(self, time_us: int) -> tuple[Move, ...]:
        """Time has come to `time_us`: no sample before that follows."""
        if self.due_us is not None and self.due_us > self._known_until_us:
            return ()
        return super().tick(time_us)

    @property
    def quiet_band(self) -> Band:
        """Values it need not hear of; while a delay runs it wants to hear everything, to be done in time."""
        if self.due_us is not None:
            return NOTHING
        return self._while_true if self.is_true else self._while_false

    def sample(self, time_us: int, value: float) -> tuple[Move, ...]:
        """Take the next on-time sample; one that is older than what was seen is passed over."""
        if time_us < self.seen_us:
            return ()
        run_out = self.tick(time_us - 1)
        self._known_until_us = time_us + self._age_us
        if self.due_us == time_us:
            run_out += self.tick(time_us)
        self.seen_us = time_us
        return run_out + (self.confirm(time_us) if self._is_kept_by(value) else self.turn(time_us, value))

    def lose(self, time_us: int) -> tuple[Move, ...]:
        """Take the next on-time sample, of which the value is not good: until a good one comes, no delay runs out."""
        if self.due_us is None or time_us < self.seen_us:
            return ()
        run_out = self.tick(time_us - 1)
        self._known_until_us = min(self._known_until_us, time_us - 1)
        return run_out

    def change(
        self, threshold: Threshold, time_us: int, value: float | None, value_us: int | None = None
    ) -> tuple[Move, ...]:
        """Go on under another version of the rule, from `time_us` on.

        Args:
            threshold: of the version now in force.
            time_us: how far time has come.
            value: the newest on-time value, against which the condition is judged anew; None when there is none.
            value_us: when it came; `time_us` where that is not said.

        A delay that was running goes on with its new length, and never runs out before `time_us`.
        """
        known_us = (time_us if value_us is None else value_us) + self._age_us
        if self._known_until_us == FOR_EVER and value is not None:
            self._known_until_us = known_us
        run_out = self.tick(time_us)
        self._take(threshold)
        self.seen_us = max(self.seen_us, time_us)
        if value is not None and not self._is_kept_by(value):
            self._known_until_us = max(self.seen_us, known_us)
            return run_out + self.turn(self.seen_us, value)
        self.reckon_anew(time_us)
        return run_out + self.tick(time_us)

    def _is_kept_by(self, value: float) -> bool:
        """Whether the condition stays as it is at `value`."""
        band = self._while_true if self.is_true else self._while_false
        return band.low <= value <= band.high
