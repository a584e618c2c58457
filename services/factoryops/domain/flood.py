"""Alarm floods as an operator meets them: when the list is in one, and how it is arranged while it lasts.

Nothing is hidden in a flood. The list is grouped by area in the order in which trouble began there, and what usually
follows another alarm is folded under that one, with a count.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from factoryops.domain.time import US_PER_S

WINDOW_US: Final = 600 * US_PER_S
ENTRY: Final = 10
EXIT: Final = 5


@dataclass(frozen=True, slots=True)
class FloodState:
    """Whether there is a flood.

    Attributes:
        since_us: when it began; None without one.
        count: annunciations of the last 10 minutes.
    """

    since_us: int | None
    count: int

    @property
    def is_flood(self) -> bool:
        """Whether there is one now."""
        return self.since_us is not None


class FloodWatch:
    """Counts annunciations in a sliding window of 10 minutes.

    A flood begins with the annunciation that makes more than `entry` of them, and ends at the moment at which fewer
    than `leave` are left.
    """

    def __init__(self, *, entry: int = ENTRY, leave: int = EXIT) -> None:
        self._entry = entry
        self._leave = leave
        self._times: list[int] = []
        self._since_us: int | None = None
        self._now_us = 0

    def announce(self, at_us: int) -> None:
        """Take an annunciation; one that comes out of order counts from when it happened."""
        self._pass_to(at_us)
        if at_us + WINDOW_US <= self._now_us:
            return
        bisect.insort(self._times, at_us)
        if self._since_us is None and len(self._times) > self._entry:
            self._since_us = max(at_us, self._times[self._entry])

    def look(self, now_us: int) -> FloodState:
        """What holds at `now_us`; it does not go back."""
        self._pass_to(now_us)
        return FloodState(self._since_us, len(self._times))

    def _pass_to(self, now_us: int) -> None:
        self._now_us = max(self._now_us, now_us)
        gone = bisect.bisect_right(self._times, self._now_us - WINDOW_US)
        del self._times[:gone]
        if gone and len(self._times) < self._leave:
            self._since_us = None


@dataclass(frozen=True, slots=True)
class FloodAlarm:
    """What is needed of an alarm to arrange it.

    Attributes:
        order: tells alarms of the same microsecond apart, the first one lower.
    """

    id: str
    rule_id: str
    device_id: str
    area: str
    priority: int
    raised_us: int
    order: int = 0

    @property
    def place(self) -> tuple[int, int, str]:
        """Where it stands in the order of what came first."""
        return self.raised_us, self.order, self.id


@dataclass(frozen=True, slots=True)
class FloodLine:
    """An alarm, and those that follow from it, in their order."""

    alarm: FloodAlarm
    folded: tuple[FloodAlarm, ...] = ()

    @property
    def first_us(self) -> tuple[int, int, str]:
        """Where the earliest of them stands."""
        return min(one.place for one in (self.alarm, *self.folded))


@dataclass(frozen=True, slots=True)
class FloodGroup:
    """The alarms of one area, in the order in which they came.

    Attributes:
        first_out: what came first there.
        count: all alarms of the group, folded ones too.
        priority: the most urgent one.
    """

    area: str
    first_out: FloodAlarm
    count: int
    priority: int
    lines: tuple[FloodLine, ...]


def arrange(alarms: Iterable[FloodAlarm], parents: Mapping[str, str]) -> list[FloodGroup]:
    """The alarms in groups by area, the area where it began first; every alarm is in exactly one line.

    An alarm is folded under one of its rule's parent on the same device, else under the earliest of that rule in the
    same area. What is folded under a folded alarm goes to the same line.

    Args:
        alarms: those of the list.
        parents: the parent's rule id by rule id.
    """
    ordered = sorted(alarms, key=lambda one: one.place)
    above = _parents_of(ordered, parents)
    folded: defaultdict[str, list[FloodAlarm]] = defaultdict(list)
    for one in ordered:
        root = _root(one, above)
        if root is not one:
            folded[root.id].append(one)
    areas: defaultdict[str, list[FloodLine]] = defaultdict(list)
    for one in ordered:
        if _root(one, above) is one:
            areas[one.area].append(FloodLine(one, tuple(folded[one.id])))
    return sorted((_group(area, lines) for area, lines in areas.items()), key=lambda group: group.first_out.place)


def _parents_of(ordered: list[FloodAlarm], parents: Mapping[str, str]) -> dict[str, FloodAlarm]:
    """The alarm above each, where there is one."""
    by_device: dict[tuple[str, str], FloodAlarm] = {}
    by_area: dict[tuple[str, str], FloodAlarm] = {}
    for one in ordered:
        by_device.setdefault((one.rule_id, one.device_id), one)
        by_area.setdefault((one.rule_id, one.area), one)
    found: dict[str, FloodAlarm] = {}
    for one in ordered:
        rule = parents.get(one.rule_id, "")
        above = by_device.get((rule, one.device_id)) or by_area.get((rule, one.area))
        if rule and above is not None and above is not one:
            found[one.id] = above
    return found


def _root(alarm: FloodAlarm, above: Mapping[str, FloodAlarm]) -> FloodAlarm:
    """The alarm at the top; rules that name each other in a circle are all at the top."""
    seen = {alarm.id}
    at = alarm
    while at.id in above:
        at = above[at.id]
        if at.id in seen:
            return alarm
        seen.add(at.id)
    return at


def _group(area: str, lines: list[FloodLine]) -> FloodGroup:
    everything = [one for line in lines for one in (line.alarm, *line.folded)]
    return FloodGroup(
        area=area,
        first_out=min(everything, key=lambda one: one.place),
        count=len(everything),
        priority=min(one.priority for one in everything),
        lines=tuple(sorted(lines, key=lambda line: line.first_us)),
    )
