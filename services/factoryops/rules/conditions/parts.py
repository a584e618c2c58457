"""What the parts of a condition have in common, and the groups."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from factoryops.domain.expressions.track import FOR_EVER
from factoryops.rules.conditions.quantity import Memory
from factoryops.rules.conditions.signal import FALSE, TRUE, UNKNOWN, Signal, all_of, any_of
from factoryops.rules.conditions.step import Step
from factoryops.rules.threshold import NOTHING, Band

_NEVER_US: Final = float(-(2**53))


class Part(ABC):
    """A condition of one rule on one device, or a part of it. It is stepped through time and holds no clock.

    What it says in a step follows from the samples, the gaps and where it began; where steps are cut makes no
    difference, and neither do steps that are left out because no sample left its band and no moment was due.

    Attributes:
        parts: those directly below it.
        due_us: the next moment at which it may turn though no sample comes, as of its last step.
        memory: what it must remember from step to step and across a restart, numbers only; times are exact in them.
        said: what it said in its newest step, until it is let go of.
    """

    def __init__(self, *parts: Part) -> None:
        self.parts = parts
        self.due_us = FOR_EVER
        self.memory: Memory = []
        self.said: Signal | None = None

    def step(self, step: Step) -> Signal:
        """What it says in a step that begins where the one before ended, or later when nothing can have changed.

        Raises:
            ArithmeticError: it takes too much work.
        """
        self.said = self._evaluate(step)
        return self.said

    @abstractmethod
    def _evaluate(self, step: Step) -> Signal: ...

    @property
    def series(self) -> Mapping[int, int]:
        """The series it looks at itself, by id, and how far back their samples matter, in microseconds."""
        return {}

    @property
    def memories(self) -> list[Memory]:
        """What it must remember, and what the values it compares must."""
        return [self.memory]

    def remember(self, memories: list[Memory]) -> None:
        """Go on from what `memories` told."""
        (self.memory,) = memories

    def is_like(self, other: Part) -> bool:
        """Whether it looks at the same as a part of another version, so that what that one remembers holds for it."""
        return type(self) is type(other) and len(self.parts) == len(other.parts)

    def band(self, series: int) -> Band:
        """The values of one of its series that cannot change what it says, after its last step."""
        del series
        return NOTHING

    def walk(self) -> Iterator[Part]:
        """It and everything below it, from the left."""
        yield self
        for part in self.parts:
            yield from part.walk()


class All(Part):
    """Every part is true."""

    def _evaluate(self, step: Step) -> Signal:
        return all_of([part.step(step) for part in self.parts])


class Any(Part):
    """One part at least is true."""

    def _evaluate(self, step: Step) -> Signal:
        return any_of([part.step(step) for part in self.parts])


class Inverted(Part):
    """The part is false."""

    def _evaluate(self, step: Step) -> Signal:
        return self.parts[0].step(step).inverted()


class Lasting(Part):
    """The part has been true for so long without a break; before it began, it is not known.

    It remembers what the part said last, and when it last ceased to be false and to be unknown.
    """

    def __init__(self, part: Part, for_us: int) -> None:
        super().__init__(part)
        self._for_us = for_us
        self.memory = [UNKNOWN, _NEVER_US, _NEVER_US]

    def _evaluate(self, step: Step) -> Signal:
        found: list[tuple[int, int]] = []
        changes = self.parts[0].step(step).changes
        for (moment_us, state), end_us in _spans(changes, step.until_us):
            self._note(moment_us, state)
            found += self._said(moment_us, state, end_us)
        self.due_us = min(
            (at_us for at_us in self._turns(int(self.memory[0])) if at_us >= step.until_us), default=FOR_EVER
        )
        return Signal.of(found)

    def _note(self, moment_us: int, state: int) -> None:
        last, false_until, unknown_until = self.memory
        if last == FALSE != state:
            false_until = moment_us
        if last == UNKNOWN != state:
            unknown_until = moment_us
        self.memory = [state, false_until, unknown_until]

    def _turns(self, state: int) -> tuple[int, ...]:
        """When what was false, and what was unknown, lies so far back that it no longer matters."""
        if state == FALSE:
            return ()
        no_longer_false, no_longer_unknown = (int(at_us) + self._for_us for at_us in self.memory[1:])
        return (no_longer_false, no_longer_unknown) if state == TRUE else (no_longer_false,)

    def _said(self, moment_us: int, state: int, end_us: int) -> list[tuple[int, int]]:
        turns = self._turns(state)
        moments = sorted({moment_us, *(at_us for at_us in turns if moment_us < at_us < end_us)})
        return [(at_us, self._state(at_us, state, turns)) for at_us in moments]

    @staticmethod
    def _state(at_us: int, state: int, turns: tuple[int, ...]) -> int:
        if not turns or at_us < turns[0]:
            return FALSE
        return TRUE if state == TRUE and at_us >= turns[1] else UNKNOWN


class Counted(Part):
    """The part has turned true so often within the last while.

    It remembers what the part was known to say last, and when it turned true, as often as counts.
    """

    def __init__(self, part: Part, at_least: int, window_us: int) -> None:
        super().__init__(part)
        self._at_least = at_least
        self._window_us = window_us
        self.memory = [UNKNOWN]

    def _evaluate(self, step: Step) -> Signal:
        found: list[tuple[int, int]] = []
        changes = self.parts[0].step(step).changes
        for (moment_us, state), end_us in _spans(changes, step.until_us):
            self._note(moment_us, state)
            over_us = self._over_us
            otherwise = UNKNOWN if state == UNKNOWN else FALSE
            found.append((moment_us, TRUE if moment_us < over_us else otherwise))
            if moment_us < over_us < end_us:
                found.append((over_us, otherwise))
        self.due_us = self._over_us if self._over_us >= step.until_us else FOR_EVER
        return Signal.of(found)

    def _note(self, moment_us: int, state: int) -> None:
        last, *turns = self.memory
        if state == UNKNOWN:
            return
        if last == FALSE and state == TRUE:
            turns = [*turns, moment_us][-self._at_least :]
        self.memory = [state, *turns]

    @property
    def _over_us(self) -> int:
        """From when on it is no longer as often as asked."""
        turns = self.memory[1:]
        return int(turns[0]) + self._window_us if len(turns) == self._at_least else int(_NEVER_US)


def _spans(changes: Sequence[tuple[int, int]], until_us: int) -> Iterator[tuple[tuple[int, int], int]]:
    """Each change with the moment at which the next one comes."""
    ends = [moment_us for moment_us, _ in changes[1:]] + [until_us]
    return zip(changes, ends, strict=True)
