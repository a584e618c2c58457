"""All figures of one operating position over a span of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from factoryops.domain.performance.episodes import ActiveSpans, Episodes, Flags, Happenings, read_history
from factoryops.domain.performance.judging import Judgement, judge
from factoryops.domain.performance.nuisance import (
    Chattering,
    Fleeting,
    Frequent,
    Pair,
    Standing,
    chattering,
    fleeting,
    frequent,
    most_stale_at_once,
    redundant_pairs,
    stale,
    standing,
)
from factoryops.domain.performance.rates import IntervalLoad, Rates, Span, interval_load, merged, rates
from factoryops.domain.performance.responses import PriorityFigures, by_priority
from factoryops.domain.performance.thresholds import DEFAULT, TOP, Thresholds
from factoryops.domain.time import US_PER_S

REPRESENTATIVE_DAYS: Final = 30
"""Figures of less time are indicative only."""

_MOST_LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class Performance:
    """Alarm performance. Lists hold at most 100 alarms, the worst first; `alarm` in them is a number.

    Attributes:
        is_indicative: the judged time is shorter than the 30 days such figures need.
        top / top_share: the ten most frequent alarms, and their share of all; not judged where there are no others.
        stale_at_once: the largest number of stale alarms at the same time.
        standing / quiet_standing: alarms active at the end; the second of them are shelved, suppressed or out of
            service.
        quiet_raises: raises that told nobody, for they were shelved, suppressed or out of service.
        outages: what could not be seen, or was declared an outage, and is left out.
        load: annunciations of each 10 minutes, for a picture.
        limits: what the figures are judged by.
        declared_s: of the time that is left out, what only a declaration says: everything could be received in it.
    """

    start_us: int
    end_us: int
    is_indicative: bool
    rates: Rates
    priorities: list[PriorityFigures]
    top: list[Frequent]
    top_share: float | None
    chattering: list[Chattering]
    fleeting: list[Fleeting]
    stale: list[Standing]
    stale_at_once: int
    standing: list[Standing]
    quiet_standing: int
    pairs: list[Pair]
    quiet_raises: int
    outages: list[Span]
    judgement: Judgement
    load: IntervalLoad
    limits: Thresholds
    declared_s: float = 0.0


def measure(
    happenings: Happenings, span: Span, gaps: Sequence[Span] = (), limits: Thresholds = DEFAULT,
    *, declared: Sequence[Span] = (),
) -> Performance:  # fmt: skip
    """The figures of what happened in `span` [start, end), in µs UTC.

    `happenings` are those of the span and, of alarms that were active when it began, the raise before it. Announcements
    within `gaps`, in which nothing could be received, and `declared` outages are left out of all figures.
    """
    limits.check()
    episodes, active = read_history(happenings)
    outages = merged([*gaps, *declared], span)
    unseen_us = sum(end - start for start, end in merged(gaps, span))
    seen = episodes.where(_is_seen(episodes, span, outages))
    load = rates(seen.at_us, span, outages, limits)
    top = frequent(seen, TOP)
    top_share = sum(one.share for one in top) if top else None
    at_once = most_stale_at_once(active, span[1], limits)
    still = standing(active, span[1])
    return Performance(
        start_us=span[0],
        end_us=span[1],
        is_indicative=load.judged_s < REPRESENTATIVE_DAYS * 86_400,
        rates=load,
        priorities=by_priority(seen, span[1]),
        top=top,
        top_share=top_share,
        chattering=chattering(seen, limits)[:_MOST_LISTED],
        fleeting=fleeting(seen, limits)[:_MOST_LISTED],
        stale=stale(active, span[1], limits)[:_MOST_LISTED],
        stale_at_once=at_once,
        standing=still[:_MOST_LISTED],
        quiet_standing=sum(one.was_quiet for one in still),
        pairs=redundant_pairs(seen, limits)[:_MOST_LISTED],
        quiet_raises=_quiet_raises(active, span),
        outages=outages,
        judgement=judge(load, top_share if _is_concentration(seen) else None, at_once, limits),
        load=interval_load(seen.at_us, span, outages, limits),
        limits=limits,
        declared_s=load.excluded_s - unseen_us / US_PER_S,
    )


def alarms_named(figures: Performance) -> set[int]:
    """The numbers of the alarms that the lists name."""
    named = {one.alarm for one in figures.top}
    named |= {one.alarm for one in figures.chattering}
    named |= {one.alarm for one in figures.fleeting}
    named |= {one.alarm for one in (*figures.stale, *figures.standing)}
    return named | {number for pair in figures.pairs for number in (pair.first, pair.then)}


def _is_concentration(seen: Episodes) -> bool:
    """Whether the most frequent alarms can be held against others: with no more than those their share is always 1."""
    return len(np.unique(seen.alarm)) > TOP


def _is_seen(episodes: Episodes, span: Span, outages: Sequence[Span]) -> Flags:
    seen = (episodes.at_us >= span[0]) & (episodes.at_us < span[1])
    for start, end in outages:
        seen &= (episodes.at_us < start) | (episodes.at_us >= end)
    return seen


def _quiet_raises(active: ActiveSpans, span: Span) -> int:
    is_inside = (active.raised_us >= span[0]) & (active.raised_us < span[1])
    return int((is_inside & active.was_quiet).sum())
