"""Alarms that are a nuisance: those that chatter, flicker, stand for days, come all the time or follow another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from factoryops.domain.performance.episodes import NEVER, ActiveSpans, Episodes, Flags, Whole
from factoryops.domain.performance.thresholds import Thresholds
from factoryops.domain.time import US_PER_S

_MOST_FOLLOWERS: Final = 200
"""In a flood everything follows everything; what comes after so many others is not looked at."""


@dataclass(frozen=True, slots=True)
class Chattering:
    """An alarm that comes and goes.

    Attributes:
        most: annunciations within the span that chattering is judged over, at worst.
        index: mean of 1 / run length in alarms per second (Kondaveeti et al.), runs of under a second taken as one.
    """

    alarm: int
    annunciations: int
    most: int
    index: float
    by_count: bool
    by_index: bool


@dataclass(frozen=True, slots=True)
class Fleeting:
    """An alarm that had gone before anybody could act; `times` of its annunciations, the median lasted `median_s`."""

    alarm: int
    annunciations: int
    times: int
    median_s: float


@dataclass(frozen=True, slots=True)
class Standing:
    """An alarm that is or was active for long; `is_active` at the end of the span."""

    alarm: int
    active_s: float
    is_active: bool
    was_quiet: bool


@dataclass(frozen=True, slots=True)
class Frequent:
    """How much of the load one alarm makes."""

    alarm: int
    annunciations: int
    share: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Alarm `then` follows alarm `first` so reliably that one of them tells nothing new."""

    first: int
    then: int
    support: int
    confidence: float


def chattering(episodes: Episodes, limits: Thresholds) -> list[Chattering]:
    """Alarms that chatter by count or by index, worst first; what was announced again by itself does not count."""
    found = [
        judged
        for alarm, at_us in _by_alarm(episodes.where(episodes.by_condition))
        if (judged := chatter(alarm, at_us, limits)).by_count or judged.by_index
    ]
    return sorted(found, key=lambda one: (-one.index, one.alarm))


def chatter(alarm: int, at_us: Whole, limits: Thresholds) -> Chattering:
    """How much one alarm chatters that was raised at `at_us` (ascending), whether that is too much or not."""
    ends = np.searchsorted(at_us, at_us + round(limits.chatter_span_s * US_PER_S), side="right")
    most = int((ends - np.arange(len(at_us))).max(initial=0))
    index = chatter_index(at_us)
    return Chattering(
        alarm, len(at_us), most, index, most >= limits.chatter_count, len(at_us) > 1 and index >= limits.chatter_index
    )


def chatter_index(at_us: Whole) -> float:
    """The chatter index of annunciations of one alarm, in alarms per second; 0 for fewer than two."""
    runs_s = np.maximum(np.diff(at_us) / US_PER_S, 1.0)
    return float((1.0 / runs_s).mean()) if len(runs_s) else 0.0


def fleeting(episodes: Episodes, limits: Thresholds) -> list[Fleeting]:
    """Alarms that were active for too short a time and did not come again soon, most often first."""
    found = []
    for alarm, own in _each(episodes.where(episodes.by_condition)):
        lasted_s = (own.cleared_us - own.at_us) / US_PER_S
        following = np.append(own.at_us[1:], NEVER)
        is_alone = following - own.at_us > round(limits.repeat_s * US_PER_S)
        is_short = (own.cleared_us != NEVER) & (lasted_s < limits.fleeting_s) & is_alone
        if is_short.any():
            found.append(Fleeting(alarm, len(own), int(is_short.sum()), float(np.median(lasted_s[is_short]))))
    return sorted(found, key=lambda one: (-one.times, one.alarm))


def stale(spans: ActiveSpans, end_us: int, limits: Thresholds) -> list[Standing]:
    """Alarms that were active for too long without a break, the longest first, each with its longest time."""
    longest: dict[int, Standing] = {}
    lasted_s = (np.minimum(spans.cleared_us, end_us) - spans.raised_us) / US_PER_S
    for one in _standing(spans, end_us, lasted_s > limits.stale_s):
        held = longest.get(one.alarm)
        if held is None or one.active_s > held.active_s:
            longest[one.alarm] = one
    return sorted(longest.values(), key=lambda one: (-one.active_s, one.alarm))


def standing(spans: ActiveSpans, end_us: int) -> list[Standing]:
    """Alarms that are active at `end_us`, whatever their age, the longest first."""
    found = _standing(spans, end_us, spans.cleared_us > end_us)
    return sorted(found, key=lambda one: (-one.active_s, one.alarm))


def most_stale_at_once(spans: ActiveSpans, end_us: int, limits: Thresholds) -> int:
    """The largest number of alarms that were stale at the same time; quiet ones are not counted."""
    loud = ~spans.was_quiet
    begins = spans.raised_us[loud] + round(limits.stale_s * US_PER_S)
    ends = np.minimum(spans.cleared_us[loud], end_us)
    is_stale = begins < ends
    moments = np.concatenate((begins[is_stale], ends[is_stale]))
    steps = np.repeat(np.array([1, -1]), int(is_stale.sum()))
    order = np.lexsort((steps, moments))
    return int(np.cumsum(steps[order]).max(initial=0))


def frequent(episodes: Episodes, most: int) -> list[Frequent]:
    """The alarms that make most of the load."""
    alarms, counts = np.unique(episodes.alarm, return_counts=True)
    order = np.lexsort((alarms, -counts))[:most]
    return [Frequent(int(alarms[one]), int(counts[one]), float(counts[one]) / len(episodes)) for one in order]


def redundant_pairs(episodes: Episodes, limits: Thresholds) -> list[Pair]:
    """Pairs of alarms of which the second follows the first nearly always, the most certain first."""
    alarms, counts = np.unique(episodes.alarm, return_counts=True)
    totals = dict(zip(alarms.tolist(), counts.tolist(), strict=True))
    followed: Counter[tuple[int, int]] = Counter()
    ends = np.searchsorted(episodes.at_us, episodes.at_us + round(limits.pair_s * US_PER_S), side="right")
    for number, first in enumerate(episodes.alarm.tolist()):
        if totals[first] >= limits.pair_support:
            last = min(int(ends[number]), number + 1 + _MOST_FOLLOWERS)
            followed.update((first, then) for then in set(episodes.alarm[number + 1 : last].tolist()) - {first})
    pairs = [Pair(first, then, times, times / totals[first]) for (first, then), times in followed.items()]
    sure = [one for one in pairs if one.support >= limits.pair_support and one.confidence >= limits.pair_confidence]
    return sorted(sure, key=lambda one: (-one.confidence, -one.support, one.first, one.then))


def _standing(spans: ActiveSpans, end_us: int, chosen: Flags) -> Iterator[Standing]:
    """The chosen of the spans, up to `end_us`."""
    for number in np.flatnonzero(chosen).tolist():
        cleared_us = int(spans.cleared_us[number])
        lasted_us = min(cleared_us, end_us) - int(spans.raised_us[number])
        yield Standing(
            int(spans.alarm[number]), lasted_us / US_PER_S, cleared_us > end_us, bool(spans.was_quiet[number])
        )


def _each(episodes: Episodes) -> Iterator[tuple[int, Episodes]]:
    order = np.argsort(episodes.alarm, kind="stable")
    alarms, starts = np.unique(episodes.alarm[order], return_index=True)
    for alarm, places in zip(alarms.tolist(), np.split(order, starts[1:]), strict=False):
        yield alarm, episodes.where(places)


def _by_alarm(episodes: Episodes) -> Iterator[tuple[int, Whole]]:
    for alarm, own in _each(episodes):
        yield alarm, own.at_us
