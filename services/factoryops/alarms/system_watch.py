"""What the roles say is wrong with the service itself, freed from flapping: one episode is one problem.

This is the engine's one input beside the journal. It is no part of any rule's evaluation; what it raises and clears is
recorded as it happens (law 5 of the corridor, decision 0028).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from factoryops.domain.time import US_PER_S
from factoryops.observability.heartbeat import LOST_AFTER_S, Heartbeat, Problem

_RAISE_AFTER_US: Final = 5 * US_PER_S
_CLEAR_AFTER_US: Final = 30 * US_PER_S
_LOST_AFTER_US: Final = int(2 * LOST_AFTER_S * US_PER_S)
_START_US: Final = 60 * US_PER_S
"""How long the other roles may take after the engine's own start, before their old heartbeats count as lost."""


class SystemProblem(msgspec.Struct, frozen=True):
    """A problem that is an alarm.

    Attributes:
        role: who says so; it must be heard again before the problem can be over.
        since_us: when it began.
    """

    code: str
    role: str
    message: str
    since_us: int


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
        self._sightings = {one.code: _Sighting(one, one.since_us, 0, is_raised=True) for one in raised}
        self._began_us: int | None = None

    def look(self, beats: Mapping[str, Heartbeat], now_us: int) -> dict[str, SystemProblem]:
        """Those that are alarms now, by code.

        Args:
            beats: the newest heartbeat of each role.
            now_us: the clock.
        """
        if self._began_us is None:
            self._began_us = now_us
        heard = {role for role, beat in beats.items() if now_us - beat.beat_us <= _LOST_AFTER_US}
        for code, role, problem in _said(beats, heard):
            self._see(code, role, problem, now_us)
        for role in sorted(beats.keys() - heard):
            if beats[role].beat_us >= self._began_us or now_us - self._began_us >= _START_US:
                self._see(f"role_lost:{role}", role, _lost(role, beats[role]), now_us)
        for code, sighting in [*self._sightings.items()]:
            self._age(code, sighting, heard, now_us)
        return {code: one.problem for code, one in self._sightings.items() if one.is_raised}

    def _see(self, code: str, role: str, problem: Problem, now_us: int) -> None:
        sighting = self._sightings.get(code)
        if sighting is None:
            seen = SystemProblem(code, role, problem.message, min(problem.since_us, now_us))
            sighting = self._sightings[code] = _Sighting(seen, now_us, now_us, is_raised=False)
        sighting.last_us = now_us
        if now_us - sighting.first_us >= _RAISE_AFTER_US:
            sighting.is_raised = True

    def _age(self, code: str, sighting: _Sighting, heard: set[str], now_us: int) -> None:
        is_told = sighting.problem.role in heard or code.startswith("role_lost")
        if not sighting.last_us or not is_told:
            # Just restored, or its role is silent: that it says nothing does not mean that nothing is wrong.
            sighting.last_us = now_us
        patience_us = _CLEAR_AFTER_US if sighting.is_raised else 0
        if now_us - sighting.last_us > patience_us:
            del self._sightings[code]


def _said(beats: Mapping[str, Heartbeat], heard: set[str]) -> list[tuple[str, str, Problem]]:
    """(code, role, problem) of everything that roles say is wrong now."""
    return [(problem.code, role, problem) for role in sorted(heard) for problem in beats[role].problems]


def _lost(role: str, beat: Heartbeat) -> Problem:
    message = f"The {role} part of the service does not run; it is started again by itself."
    return Problem("role_lost", message, beat.beat_us)
