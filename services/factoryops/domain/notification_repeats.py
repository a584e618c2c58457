"""Alarms that are raised again and again while nobody answers: what goes on, and what is gathered.

Pure functions of what was told before; the dispatcher uses them for every announcement of an alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from factoryops.domain.alarms import Mark
from factoryops.domain.notifying import ChannelKind
from factoryops.domain.time import US_PER_S

REPEAT_US: Final = 15 * 60 * US_PER_S
"""Somebody who was told of an alarm hears of its repeats once within this time, with how many there were."""
_RETURN: Final = "cleared"


@dataclass(frozen=True, slots=True)
class Telling:
    """A line by which somebody was told of an alarm, or will be.

    Attributes:
        event: what it tells: "raised", "renewed" or "cleared".
        mark: the announcement it belongs to.
        priority: 1 is the most urgent.
        opens_us: when it goes, or went, out.
    """

    alarm_id: str
    recipient_id: str
    channel: ChannelKind
    event: str
    mark: Mark
    priority: int
    created_us: int
    opens_us: int


def announced_us(told: Sequence[Telling], priority: int, now_us: int) -> int:
    """When somebody is told that an alarm was announced once more; `now_us` where it is news to them.

    It is news unless they know it at this priority or a more urgent one, and were not told of its return since.

    Args:
        told: what they were told of the alarm by one channel since it was last answered.
        priority: of the announcement.
        now_us: the clock.
    """
    known = [one for one in told if one.event != _RETURN and one.priority <= priority]
    if not known:
        return now_us
    last = max(told, key=lambda one: (one.created_us, one.mark, one.event == _RETURN))
    if last.event == _RETURN and last.opens_us <= now_us:
        return now_us
    return _gathered_us(told, now_us)


def returned_us(told: Sequence[Telling], now_us: int) -> int:
    """When somebody is told that an alarm returned; later than `now_us` where it comes and goes.

    Args:
        told: as for `announced_us`.
        now_us: the clock.
    """
    count = sum(1 for one in told if one.event != _RETURN)
    return now_us if count < 2 else _gathered_us(told, now_us)


def _gathered_us(told: Sequence[Telling], now_us: int) -> int:
    """When the next message about the alarm is due: with what waits already, or a while after the newest one."""
    newest_us = max(one.opens_us for one in told)
    return newest_us if newest_us > now_us else max(now_us, newest_us + REPEAT_US)
