"""What a condition says over a span of time: true, false or unknown, and when it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from factoryops.domain.expressions.track import Times, merged

States: TypeAlias = npt.NDArray[np.int8]

FALSE: Final = 0
UNKNOWN: Final = 1
TRUE: Final = 2
"""In this order "all of" is the least of its parts and "any of" the greatest (Kleene 1938)."""

STATE_NAMES: Final = ("false", "unknown", "true")

_LONG: Final = 64
"""From here on it is worth finding a signal's changes before it is joined with others."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A state and its changes from the first moment of a step to its end.

    Attributes:
        time_us: int64[n], rising; the first is that of the step.
        state: int8[n], what holds from each moment on; neighbours may be equal.
    """

    time_us: Times
    state: States

    @classmethod
    def of(cls, changes: Iterable[tuple[int, int]]) -> Signal:
        """The signal of (time_us, state) pairs in order of time; of several at one moment the last holds."""
        held = dict(changes)
        return cls(np.array([*held], np.int64), np.array([*held.values()], np.int8))

    def at(self, moment_us: int) -> int:
        """What holds at a moment of the step."""
        return int(self.state[np.searchsorted(self.time_us, moment_us, "right") - 1])

    @property
    def changes(self) -> list[tuple[int, int]]:
        """The first moment and each at which it changes, with what holds from there on."""
        if len(self.state) == 1:
            return [(int(self.time_us[0]), int(self.state[0]))]
        found = self.without_repeats()
        return list(zip(found.time_us.tolist(), found.state.tolist(), strict=True))

    def without_repeats(self) -> Signal:
        """The same with no two neighbours equal."""
        state = self.state
        is_new = np.empty(len(state), np.bool_)
        is_new[0] = True
        np.not_equal(state[1:], state[:-1], out=is_new[1:])
        return Signal(self.time_us[is_new], state[is_new])

    def inverted(self) -> Signal:
        """True where this is false and the other way round."""
        return Signal(self.time_us, (TRUE - self.state).astype(np.int8))


def all_of(parts: Sequence[Signal]) -> Signal:
    """False as soon as one part is, true when all are."""
    return _merged(parts, np.minimum.reduce)


def any_of(parts: Sequence[Signal]) -> Signal:
    """True as soon as one part is, false when all are."""
    return _merged(parts, np.maximum.reduce)


def _merged(parts: Sequence[Signal], reduce: Callable[[Sequence[States]], States]) -> Signal:
    if len(parts) == 1:
        return parts[0]
    if all(len(part.time_us) == 1 for part in parts):
        return Signal(parts[0].time_us, reduce([part.state for part in parts]))
    few = [part if len(part.time_us) < _LONG else part.without_repeats() for part in parts]
    moments = merged([part.time_us for part in few])
    held = [part.state[np.searchsorted(part.time_us, moments, "right") - 1] for part in few]
    return Signal(moments, reduce(held))
