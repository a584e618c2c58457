"""What the roles say is wrong with the service itself, freed from flapping: one episode is one problem.

This is the engine's one input beside the journal. It is no part of any rule's evaluation; what it raises and clears is
recorded as it happens (law 5 of the corridor, decision 0028).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from factoryops.domain.time import US_PER_S
from factoryops.observability.heartbeat import LOST_AFTER_S, Heartbeat, Problem

_RAISE_AFTER_US: Final = 5 * US_PER_S
_CLEAR_AFTER_US: Final = 30 * US_PER_S
_LOST_AFTER_US: Final = int(2 * LOST_AFTER_S * US_PER_S)
_ROLE_LOST: Final = "role_lost"
_START_US: Final = 60 * US_PER_S
"""How long the other roles may take after the engine's own start, before their old heartbeats count as lost."""


Place: TypeAlias = tuple[str, str]
"""The code of a problem and its one factory, "" for all."""


class SystemProblem(msgspec.Struct, frozen=True):
    """A problem that is an alarm.

    Attributes:
        role: who says so; it must be heard again before the problem can be over.
        since_us: when it began.
        factory: the id of the one factory it concerns; "" when it concerns all.
    """

    code: str
    role: str
    message: str
    since_us: int
    factory: str = ""

    @property
    def place(self) -> Place:
        """What tells it apart from others."""
        return self.code, self.factory

    def concerns(self, factory: str) -> bool:
        """Whether it is an alarm of a factory."""
        return self.factory in {"", factory}


@dataclass(slots=True)
class _Sighting:
    problem: SystemProblem
    first_us: int
    last_us: int
    is_raised: bool


class SystemWatch:
    """Decides which problems are alarms.

    Args:
        raised: those that were when the engine last stood still.
    """

    def __init__(self, raised: Iterable[SystemProblem] = ()) -> None:
        self._sightings = {one.place: _Sighting(one, one.since_us, 0, is_raised=True) for one in raised}
        self._began_us: int | None = None

    def look(self, beats: Mapping[str, Heartbeat], now_us: int) -> dict[Place, SystemProblem]:
        """Those that are alarms now.

        Args:
            beats: the newest heartbeat of each role.
            now_us: the clock.
        """
        if self._began_us is None:
            self._began_us = now_us
        heard = {role for role, beat in beats.items() if now_us - beat.beat_us <= _LOST_AFTER_US}
        for role in sorted(heard):
            for problem in beats[role].problems:
                self._see(role, problem, now_us)
        for role in sorted(beats.keys() - heard):
            if beats[role].beat_us >= self._began_us or now_us - self._began_us >= _START_US:
                self._see(role, _lost(role, beats[role]), now_us)
        for sighting in [*self._sightings.values()]:
            self._age(sighting, heard, now_us)
        return {place: one.problem for place, one in self._sightings.items() if one.is_raised}

    def _see(self, role: str, problem: Problem, now_us: int) -> None:
        since_us = min(problem.since_us, now_us)
        seen = SystemProblem(problem.code, role, problem.message, since_us, problem.factory)
        sighting = self._sightings.get(seen.place)
        if sighting is None:
            sighting = self._sightings[seen.place] = _Sighting(seen, now_us, now_us, is_raised=False)
        sighting.last_us = now_us
        if now_us - sighting.first_us >= _RAISE_AFTER_US:
            sighting.is_raised = True

    def _age(self, sighting: _Sighting, heard: set[str], now_us: int) -> None:
        problem = sighting.problem
        is_told = problem.role in heard or problem.code.startswith(_ROLE_LOST)
        if not sighting.last_us or not is_told:
            # Just restored, or its role is silent: that it says nothing does not mean that nothing is wrong.
            sighting.last_us = now_us
        patience_us = _CLEAR_AFTER_US if sighting.is_raised else 0
        if now_us - sighting.last_us > patience_us:
            del self._sightings[problem.place]


def _lost(role: str, beat: Heartbeat) -> Problem:
    message = f"The {role} part of the service does not run; it is started again by itself."
    return Problem(f"{_ROLE_LOST}:{role}", message, beat.beat_us)
