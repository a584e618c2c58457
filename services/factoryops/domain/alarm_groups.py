"""Alarms grouped by where they are in the plant, with what a roll-up shows of each place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from factoryops.domain.alarms import UNANSWERED, AlarmState, Priority

Path: TypeAlias = tuple[str, ...]
"""Area, line, device: each place's path starts with that of the place above it."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An alarm as a roll-up looks at it.

    Attributes:
        path: area, line and device; "" for one that is not stated.
        order: of its raise; smaller ones came first.
    """

    alarm_id: str
    path: tuple[str, str, str]
    priority: Priority
    state: AlarmState
    order: tuple[float, int]


@dataclass(frozen=True, slots=True)
class AlarmGroup:
    """A place and what is under it.

    Attributes:
        path: of the place; () for the whole factory.
        priority: what the roll-up shows: the highest of those unacknowledged, else the highest at all.
        count / unacknowledged: how many alarms are under it, and how many of them wait for an answer.
        first: id of the alarm that was raised first.
    """

    path: Path
    priority: Priority
    count: int
    unacknowledged: int
    first: str

    @property
    def is_answered(self) -> bool:
        """Whether none waits for an answer."""
        return self.unacknowledged == 0


def grouped(alarms: Iterable[Placed]) -> list[AlarmGroup]:
    """The whole factory, its areas, their lines and the lines' devices, each above what is under it.

    Alarms that nobody has answered come before answered ones, then the more urgent ones, then those that came first.
    A line that is not stated has no group of its own: its devices hang below the area.
    """
    members: dict[Path, list[Placed]] = {}
    for alarm in alarms:
        for path in _paths(alarm.path):
            members.setdefault(path, []).append(alarm)
    groups = {path: _group(path, held) for path, held in members.items()}
    return [groups[path] for path in sorted(groups, key=lambda path: _place(path, groups))]


def _paths(path: tuple[str, str, str]) -> list[Path]:
    area, line, device = path
    whole: list[Path] = [(), (area,)]
    if line:
        whole.append((area, line))
    return [*whole, (area, line, device)]


def _group(path: Path, alarms: list[Placed]) -> AlarmGroup:
    lead = min(alarms, key=lambda one: (one.state not in UNANSWERED, one.priority))
    first = min(alarms, key=lambda one: one.order)
    open_count = sum(one.state in UNANSWERED for one in alarms)
    return AlarmGroup(path, lead.priority, len(alarms), open_count, first.alarm_id)


def _place(path: Path, groups: dict[Path, AlarmGroup]) -> list[tuple[bool, int, str]]:
    """The sort key of a place: that of the place above it first."""
    above = [groups[path[:end]] for end in range(1, len(path) + 1) if path[:end] in groups]
    return [(one.is_answered, int(one.priority), one.path[-1]) for one in above]
