"""How many alarms reach an operator: averages, peaks and floods over fixed intervals of the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from factoryops.domain.performance.episodes import Flags, Whole
from factoryops.domain.performance.thresholds import INTERVAL_S, Thresholds
from factoryops.domain.time import US_PER_S

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FloodSpan:
    """A flood of alarms.

    Attributes:
        annunciations: in all of it.
        peak: in its busiest interval.
    """

    start_us: int
    end_us: int
    annunciations: int
    peak: int


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates of one operating position. Shares are from 0 to 1, None where there was nothing to judge.

    Attributes:
        judged_s: time the averages are of: the span without what could not be seen.
        excluded_s: time that could not be seen.
        intervals / hours: fixed intervals of 10 min and clock hours that are judged; see `intervals`.
        busiest / busiest_hour: the largest number in one interval and hour; of one that was cut, what was seen of it.
        busy_intervals / busy_hours: share of those with more than an operator can handle.
        flood_share: share of the intervals that lie in a flood.
    """

    annunciations: int
    judged_s: float
    excluded_s: float
    per_day: float | None
    per_hour: float | None
    per_interval: float | None
    intervals: int
    hours: int
    busiest: int
    busiest_hour: int
    busy_intervals: float | None
    busy_hours: float | None
    flood_share: float | None
    floods: list[FloodSpan]


@dataclass(frozen=True, slots=True)
class IntervalLoad:
    """Annunciations in each fixed interval of the clock.

    Attributes:
        start_us: of the first interval.
        counts: one after the other, None for those that cannot be judged.
    """

    start_us: int
    width_us: int
    counts: list[int | None]


def interval_load(at_us: Whole, span: Span, outages: Sequence[Span], limits: Thresholds) -> IntervalLoad:
    """Annunciations at `at_us` (ascending) in each interval of 10 min in `span`; see `rates`."""
    width_us = INTERVAL_S * US_PER_S
    whole, _ = intervals(at_us, span, (), INTERVAL_S)
    starts, counts = intervals(at_us, span, merged(outages, span), INTERVAL_S, limits.busy_interval)
    shown = np.union1d(whole, starts)
    if not len(shown):
        return IntervalLoad(span[0], width_us, [])
    known = dict(zip(starts.tolist(), counts.tolist(), strict=True))
    every = range(int(shown[0]), int(shown[-1]) + 1, width_us)
    return IntervalLoad(every.start, width_us, [known.get(start) for start in every])


def rates(at_us: Whole, span: Span, outages: Sequence[Span], limits: Thresholds) -> Rates:
    """Rates of annunciations at `at_us` (ascending) within `span`, leaving out `outages`."""
    outages = merged(outages, span)
    excluded_us = sum(end - start for start, end in outages)
    judged_us = span[1] - span[0] - excluded_us
    seen = int(_outside(at_us, outages).sum())
    starts, counts = intervals(at_us, span, outages, INTERVAL_S, limits.busy_interval)
    _, hourly = intervals(at_us, span, outages, 3_600, limits.busy_hour)
    floods, in_flood = find_floods(starts, counts, limits)
    return Rates(
        annunciations=seen,
        judged_s=judged_us / US_PER_S,
        excluded_s=excluded_us / US_PER_S,
        per_day=_rate(seen, judged_us, 86_400),
        per_hour=_rate(seen, judged_us, 3_600),
        per_interval=_rate(seen, judged_us, INTERVAL_S),
        intervals=len(counts),
        hours=len(hourly),
        busiest=int(counts.max(initial=0)),
        busiest_hour=int(hourly.max(initial=0)),
        busy_intervals=_share(counts > limits.busy_interval),
        busy_hours=_share(hourly > limits.busy_hour),
        flood_share=_share(in_flood),
        floods=floods,
    )


def intervals(
    at_us: Whole, span: Span, outages: Sequence[Span], width_s: int, too_many: int | None = None
) -> tuple[Whole, Whole]:
    """Starts and counts of the intervals of the clock that can be judged.

    An interval can where it lies in the span and touches no outage, an empty one too; and where what was seen of it is
    more than `too_many` already, however it is cut: a flood that ended in an outage was one.
    """
    width_us = width_s * US_PER_S
    starts = np.arange(span[0] // width_us * width_us, span[1], width_us, dtype=np.int64)
    counts = np.searchsorted(at_us, starts + width_us) - np.searchsorted(at_us, starts)
    is_judged = (starts >= span[0]) & (starts + width_us <= span[1])
    for start, end in outages:
        is_judged &= (starts + width_us <= start) | (starts >= end)
    if too_many is not None:
        is_judged |= counts > too_many
    return starts[is_judged], counts[is_judged].astype(np.int64)


def find_floods(starts: Whole, counts: Whole, limits: Thresholds) -> tuple[list[FloodSpan], Flags]:
    """Floods over fixed intervals, and which intervals lie in one; an interval that is missing ends a flood."""
    width_us = INTERVAL_S * US_PER_S
    in_flood = np.zeros(len(starts), np.bool_)
    floods: list[list[int]] = []
    for number, count in enumerate(counts.tolist()):
        goes_on = number > 0 and bool(in_flood[number - 1]) and starts[number] == starts[number - 1] + width_us
        if goes_on and count >= limits.flood_exit:
            floods[-1].append(number)
        elif count > limits.flood_entry:
            floods.append([number])
        else:
            continue
        in_flood[number] = True
    spans = [
        FloodSpan(int(starts[of[0]]), int(starts[of[-1]]) + width_us, int(counts[of].sum()), int(counts[of].max()))
        for of in floods
    ]
    return spans, in_flood


def merged(spans: Sequence[Span], within: Span) -> list[Span]:
    """`spans` cut to `within`, ascending and without overlaps."""
    found: list[Span] = []
    for start, end in sorted((max(start, within[0]), min(end, within[1])) for start, end in spans):
        if found and start < end and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif start < end:
            found.append((start, end))
    return found


def _outside(at_us: Whole, outages: Sequence[Span]) -> Flags:
    outside = np.ones(len(at_us), np.bool_)
    for start, end in outages:
        outside &= (at_us < start) | (at_us >= end)
    return outside


def _rate(count: int, judged_us: int, of_s: int) -> float | None:
    return count / (judged_us / US_PER_S / of_s) if judged_us > 0 else None


def _share(flags: Flags) -> float | None:
    return float(flags.mean()) if len(flags) else None
