"""What happened to alarms, as columns: announcements with their answers, and spans of being active."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from factoryops.domain.alarms import AlarmEventKind

Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NEVER: Final = np.iinfo(np.int64).max
"""The time of what has not happened."""


class AlarmHappening(NamedTuple):
    """One line of the alarm history.

    Attributes:
        alarm: a number of the alarm, from 0.
        is_annunciation: whether it told somebody: raised or announced again while nothing kept it quiet.
    """

    alarm: int
    annunciation: int
    kind: str
    at_us: int
    priority: int
    is_annunciation: bool


@dataclass(frozen=True, slots=True)
class Episodes:
    """Columns of equal length, one entry per announcement, in order of time.

    Attributes:
        at_us: when it was announced.
        by_condition: the condition raised it; otherwise it was announced again.
        acknowledged_us: the first answer, NEVER without one.
        cleared_us: when the condition turned false, NEVER while it is true.
    """

    alarm: Whole
    priority: Whole
    at_us: Whole
    by_condition: Flags
    acknowledged_us: Whole
    cleared_us: Whole

    def __len__(self) -> int:
        return len(self.at_us)

    def where(self, chosen: Flags | Whole) -> Episodes:
        """Those chosen, by flags or by place."""
        return Episodes(
            self.alarm[chosen], self.priority[chosen], self.at_us[chosen], self.by_condition[chosen],
            self.acknowledged_us[chosen], self.cleared_us[chosen],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ActiveSpans:
    """Columns of equal length, one entry per time an alarm's condition was true.

    Attributes:
        cleared_us: NEVER while it lasts.
        was_quiet: it was shelved, suppressed or out of service when it began.
    """

    alarm: Whole
    raised_us: Whole
    cleared_us: Whole
    was_quiet: Flags

    def __len__(self) -> int:
        return len(self.raised_us)


@dataclass(slots=True)
class _Story:
    """What is known of one annunciation of one alarm."""

    alarm: int
    raised_us: int | None = None
    is_quiet: bool = False
    cleared_us: int = NEVER
    announced: list[tuple[int, int, bool]] | None = None
    answered: list[int] | None = None


def read_history(happenings: Iterable[AlarmHappening]) -> tuple[Episodes, ActiveSpans]:
    """Announcements and active spans of a history in any order.

    A clear whose raise is not part of it begins nowhere and is left out.
    """
    stories: dict[tuple[int, int], _Story] = {}
    for one in sorted(happenings, key=lambda one: one.at_us):
        story = stories.setdefault((one.alarm, one.annunciation), _Story(one.alarm, announced=[], answered=[]))
        _take(story, one)
    return _episodes(stories.values()), _spans(stories.values())


def _take(story: _Story, one: AlarmHappening) -> None:
    is_raise = one.kind == AlarmEventKind.RAISED.value
    if is_raise:
        story.raised_us, story.is_quiet = one.at_us, not one.is_annunciation
    if one.is_annunciation and story.announced is not None:
        story.announced.append((one.at_us, one.priority, is_raise))
    if one.kind == AlarmEventKind.CLEARED.value:
        story.cleared_us = one.at_us
    if one.kind == AlarmEventKind.ACKNOWLEDGED.value and story.answered is not None:
        story.answered.append(one.at_us)


def _episodes(stories: Iterable[_Story]) -> Episodes:
    rows = [
        (at_us, story.alarm, priority, is_raise, _first_from(story.answered or [], at_us), story.cleared_us)
        for story in stories
        for at_us, priority, is_raise in story.announced or []
    ]
    rows.sort()
    at_us, alarm, priority, by_condition, answered, cleared = zip(*rows, strict=True) if rows else ((),) * 6
    return Episodes(
        _whole(alarm), _whole(priority), _whole(at_us), np.array(by_condition, np.bool_), _whole(answered),
        _whole(cleared),
    )  # fmt: skip


def _spans(stories: Iterable[_Story]) -> ActiveSpans:
    known = [(story.raised_us, story) for story in stories if story.raised_us is not None]
    known.sort(key=lambda pair: pair[0])
    return ActiveSpans(
        _whole([story.alarm for _, story in known]),
        _whole([raised for raised, _ in known]),
        _whole([story.cleared_us for _, story in known]),
        np.array([story.is_quiet for _, story in known], np.bool_),
    )


def _first_from(moments: list[int], since_us: int) -> int:
    return min((moment for moment in moments if moment >= since_us), default=NEVER)


def _whole(items: Iterable[int]) -> Whole:
    return np.fromiter(items, np.int64)
