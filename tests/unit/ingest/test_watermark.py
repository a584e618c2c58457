"""The watermark: two seconds behind, never back, held while a backlog of ours drains."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from factoryops.ingest.watermark import GRACE_US, LONGEST_HOLD_US, WatermarkClock

S = 1_000_000
START = 1_800_000_000 * S


def test_it_follows_the_clock_by_the_grace() -> None:
    clock = WatermarkClock(0, START)
    assert clock.advance(START, saw_backlog=False) == START - GRACE_US
    assert clock.advance(START + S, saw_backlog=False) == START + S - GRACE_US


def test_it_never_goes_back_with_the_clock() -> None:
    clock = WatermarkClock(0, START)
    before = clock.advance(START, saw_backlog=False)
    assert clock.advance(START - 3_600 * S, saw_backlog=False) == before


def test_after_a_restart_it_is_held_until_the_backlog_has_drained() -> None:
    last = START - 60 * S
    clock = WatermarkClock(last, START)
    for second in range(1, 20):
        assert clock.advance(START + second * S, saw_backlog=True) == last
    assert clock.advance(START + 20 * S, saw_backlog=False) == last
    assert clock.advance(START + 22 * S, saw_backlog=False) == START + 22 * S - GRACE_US


def test_a_restart_without_a_backlog_holds_it_only_while_devices_connect() -> None:
    clock = WatermarkClock(START - 60 * S, START)
    assert clock.advance(START + 4 * S, saw_backlog=False) == START - 60 * S
    assert clock.advance(START + 5 * S, saw_backlog=False) == START + 5 * S - GRACE_US


def test_a_backlog_that_never_ends_holds_it_ten_minutes_at_most() -> None:
    clock = WatermarkClock(START - S, START)
    assert clock.advance(START + LONGEST_HOLD_US - S, saw_backlog=True) == START - S
    assert clock.advance(START + LONGEST_HOLD_US, saw_backlog=True) == START + LONGEST_HOLD_US - GRACE_US


def test_while_nothing_is_read_it_stands_still() -> None:
    clock = WatermarkClock(0, START)
    value = clock.advance(START, saw_backlog=False)
    clock.stop_receiving(START)
    assert clock.advance(START + 60 * S, saw_backlog=False) == value
    clock.start_receiving(START + 60 * S)
    assert clock.advance(START + 61 * S, saw_backlog=False) == value
    assert clock.advance(START + 62 * S, saw_backlog=False) == START + 62 * S - GRACE_US


@given(st.lists(st.tuples(st.integers(-5, 90), st.booleans(), st.sampled_from(["", "stop", "start"])), max_size=40))
def test_it_only_grows_and_stays_behind_the_newest_clock(steps: list[tuple[int, bool, str]]) -> None:
    clock = WatermarkClock(START - 10 * S, START)
    moment = newest = START
    before = clock.value_us
    for seconds, saw, action in steps:
        moment += seconds * S
        newest = max(newest, moment)
        if action == "stop":
            clock.stop_receiving(moment)
        elif action == "start":
            clock.start_receiving(moment)
        value = clock.advance(moment, saw_backlog=saw)
        assert before <= value <= newest - GRACE_US
        before = value
