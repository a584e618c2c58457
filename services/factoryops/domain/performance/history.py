"""The alarm history as lines with ids, turned into numbers that figures are made from."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from factoryops.domain.performance.episodes import Happenings


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
) -> tuple[Happenings, list[HistoryLine]]:
    """What happened, each alarm as a number, and by that number the alarm's newest line.

    `areas` are those of an operating position, None for all.
    """
    chosen = [line for line in lines if areas is None or line.area in areas]
    numbers: dict[str, int] = {}
    alarms = [numbers.setdefault(line.alarm_id, len(numbers)) for line in chosen]
    newest: dict[int, HistoryLine] = {}
    for number, line in zip(alarms, chosen, strict=True):
        if number not in newest or line.at_us > newest[number].at_us:
            newest[number] = line
    happenings = Happenings.of(
        alarms,
        (line.annunciation for line in chosen),
        (line.kind for line in chosen),
        (line.at_us for line in chosen),
        (line.priority for line in chosen),
        (line.is_annunciation for line in chosen),
    )
    return happenings, [newest[number] for number in range(len(numbers))]
