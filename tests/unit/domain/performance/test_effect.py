"""What a tried rule adds to the figures of a factory."""

from __future__ import annotations

from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.performance.effect import RecordedLoad, TriedEvent, tried_lines
from factoryops.domain.performance.history import HistoryLine
from factoryops.domain.time import US_PER_S

MIN_US = 60 * US_PER_S
DAY_US = 86_400 * US_PER_S
SPAN = (10 * DAY_US, 11 * DAY_US)
RAISED, CLEARED, RENEWED = AlarmEventKind.RAISED, AlarmEventKind.CLEARED, AlarmEventKind.RENEWED


def lines(*events: TriedEvent) -> list[HistoryLine]:
    return tried_lines(events, SPAN, device="pump-1", name="Tried", priority=4)


def times(*minutes: float) -> list[TriedEvent]:
    """Raised and cleared a minute later, so many minutes after the span's beginning."""
    at = [SPAN[0] + round(one * MIN_US) for one in minutes]
    return [event for one in at for event in ((RAISED, one, True), (CLEARED, one + MIN_US, False))]


def test_only_what_happens_in_the_span_and_what_stood_before_it_is_told() -> None:
    before = [(RAISED, SPAN[0] - 3 * MIN_US, True), (CLEARED, SPAN[0] - 2 * MIN_US, False)]
    standing = (RAISED, SPAN[0] - MIN_US, True)
    found = lines(*before, standing, (CLEARED, SPAN[0] + MIN_US, False), *times(5), (RAISED, SPAN[1], True))
    assert [(one.kind, one.annunciation) for one in found] == [
        ("raised", 2), ("cleared", 2), ("raised", 3), ("cleared", 3),
    ]  # fmt: skip
    assert [one.at_us for one in lines(*before, *times(5))] == [one[1] for one in times(5)]


def test_what_is_suppressed_counts_when_it_is_announced() -> None:
    found = lines(
        (RAISED, SPAN[0], False), (AlarmEventKind.UNSUPPRESSED, SPAN[0] + 5, False), (RENEWED, SPAN[0] + 5, True)
    )
    assert [(one.kind, one.is_annunciation, one.annunciation) for one in found] == [
        ("raised", False, 1), ("renewed", True, 1),
    ]  # fmt: skip


def test_the_peak_is_of_fixed_intervals_and_the_mix_and_floods_follow() -> None:
    recorded = [
        HistoryLine(f"{number}", 1, "raised", SPAN[0] + (5 + number) * US_PER_S, 1, True, "Other", "Fan", "Hall")
        for number in range(6)
    ]
    load = RecordedLoad(recorded)
    tried = lines(*times(2, 4, 6, 8, 9.5, 11, 13))
    before, after = load.measured([], SPAN, ()), load.measured(tried, SPAN, ())
    assert (before.rates.per_day, after.rates.per_day) == (6.0, 13.0)
    assert (before.rates.busiest, after.rates.busiest) == (6, 11), "a window that slides would hold more"
    assert (before.rates.flood_share, after.rates.flood_share) == (0.0, 1 / 144)
    assert [one.share for one in after.priorities] == [6 / 13, 0.0, 0.0, 7 / 13]
    same = RecordedLoad(recorded, is_counted=False).measured(tried, SPAN, ())
    assert same.rates == before.rates


def test_what_falls_into_an_outage_counts_no_more_than_elsewhere() -> None:
    gap = (SPAN[0], SPAN[0] + 10 * MIN_US)
    assert RecordedLoad([], declared=[gap]).measured(lines(*times(5, 15)), SPAN, ()).rates.annunciations == 1
    assert RecordedLoad([]).measured(lines(*times(5, 15)), SPAN, [gap]).rates.annunciations == 1
