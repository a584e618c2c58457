"""Figures of a back-test, by hand."""

from __future__ import annotations

from factoryops.domain.back_tests import Episode, MarkedIncident, figures_of, first_seen_us, per_day

S = 1_000_000
DAY = 86_400 * S
SPAN = (0, 2 * DAY)


def test_alarms_are_counted_and_measured() -> None:
    found = figures_of(
        [Episode("a", -5 * S, 5 * S), Episode("a", 10 * S, 40 * S), Episode("b", 100 * S, None)], SPAN, []
    )
    assert (found.alarms, found.alarms_per_day) == (2, 1.0)
    assert (found.shortest_s, found.longest_s) == (30.0, 2 * 86_400 - 100)
    assert found.short_share == 1.0


def test_nothing_has_no_figures() -> None:
    found = figures_of([], SPAN, [])
    assert (found.alarms, found.longest_s, found.shortest_s, found.short_share) == (0, None, None, None)


def test_incidents_are_seen_while_an_alarm_is_active_on_a_device_concerned() -> None:
    standing, later = Episode("a", -5 * S, 5 * S), Episode("b", 50 * S, 60 * S)
    mine = MarkedIncident("1", frozenset({"a"}), 0, 10 * S)
    others = MarkedIncident("2", frozenset({"c"}), 0, 100 * S)
    everybody_s = MarkedIncident("3", None, 55 * S, 58 * S)
    found = figures_of([standing, later], SPAN, [mine, others, everybody_s])
    assert (found.hits, found.misses, found.apart) == (2, 1, 0)
    assert first_seen_us(mine, [later, standing]) == -5 * S
    assert first_seen_us(others, [later, standing]) is None


def test_days_count_what_lies_in_them() -> None:
    assert per_day([5, 10, 19, 20, 99], [0, 10, 20, 30]) == [1, 2, 1]
