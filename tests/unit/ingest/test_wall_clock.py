"""Row 34: the plant server's own clock is set forward or back, and somebody is told."""

from __future__ import annotations

from factoryops.domain.time import US_PER_S
from factoryops.ingest.wall_clock import TOLD_S, WallClock

NOON_US = 1_764_244_800 * US_PER_S
HOUR_US = 3_600 * US_PER_S


def test_row_34_a_clock_that_runs_as_it_should_is_no_news() -> None:
    clock = WallClock()
    for second in range(100):
        clock.look(float(second), NOON_US + second * US_PER_S + (second % 3) * 300_000, NOON_US)
    assert clock.problem == ""


def test_row_34_a_step_forward_is_told_for_an_hour() -> None:
    clock = WallClock()
    clock.look(0.0, NOON_US, NOON_US - 2 * US_PER_S)
    clock.look(1.0, NOON_US + HOUR_US + US_PER_S, NOON_US - US_PER_S)
    assert "forward by 3600 s" in clock.problem
    assert "late" not in clock.problem
    clock.look(1.5 + TOLD_S, NOON_US + HOUR_US + round((1.5 + TOLD_S) * US_PER_S), NOON_US)
    assert clock.problem == ""


def test_row_34_a_step_back_says_until_when_alarms_wait() -> None:
    clock = WallClock()
    watermark_us = NOON_US - 2 * US_PER_S
    clock.look(0.0, NOON_US, watermark_us)
    clock.look(1.0, NOON_US - HOUR_US + US_PER_S, watermark_us)
    assert "back by 3600 s" in clock.problem
    assert "11:59:58" in clock.problem
    clock.look(2.0 + TOLD_S, NOON_US - US_PER_S * 10, watermark_us)
    assert clock.problem, "alarms still wait"


def test_row_34_a_machine_that_slept_is_told_as_a_step_where_the_other_clock_slept_too() -> None:
    clock = WallClock()
    clock.look(0.0, NOON_US, NOON_US)
    clock.look(1.0, NOON_US + 30 * US_PER_S, NOON_US)
    assert "forward by 29 s" in clock.problem
