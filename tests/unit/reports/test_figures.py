from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind, AlarmState, Priority
from factoryops.domain.bins import bin_samples
from factoryops.domain.time import US_PER_S, to_us
from factoryops.reports.charts import Span, time_ticks
from factoryops.reports.collect import alarm_lines, completeness, usual_pace_us
from factoryops.reports.daily import coarser, duration

MINUTE_US = 60 * US_PER_S
START = datetime(2027, 3, 1, tzinfo=UTC)
END = START + timedelta(days=1)


def test_a_series_with_a_value_every_minute_is_complete() -> None:
    bins = bin_samples(np.arange(0, 86_400, 5) * US_PER_S, np.zeros(17_280), MINUTE_US)
    assert usual_pace_us(bins) == MINUTE_US
    assert completeness(bins, (0, 86_400 * US_PER_S), MINUTE_US) == 1.0


def test_half_a_day_of_silence_is_half_a_day_missing() -> None:
    bins = bin_samples(np.arange(0, 43_200, 5) * US_PER_S, np.zeros(8_640), MINUTE_US)
    assert completeness(bins, (0, 86_400 * US_PER_S), usual_pace_us(bins)) == pytest.approx(0.5)


def test_a_meter_that_speaks_every_quarter_of_an_hour_is_complete_when_it_did() -> None:
    bins = bin_samples(np.arange(0, 86_400, 900) * US_PER_S, np.zeros(96), MINUTE_US)
    assert usual_pace_us(bins) == 15 * MINUTE_US
    assert completeness(bins, (0, 86_400 * US_PER_S), 15 * MINUTE_US) == 1.0


@given(st.lists(st.integers(0, 86_399), min_size=1, max_size=200, unique=True).map(sorted))
def test_completeness_is_a_share_and_more_data_is_never_less_complete(times_s: list[int]) -> None:
    span = (0, 86_400 * US_PER_S)
    times = np.array(times_s, np.int64) * US_PER_S
    bins = bin_samples(times, np.zeros(len(times)), MINUTE_US)
    whole = completeness(bins, span, MINUTE_US)
    fewer = completeness(bin_samples(times[::2], np.zeros(len(times[::2])), MINUTE_US), span, MINUTE_US)
    assert 0 < fewer <= whole <= 1


@given(st.lists(st.integers(0, 500_000), min_size=1, max_size=300, unique=True).map(sorted), st.integers(1, 400))
def test_coarser_bins_keep_extremes_counts_and_mean(times_s: list[int], most: int) -> None:
    times = np.array(times_s, np.int64) * US_PER_S
    fine = bin_samples(times, np.sin(times / 1e9), MINUTE_US)
    coarse = coarser(fine, most)
    assert len(coarse) <= most + 1
    assert coarse.count.sum() == fine.count.sum()
    assert coarse.minimum.min() == fine.minimum.min()
    assert coarse.maximum.max() == fine.maximum.max()
    assert (coarse.mean * coarse.count).sum() == pytest.approx((fine.mean * fine.count).sum())


def event(kind: AlarmEventKind, hour: int, *, annunciation: int = 1, actor: str | None = None) -> http.AlarmEvent:
    return http.AlarmEvent(
        id=f"{hour:032x}", alarm_id="a" * 32, annunciation=annunciation, kind=kind, at=START + timedelta(hours=hour),
        value=5.3, actor=actor, comment="seen" if actor else None, rule_name="Pressure high", device_name="Pump",
        priority=Priority.HIGH,
    )  # fmt: skip


def standing(annunciation: int, raised: datetime) -> http.Alarm:
    return http.Alarm(
        id="a" * 32, rule_id="b" * 32, rule_name="Pressure high", device_id="c" * 32, device_key="pump",
        device_name="Pump", area="", parameter_key="p", series_id=1, priority=Priority.HIGH,
        state=AlarmState.UNACKNOWLEDGED, annunciation=annunciation, raised_at=raised, cleared_at=None, value=5.3,
        unit="bar", message="",
    )  # fmt: skip


def test_one_line_per_annunciation_tells_who_answered_and_when_it_ended() -> None:
    events = [
        event(AlarmEventKind.CLEARED, 3),
        event(AlarmEventKind.ACKNOWLEDGED, 2, actor="anna"),
        event(AlarmEventKind.RAISED, 1),
        event(AlarmEventKind.RAISED, 5, annunciation=2),
    ]
    newest, oldest = alarm_lines(events, [], START, END)
    assert (oldest.raised_at, oldest.cleared_at) == (START + timedelta(hours=1), START + timedelta(hours=3))
    assert (oldest.acknowledged_by, oldest.comment) == ("anna", "seen")
    assert newest.cleared_at is None
    assert newest.period_us(to_us(START), to_us(END))[1] == to_us(END)


def test_an_alarm_that_stood_all_day_is_listed_though_nothing_happened_to_it() -> None:
    (line,) = alarm_lines([], [standing(4, START - timedelta(days=2))], START, END)
    assert line.period_us(to_us(START), to_us(END)) == (to_us(START), to_us(END))


def test_an_alarm_raised_after_the_period_is_not_listed() -> None:
    assert alarm_lines([], [standing(4, END + timedelta(hours=1))], START, END) == ()


def test_an_alarm_with_events_is_not_listed_again_as_standing() -> None:
    assert (
        len(alarm_lines([event(AlarmEventKind.RAISED, 1)], [standing(1, START + timedelta(hours=1))], START, END)) == 1
    )


@pytest.mark.parametrize("day", [28, 27])
def test_the_time_axis_has_round_local_hours_on_the_day_the_clock_changes(day: int) -> None:
    zone = ZoneInfo("Europe/Berlin")
    start = datetime(2027, 3, day, tzinfo=zone)
    span = Span(to_us(start.astimezone(UTC)), to_us(datetime(2027, 3, day + 1, tzinfo=zone).astimezone(UTC)), zone)
    labels = [label for _, label in time_ticks(span, 7)]
    assert labels == ["00:00", "04:00", "08:00", "12:00", "16:00", "20:00", "00:00"]
    moments = [moment for moment, _ in time_ticks(span, 7)]
    assert moments == sorted(moments)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s"), (59.4, "59 s"), (370, "6 min 10 s"), (11_100, "3 h 05 min"), (190_000, "2 d 4 h")],
)
def test_a_length_of_time_reads_as_people_say_it(seconds: float, expected: str) -> None:
    assert duration(timedelta(seconds=seconds)) == expected
