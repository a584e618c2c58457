"""What happened to alarms, as columns: announcements with their answers, and spans of being active."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from factoryops.domain.alarms import AlarmEventKind

Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NEVER: Final = np.iinfo(np.int64).max
"""The time of what has not happened."""
_UNKNOWN: Final = np.iinfo(np.int64).min

_RAISED, _CLEARED, _ACKNOWLEDGED, _OTHER = range(4)
_KINDS: Final = {
    AlarmEventKind.RAISED.value: _RAISED,
    AlarmEventKind.CLEARED.value: _CLEARED,
    AlarmEventKind.ACKNOWLEDGED.value: _ACKNOWLEDGED,
}


@dataclass(frozen=True, slots=True)
class Happenings:
    """Lines of the alarm history in any order: columns of equal length.

    Attributes:
        alarm: a number of the alarm, from 0.
        kind: what happened, as a number of this module's.
        is_annunciation: whether it told somebody: raised or announced again while nothing kept it quiet.
    """

    alarm: Whole
    annunciation: Whole
    kind: Whole
    at_us: Whole
    priority: Whole
    is_annunciation: Flags

    @classmethod
    def of(
        cls, alarm: Iterable[int], annunciation: Iterable[int], kind: Iterable[str], at_us: Iterable[int],
        priority: Iterable[int], is_annunciation: Iterable[bool],
    ) -> Happenings:  # fmt: skip
        """The columns of a history; `kind` is the value of an `AlarmEventKind`."""
        return cls(
            _whole(alarm), _whole(annunciation), _whole(_KINDS.get(one, _OTHER) for one in kind), _whole(at_us),
            _whole(priority), np.fromiter(is_annunciation, np.bool_),
        )  # fmt: skip

    def in_order(self) -> Happenings:
        """The same in order of time."""
        order = np.argsort(self.at_us, kind="stable")
        return Happenings(
            self.alarm[order], self.annunciation[order], self.kind[order], self.at_us[order], self.priority[order],
            self.is_annunciation[order],
        )  # fmt: skip


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


def read_history(happenings: Happenings) -> tuple[Episodes, ActiveSpans]:
    """Announcements and active spans of a history in any order.

    A clear whose raise is not part of it begins nowhere and is left out.
    """
    told = happenings.in_order()
    stories = _Stories.of(told)
    return _episodes(told, stories), _spans(told, stories)


@dataclass(frozen=True, slots=True)
class _Stories:
    """What is known of each annunciation of each alarm: columns, one entry per annunciation.

    Attributes:
        of_line: the annunciation each line of the history is about.
        first: its first line.
        raised_us / cleared_us: by its newest raise and clear; `_UNKNOWN` and NEVER without one.
        is_quiet: that raise told nobody.
    """

    of_line: Whole
    first: Whole
    raised_us: Whole
    cleared_us: Whole
    is_quiet: Flags

    @classmethod
    def of(cls, told: Happenings) -> _Stories:
        """The annunciations of a history in order of time."""
        key = told.alarm * (int(told.annunciation.max(initial=0)) + 1) + told.annunciation
        _, first, of_line = np.unique(key, return_index=True, return_inverse=True)
        raised_us, cleared_us = np.full(len(first), _UNKNOWN), np.full(len(first), NEVER)
        is_quiet = np.zeros(len(first), np.bool_)
        is_raise, is_clear = told.kind == _RAISED, told.kind == _CLEARED
        # Of several lines of one annunciation the last assignment stays.
        raised_us[of_line[is_raise]] = told.at_us[is_raise]
        is_quiet[of_line[is_raise]] = ~told.is_annunciation[is_raise]
        cleared_us[of_line[is_clear]] = told.at_us[is_clear]
        return cls(of_line, first, raised_us, cleared_us, is_quiet)


def _episodes(told: Happenings, stories: _Stories) -> Episodes:
    rows = np.flatnonzero(told.is_annunciation)
    story = stories.of_line[rows]
    alarm, priority, at_us = told.alarm[rows], told.priority[rows], told.at_us[rows]
    is_raise, cleared_us = told.kind[rows] == _RAISED, stories.cleared_us[story]
    answered_us = _first_answers(told, stories, rows)
    order = np.lexsort((cleared_us, answered_us, is_raise, priority, alarm, at_us))
    return Episodes(alarm, priority, at_us, is_raise, answered_us, cleared_us).where(order)


def _first_answers(told: Happenings, stories: _Stories, rows: Whole) -> Whole:
    """The first acknowledgement of the same annunciation from each row on; NEVER where there is none."""
    answers = np.flatnonzero(told.kind == _ACKNOWLEDGED)
    _, moment = np.unique(np.concatenate((told.at_us[answers], told.at_us[rows])), return_inverse=True)
    place = stories.of_line[np.concatenate((answers, rows))] * (len(moment) + 1) + moment
    order = np.argsort(place[: len(answers)], kind="stable")
    answers, at_answer = answers[order], place[: len(answers)][order]
    found = np.searchsorted(at_answer, place[len(answers) :])
    if not len(answers):
        return np.full(len(rows), NEVER)
    following = answers[np.minimum(found, len(answers) - 1)]
    is_own = (found < len(answers)) & (stories.of_line[following] == stories.of_line[rows])
    return np.where(is_own, told.at_us[following], NEVER)


def _spans(told: Happenings, stories: _Stories) -> ActiveSpans:
    known = np.flatnonzero(stories.raised_us != _UNKNOWN)
    known = known[np.lexsort((stories.first[known], stories.raised_us[known]))]
    return ActiveSpans(
        told.alarm[stories.first[known]], stories.raised_us[known], stories.cleared_us[known], stories.is_quiet[known]
    )


def _whole(items: Iterable[int]) -> Whole:
    return np.fromiter(items, np.int64)
