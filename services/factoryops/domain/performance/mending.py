"""What a calmer rule would have come to on an alarm's own history, and which change is the least that is enough.

A nuisance alarm may still tell of real trouble. Its episodes are therefore gathered into *occasions* (those that came
again within a minute belong together), and each real one is looked for in what the changed rule would have raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from factoryops.domain.back_tests import Episode, MarkedIncident, first_seen_us
from factoryops.domain.performance.candidates import Candidate
from factoryops.domain.performance.episodes import NEVER, Episodes
from factoryops.domain.performance.nuisance import Chattering, chatter, fleeting
from factoryops.domain.performance.thresholds import Thresholds
from factoryops.domain.time import US_PER_S

AS_IT_IS: Final = Candidate()

_ABOUT_AS_LONG: Final = 1.05


class Occasion(NamedTuple):
    """Real trouble that the rule as it is told of.

    Attributes:
        told_us: when it did.
        incident: id of the incident that people have marked; "" for episodes that lasted.
    """

    told_us: int
    end_us: int
    incident: str = ""


class Told(NamedTuple):
    """How an occasion fares under a changed rule: told so much later, or not at all (None)."""

    occasion: Occasion
    after_s: float | None


@dataclass(frozen=True, slots=True)
class Trial:
    """What the rule with a change came to.

    Attributes:
        raises: in the span.
        most / index: as chattering is judged by.
        fleeting: raises that were over before anybody could act and did not come again soon.
        active_s: time for which the alarm stood.
        delay_median_s / delay_longest_s: by which real occasions are told later, those that are not told left out;
            None where there are none.
        later / missed: real occasions that are told later, or not at all; marked incidents count among them.
        incidents_missed: of those, marked incidents.
        told: the occasions that are told later or not at all, in order of time.
        is_enough: the alarm would be no nuisance any more, and no marked incident would be missed.
    """

    candidate: Candidate
    raises: int
    most: int
    index: float
    fleeting: int
    active_s: float
    delay_median_s: float | None
    delay_longest_s: float | None
    later: int
    missed: int
    incidents_missed: int
    told: tuple[Told, ...]
    is_enough: bool


@dataclass(frozen=True, slots=True)
class Baseline:
    """The rule as it is, tried on the same history.

    Attributes:
        trial: `is_enough` says that nothing needs to be mended.
        is_chattering: whether it does more than flicker.
        occasions: the real ones, in order of time.
    """

    trial: Trial
    is_chattering: bool
    occasions: list[Occasion]
    longest_s: float


def baseline(
    episodes: Sequence[Episode], span: tuple[int, int], incidents: Sequence[MarkedIncident], limits: Thresholds,
    *, real_after_s: float,
) -> Baseline:  # fmt: skip
    """Judge the rule as it is.

    Args:
        episodes: that it made on one device, in order.
        span: [start, end) of the history.
        incidents: that touch the span.
        limits: what chattering and fleeting are.
        real_after_s: an occasion that lasted as long is real.
    """
    measured = _measured(episodes, span, limits)
    occasions = real_occasions(episodes, span, incidents, limits, real_after_s=real_after_s)
    is_calm = not (_is_chatter(measured.chatter) or measured.fleeting)
    trial = _trial(AS_IT_IS, measured, [Told(one, 0.0) for one in occasions], is_enough=is_calm)
    return Baseline(trial, _is_chatter(measured.chatter), occasions, measured.longest_s)


def real_occasions(
    episodes: Sequence[Episode], span: tuple[int, int], incidents: Sequence[MarkedIncident], limits: Thresholds,
    *, real_after_s: float,
) -> list[Occasion]:  # fmt: skip
    """What the rule rightly told of: occasions that lasted, and marked incidents that it saw."""
    found: list[Occasion] = []
    for one in episodes:
        end_us = one.cleared_us or span[1]
        if found and one.raised_us - found[-1].end_us <= round(limits.repeat_s * US_PER_S):
            found[-1] = found[-1]._replace(end_us=end_us)
        else:
            found.append(Occasion(one.raised_us, end_us))
    lasting = [one for one in found if one.end_us - one.told_us >= round(real_after_s * US_PER_S)]
    for incident in incidents:
        seen_us = first_seen_us(incident, episodes)
        if seen_us is not None:
            lasting.append(Occasion(seen_us, max(seen_us, incident.end_us), incident.id))
    return sorted(lasting)


def judge_trial(
    candidate: Candidate, episodes: Sequence[Episode], span: tuple[int, int], incidents: Sequence[MarkedIncident],
    before: Baseline, limits: Thresholds,
) -> Trial:  # fmt: skip
    """Hold what a changed rule made on the same device against the rule as it is."""
    measured = _measured(episodes, span, limits)
    by_id = {one.id: one for one in incidents}
    told = [Told(one, _after_s(one, episodes, by_id)) for one in before.occasions]
    is_calm = not _is_chatter(measured.chatter) if before.is_chattering else not measured.fleeting
    is_stuck = measured.longest_s > max(limits.stale_s, before.longest_s)
    missed_incident = any(one.after_s is None and one.occasion.incident for one in told)
    return _trial(candidate, measured, told, is_enough=is_calm and not is_stuck and not missed_incident)


def least(trials: Sequence[Trial]) -> int | None:
    """The place of the least intrusive change that is enough, None where none is.

    Missing nothing comes first, then telling no later, then standing no longer than needed; of those with which the
    alarm stands about as long, the one that leaves fewest alarms.
    """
    enough = [number for number, one in enumerate(trials) if one.is_enough]
    if not enough:
        return None
    cheapest = min(_price(trials[number]) for number in enough)
    soonest = [number for number in enough if _price(trials[number]) == cheapest]
    shortest_s = min(trials[number].active_s for number in soonest)
    short = [number for number in soonest if trials[number].active_s <= shortest_s * _ABOUT_AS_LONG]
    return min(short, key=lambda number: (trials[number].raises, trials[number].active_s))


def _price(trial: Trial) -> tuple[float, ...]:
    return trial.missed, trial.delay_longest_s or 0.0, trial.delay_median_s or 0.0


class _Measured(NamedTuple):
    chatter: Chattering
    fleeting: int
    active_s: float
    longest_s: float


def _measured(episodes: Sequence[Episode], span: tuple[int, int], limits: Thresholds) -> _Measured:
    inside = [one for one in episodes if span[0] <= one.raised_us < span[1]]
    count = len(inside)
    columns = Episodes(
        np.zeros(count, np.int64), np.zeros(count, np.int64),
        np.array([one.raised_us for one in inside], np.int64), np.ones(count, np.bool_),
        np.full(count, NEVER), np.array([one.cleared_us or NEVER for one in inside], np.int64),
    )  # fmt: skip
    active_us = np.array([(one.cleared_us or span[1]) - max(one.raised_us, span[0]) for one in episodes], np.int64)
    return _Measured(
        chatter(0, columns.at_us, limits),
        sum(one.times for one in fleeting(columns, limits)),
        float(active_us.sum()) / US_PER_S,
        float(active_us.max(initial=0)) / US_PER_S,
    )


def _trial(candidate: Candidate, measured: _Measured, told: Sequence[Told], *, is_enough: bool) -> Trial:
    delays_s = [one.after_s for one in told if one.after_s is not None]
    return Trial(
        candidate=candidate,
        raises=measured.chatter.annunciations,
        most=measured.chatter.most,
        index=measured.chatter.index,
        fleeting=measured.fleeting,
        active_s=measured.active_s,
        delay_median_s=float(np.median(delays_s)) if delays_s else None,
        delay_longest_s=max(delays_s, default=None),
        later=sum(one > 0 for one in delays_s),
        missed=sum(one.after_s is None for one in told),
        incidents_missed=sum(one.after_s is None and bool(one.occasion.incident) for one in told),
        told=tuple(one for one in told if one.after_s != 0.0),
        is_enough=is_enough,
    )


def _after_s(occasion: Occasion, episodes: Sequence[Episode], incidents: dict[str, MarkedIncident]) -> float | None:
    """How much later an occasion is told; an alarm that still stands from before tells it at once."""
    if occasion.incident:
        seen_us = first_seen_us(incidents[occasion.incident], episodes)
    else:
        seen_us = min(
            (one.raised_us for one in episodes if one.touches(occasion.told_us, occasion.end_us)), default=None
        )
    return None if seen_us is None else max(0.0, (seen_us - occasion.told_us) / US_PER_S)


def _is_chatter(found: Chattering) -> bool:
    return found.by_count or found.by_index
