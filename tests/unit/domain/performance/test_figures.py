"""The figures of alarm performance, with the vectors that define them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.performance.episodes import Happenings
from factoryops.domain.performance.figures import Performance, alarms_named, measure
from factoryops.domain.performance.judging import Band, Load
from factoryops.domain.performance.left_out import left_out_sentences
from factoryops.domain.performance.nuisance import chatter_index
from factoryops.domain.performance.rates import intervals
from factoryops.domain.performance.thresholds import DEFAULT, Target, Thresholds
from factoryops.domain.time import US_PER_S

HOUR_US = 3_600 * US_PER_S
DAY_US = 24 * HOUR_US
START = 1_000 * DAY_US


class AlarmHappening(NamedTuple):
    """One line of the alarm history."""

    alarm: int
    annunciation: int
    kind: str
    at_us: int
    priority: int
    is_annunciation: bool


def columns(lines: Sequence[AlarmHappening]) -> Happenings:
    return Happenings.of(*(zip(*lines, strict=True) if lines else ([],) * 6))


def raised(alarm: int, number: int, at_s: float, *, priority: int = 2, is_quiet: bool = False) -> AlarmHappening:
    return AlarmHappening(alarm, number, "raised", START + round(at_s * US_PER_S), priority, not is_quiet)


def later(alarm: int, number: int, kind: str, at_s: float, *, announces: bool = False) -> AlarmHappening:
    return AlarmHappening(alarm, number, kind, START + round(at_s * US_PER_S), 2, announces)


def over(happenings: Sequence[AlarmHappening], seconds: float, **more: object) -> Performance:
    return measure(columns(happenings), (START, START + round(seconds * US_PER_S)), **more)  # type: ignore[arg-type] # by name


def series(at_s: Sequence[float], alarm: int = 0) -> list[AlarmHappening]:
    return [raised(alarm, number, at) for number, at in enumerate(at_s, 1)]


def test_vector_a_rates_and_floods_over_fixed_intervals() -> None:
    happenings = [
        raised(place * 100 + number, 1, place * 600 + number)
        for place, count in enumerate((1, 12, 7, 4, 0, 0))
        for number in range(count)
    ]
    found = over(happenings, 3_600).rates
    assert (found.per_interval, found.busiest, found.intervals) == (4.0, 12, 6)
    assert found.busy_intervals == pytest.approx(1 / 6)
    assert found.flood_share == pytest.approx(2 / 6)
    (flood,) = found.floods
    assert (flood.end_us - flood.start_us, flood.annunciations, flood.peak) == (1_200 * US_PER_S, 19, 12)
    assert (found.per_hour, found.hours, found.busiest_hour, found.busy_hours) == (24.0, 1, 24, 0.0)


def test_vector_b_chattering_by_count_and_not_by_index() -> None:
    (found,) = over(series([0, 20, 40, 60, 3_600]), 7_200).chattering
    assert found.index == pytest.approx(0.75 / 20 + 0.25 / 3_540)
    assert (found.most, found.by_count, found.by_index) == (4, True, False)


def test_vector_c_chattering_by_both() -> None:
    (found,) = over(series([0, 10, 20, 30]), 3_600).chattering
    assert found.index == pytest.approx(0.1)
    assert (found.by_count, found.by_index) == (True, True)


def test_runs_below_a_second_do_not_blow_up_the_index_and_one_alone_has_none() -> None:
    assert chatter_index(np.array([0, 1, 2], np.int64)) == 1.0
    assert chatter_index(np.array([7], np.int64)) == 0.0
    assert over(series([0, 30]), 3_600).chattering == []


def test_what_was_announced_again_by_itself_counts_as_load_and_never_as_chattering() -> None:
    again = [raised(0, 1, 0), *(later(0, 1, "renewed", at, announces=True) for at in (10, 20, 30))]
    found = over(again, 3_600)
    assert (found.rates.annunciations, found.chattering) == (4, [])


def test_only_what_told_somebody_is_load() -> None:
    found = over([raised(0, 1, 0), raised(0, 2, 5, is_quiet=True), later(0, 2, "acknowledged", 6)], 3_600)
    assert (found.rates.annunciations, found.quiet_raises, found.quiet_standing) == (1, 1, 1)


def test_fleeting_alarms_are_short_and_do_not_come_back() -> None:
    short = [raised(0, 1, 0), later(0, 1, "cleared", 4)]
    comes_back = [raised(1, 1, 0), later(1, 1, "cleared", 4), raised(1, 2, 50), later(1, 2, "cleared", 90)]
    long = [raised(2, 1, 0), later(2, 1, "cleared", 10)]
    (found,) = over([*short, *comes_back, *long], 3_600).fleeting
    assert (found.alarm, found.times, found.median_s) == (0, 1, 4.0)


def test_stale_alarms_lasted_for_a_day_and_standing_ones_are_active_still() -> None:
    day = 86_400.0
    happenings = [
        raised(0, 1, -100), later(0, 1, "cleared", day),
        raised(1, 1, 0),
        raised(2, 1, 0, is_quiet=True),
        raised(3, 1, 2.5 * day),
        raised(4, 1, 0), later(4, 1, "cleared", day),
    ]  # fmt: skip
    found = over(happenings, 3 * day)
    assert [(one.alarm, one.active_s) for one in found.stale] == [(1, 3 * day), (2, 3 * day), (0, day + 100)]
    assert [(one.alarm, one.was_quiet) for one in found.standing] == [(1, False), (2, True), (3, False)]
    assert (found.stale_at_once, found.quiet_standing) == (1, 1)


def test_the_most_frequent_alarms_and_their_share() -> None:
    happenings = [one for alarm in range(20) for one in series([n * 120.0 for n in range(alarm + 1)], alarm)]
    found = over(happenings, 3_600)
    assert found.top[0].alarm == 19
    assert len(found.top) == 10
    assert found.top_share == pytest.approx(sum(one.annunciations for one in found.top) / found.rates.annunciations)
    assert alarms_named(found) >= {one.alarm for one in found.top}


def test_answers_per_priority() -> None:
    happenings = [
        raised(0, 1, 0, priority=1), later(0, 1, "acknowledged", 30), later(0, 1, "cleared", 60),
        raised(1, 1, 0, priority=1), later(1, 1, "cleared", 20), later(1, 1, "acknowledged", 90),
        raised(2, 1, 0, priority=4),
    ]  # fmt: skip
    critical, high, _, low = over(happenings, 3_600).priorities
    assert (critical.acknowledged, critical.acknowledge_median_s, critical.return_median_s) == (2, 60.0, 40.0)
    assert critical.acknowledge_p95_s == pytest.approx(87.0)
    assert critical.returned_unanswered == 0.5
    assert (high.annunciations, high.share, high.acknowledge_median_s, high.returned_unanswered) == (0, 0.0, None, None)
    assert low.share == pytest.approx(1 / 3)
    assert (low.target_share, low.acknowledged) == (0.80, 0)


def test_an_alarm_that_always_follows_another_is_found() -> None:
    times = [number * 500.0 for number in range(12)]
    happenings = [*series(times, 0), *series([at + 7 for at in times], 1), *series(times[:3], 2)]
    (found,) = over(happenings, 6_100).pairs
    assert (found.first, found.then, found.support, found.confidence) == (0, 1, 12, 1.0)


def test_time_that_could_not_be_seen_is_left_out_and_shown() -> None:
    outage = (START + 600 * US_PER_S, START + 1_500 * US_PER_S)
    found = over(series([10, 700, 1_600, 3_000]), 3_600, gaps=[outage, (START - DAY_US, START)])
    assert (found.rates.annunciations, found.rates.judged_s, found.rates.excluded_s) == (3, 2_700.0, 900.0)
    assert (found.rates.intervals, found.rates.hours, found.rates.busy_hours) == (4, 0, None)
    assert found.rates.per_interval == pytest.approx(3 / 4.5)
    assert found.outages == [outage]


def test_declared_outages_are_left_out_and_counted_where_something_was_received() -> None:
    gap, declared = (
        (START + start * US_PER_S, START + end * US_PER_S) for start, end in ((600, 1_500), (1_200, 2_400))
    )
    found = over(series([10, 700, 1_600, 3_000]), 3_600, gaps=[gap], declared=[declared])
    assert (found.rates.annunciations, found.rates.excluded_s, found.declared_s) == (2, 1_800.0, 900.0)
    assert found.outages == [(gap[0], declared[1])]
    assert left_out_sentences(found) == [
        "0.2 h in which nothing could be received are left out.", "0.2 h of declared outages are left out.",
    ]  # fmt: skip
    assert left_out_sentences(over([], 3_600)) == []


def test_a_flood_ends_where_nothing_could_be_seen() -> None:
    happenings = [raised(number, 1, at) for number, at in enumerate([*range(0, 600, 50), *range(1_200, 1_260, 10)])]
    whole = over(happenings, 1_800).rates.floods
    cut = over(happenings, 1_800, gaps=[(START + 700 * US_PER_S, START + 701 * US_PER_S)]).rates.floods
    assert [one.annunciations for one in whole] == [one.annunciations for one in cut] == [12]


@pytest.mark.parametrize("cut_s", [(601, 700), (1_190, 1_800), (1_100, 1_101)])
def test_a_flood_that_an_outage_cut_was_one(cut_s: tuple[int, int]) -> None:
    outage = (START + cut_s[0] * US_PER_S, START + cut_s[1] * US_PER_S)
    found = over(series([float(at) for at in range(800, 860, 3)]), 2_400, gaps=[outage])
    assert found.rates.busiest == 20
    assert found.rates.busy_intervals == pytest.approx(1 / found.rates.intervals)
    assert [(one.start_us, one.annunciations) for one in found.rates.floods] == [(START + 600 * US_PER_S, 20)]
    assert found.load.counts[:2] == [0, 20]


def test_a_flood_that_goes_on_at_the_end_of_the_span_is_one() -> None:
    found = over(series([float(at) for at in range(1_210, 1_270, 3)]), 1_300)
    assert (found.rates.busiest, found.load.counts, len(found.rates.floods)) == (20, [0, 0, 20], 1)


@pytest.mark.parametrize(
    ("per_hour", "band", "load"),
    [(0, Band.GOOD, Load.ACCEPTABLE), (6, Band.GOOD, Load.ACCEPTABLE), (12, Band.TOLERABLE, Load.MANAGEABLE),
     (30, Band.POOR, Load.DEMANDING), (90, Band.POOR, Load.UNACCEPTABLE)],
)  # fmt: skip
def test_public_bands_are_shown_as_guidance(per_hour: int, band: Band, load: Load) -> None:
    found = over(series([n * 3_600 / max(per_hour, 1) for n in range(per_hour)]), 3_600)
    assert (found.judgement.rate, found.judgement.load, found.is_indicative) == (band, load, True)


def test_thirty_days_are_representative_and_limits_must_make_sense() -> None:
    assert not over([], 30 * 86_400).is_indicative
    assert over([], 0).rates.per_day is None
    with pytest.raises(InvalidInputError):
        over([], 60, limits=Thresholds(flood_entry=3, flood_exit=5))


_times = st.lists(st.integers(0, 6 * 3_600), max_size=60).map(sorted)


@given(at_s=_times, outage=st.tuples(st.integers(0, 6 * 3_600), st.integers(0, 7_200)))
def test_every_annunciation_outside_an_outage_is_counted_once(at_s: list[int], outage: tuple[int, int]) -> None:
    start_s, length_s = outage
    cut = (START + start_s * US_PER_S, START + (start_s + length_s) * US_PER_S)
    found = over(series(at_s), 6 * 3_600, gaps=[cut])
    seen = [at for at in at_s if at < 6 * 3_600 and not start_s <= at < start_s + length_s]
    assert found.rates.annunciations == len(seen) == sum(one.annunciations for one in found.priorities)
    at_us = START + np.array(at_s, np.int64) * US_PER_S
    _, counts = intervals(at_us, (START, START + 6 * HOUR_US), [], 600)
    assert counts.sum() == sum(at < 6 * 3_600 for at in at_s)


def test_the_load_of_each_interval_leaves_out_what_could_not_be_seen() -> None:
    outage = (START + 700 * US_PER_S, START + 800 * US_PER_S)
    load = over(series([0, 10, 650, 1_300]), 2_400, gaps=[outage]).load
    assert (load.start_us, load.width_us, load.counts) == (START, 600 * US_PER_S, [2, None, 1, 0])
    assert over([], 30).load.counts == []


def test_figures_say_what_they_were_judged_by() -> None:
    limits = Thresholds(busy_interval=5)
    assert measure(columns([]), (START, START + HOUR_US), limits=limits).limits == limits


def test_bands_follow_the_targets_of_the_site() -> None:
    happenings = series([n * 300.0 for n in range(12)])
    assert over(happenings, 3_600).judgement.rate is Band.TOLERABLE
    mild, strict = Thresholds(rate_per_hour=Target(12, 24)), Thresholds(rate_per_hour=Target(2, 4))
    assert over(happenings, 3_600, limits=mild).judgement.rate is Band.GOOD
    assert over(happenings, 3_600, limits=strict).judgement.rate is Band.POOR
    assert (DEFAULT.rate_per_day, DEFAULT.rate_per_interval) == (Target(144, 288), Target(1, 2))


@pytest.mark.parametrize(("alarms", "band"), [(1, Band.UNKNOWN), (10, Band.UNKNOWN), (11, Band.POOR)])
def test_the_share_of_the_ten_most_frequent_is_not_judged_where_there_are_no_others(alarms: int, band: Band) -> None:
    found = over([one for alarm in range(alarms) for one in series([alarm * 60.0], alarm)], 3_600)
    assert found.judgement.top_ten is band
    assert found.top_share == pytest.approx(min(1.0, 10 / alarms))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"chatter_count": 1}, "chatter_count"), ({"flood_exit": 11}, "flood_exit"),
        ({"stale_s": float("inf")}, "stale_s"),
        ({"fleeting_s": float("nan")}, "fleeting_s"), ({"top_ten": Target(0.2, 0.1)}, "top_ten"),
        ({"share_of_time": Target(0.5, 1.5)}, "share_of_time"), ({"busiest": Target(float("nan"), 5)}, "busiest"),
    ],
)  # fmt: skip
def test_thresholds_that_cannot_be_used_are_named(changed: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInputError) as told:
        replace(DEFAULT, **changed).check()  # type: ignore[arg-type] # by name
    assert list(told.value.fields) == [field]
