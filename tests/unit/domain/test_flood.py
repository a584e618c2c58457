"""In a flood nothing is hidden: it begins and ends by the rule, and every alarm stands in exactly one line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from factoryops.contracts import http
from factoryops.domain.flood import ENTRY, EXIT, WINDOW_US, FloodAlarm, FloodState, FloodWatch, arrange
from factoryops.domain.performance.history import HistoryLine
from factoryops.domain.performance.thresholds import DEFAULT, Thresholds
from factoryops.domain.time import US_PER_S


def test_a_flood_begins_with_the_eleventh_alarm_in_ten_minutes_and_ends_below_five() -> None:
    watch = FloodWatch()
    for number in range(11):
        assert not watch.look(number * US_PER_S).is_flood
        watch.announce(number * US_PER_S)
    assert watch.look(11 * US_PER_S) == FloodState(10 * US_PER_S, 11)
    assert watch.look(WINDOW_US + 5 * US_PER_S) == FloodState(10 * US_PER_S, 5)
    assert watch.look(WINDOW_US + 6 * US_PER_S) == FloodState(None, 4)


@given(st.lists(st.integers(0, 3_600), max_size=80))
def test_it_is_as_counting_anew_in_every_second(at_s: list[int]) -> None:
    watch, is_flood = FloodWatch(), False
    for second in range(4_300):
        arriving = at_s.count(second)
        before = sum(second - 600 < one < second for one in at_s) if arriving or second % 60 == 0 else None
        for _ in range(arriving):
            watch.announce(second * US_PER_S)
        if before is None:
            is_flood = is_flood and sum(second - 600 < one <= second for one in at_s) >= EXIT
        else:
            is_flood = (is_flood and before >= EXIT) or before + arriving > ENTRY
        assert watch.look(second * US_PER_S).is_flood == is_flood


def test_an_alarm_that_is_told_late_counts_from_when_it_happened() -> None:
    watch = FloodWatch()
    for number in (9, 3, 1, 0, 2, 4, 5, 6, 7, 8, 10):
        watch.announce(number * US_PER_S)
    assert watch.look(10 * US_PER_S) == FloodState(10 * US_PER_S, 11)
    watch.announce(10 * US_PER_S - WINDOW_US)
    assert watch.look(10 * US_PER_S).count == 11


def alarm(name: str, raised_s: int, *, rule: str = "", device: str = "", area: str = "A", order: int = 0) -> FloodAlarm:
    return FloodAlarm(name, rule or name, device or name, area, 2, raised_s * US_PER_S, order)


def test_the_area_where_it_began_comes_first_and_consequences_are_folded_under_their_cause() -> None:
    trip = alarm("trip", 10, rule="trip", device="press")
    low = alarm("low", 11, rule="low", device="press")
    stopped = alarm("stopped", 9, rule="stopped", device="belt")
    other = alarm("other", 8, area="B")
    groups = arrange([low, other, stopped, trip], {"low": "trip", "stopped": "low"})
    assert [(group.area, group.count, group.first_out.id) for group in groups] == [
        ("B", 1, "other"),
        ("A", 3, "stopped"),
    ]
    (line,) = groups[1].lines
    assert (line.alarm, line.folded) == (trip, (stopped, low))


def test_a_parent_elsewhere_or_a_circle_folds_nothing() -> None:
    groups = arrange(
        [alarm("a", 1, rule="a"), alarm("b", 2, rule="b"), alarm("c", 3, rule="c", area="C")],
        {"a": "b", "b": "a", "c": "a"},
    )
    assert [[line.alarm.id for line in group.lines] for group in groups] == [["a", "b"], ["c"]]
    assert not any(line.folded for group in groups for line in group.lines)


_names = st.sampled_from("abcde")
_alarms = st.lists(
    st.tuples(_names, st.sampled_from(["d1", "d2", "d3"]), st.sampled_from(["", "A", "B"]), st.integers(0, 30)),
    max_size=40, unique_by=lambda one: one[:2],
)  # fmt: skip


@given(_alarms, st.dictionaries(_names, _names, max_size=5))
def test_every_alarm_is_in_exactly_one_line_whatever_the_rules_say(
    made: list[tuple[str, str, str, int]], parents: dict[str, str]
) -> None:
    alarms = [
        FloodAlarm(f"{rule}{device}", rule, device, area, 1 + at % 4, at, number)
        for number, (rule, device, area, at) in enumerate(made)
    ]
    groups = arrange(alarms, parents)
    shown = [one.id for group in groups for line in group.lines for one in (line.alarm, *line.folded)]
    assert sorted(shown) == sorted(one.id for one in alarms)
    assert sum(group.count for group in groups) == len(alarms)
    assert [group.first_out.place for group in groups] == sorted(group.first_out.place for group in groups)


def test_a_told_flood_goes_by_the_thresholds_of_the_factory() -> None:
    lines = [HistoryLine("0" * 32, n, "raised", n * US_PER_S, 2, True, "High", "Pump", "Hall") for n in range(4)]
    for limits, is_flood in ((DEFAULT, False), (Thresholds(flood_entry=3, flood_exit=2), True)):
        (whole,) = http.FloodList.of(lines, 5 * US_PER_S, [], limits).floods
        assert (whole.is_flood, whole.count) == (is_flood, 4)
