"""The alarm history as lines with ids, turned into numbers that figures are made from."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from factoryops.domain.performance.episodes import AlarmHappening


class HistoryLine(NamedTuple):
    """One event of an alarm.

    Attributes:
        is_annunciation: whether it told somebody.
        area: of the alarm's device, as it is now.
    """

    alarm_id: str
    annunciation: int
    kind: str
    at_us: int
    priority: int
    is_annunciation: bool
    rule_name: str
    device_name: str
    area: str


def numbered(
    lines: Iterable[HistoryLine], areas: Collection[str] | None = None
) -> tuple[list[AlarmHappening], list[HistoryLine]]:
    """What happened, each alarm as a number, and by that number the alarm's newest line.

    `areas` are those of an operating position, None for all.
    """
    numbers: dict[str, int] = {}
    newest: list[HistoryLine] = []
    happenings: list[AlarmHappening] = []
    for line in lines:
        if areas is not None and line.area not in areas:
            continue
        number = numbers.setdefault(line.alarm_id, len(newest))
        if number == len(newest):
            newest.append(line)
        elif line.at_us > newest[number].at_us:
            newest[number] = line
        happenings.append(
            AlarmHappening(number, line.annunciation, line.kind, line.at_us, line.priority, line.is_annunciation)
        )
    return happenings, newest
