"""What somebody hears of an alarm that comes again and again: everything, but not each time at once."""

from __future__ import annotations

import pytest

from factoryops.domain.notification_repeats import REPEAT_US, Telling, announced_us, returned_us
from factoryops.domain.notifying import ChannelKind

MINUTE_US = 60_000_000
NOW_US = 1_000 * MINUTE_US


def told(annunciation: int, minutes_ago: int, event: str = "raised", priority: int = 2, opens_in: int = 0) -> Telling:
    created_us = NOW_US - minutes_ago * MINUTE_US
    opens_us = NOW_US + opens_in * MINUTE_US if opens_in else created_us
    return Telling("a", "jana", ChannelKind.EMAIL, event, (annunciation, 0), priority, created_us, opens_us)


def test_whoever_knows_nothing_of_an_alarm_is_told_at_once() -> None:
    assert announced_us([], 2, NOW_US) == NOW_US


def test_a_repeat_waits_until_a_quarter_of_an_hour_is_over() -> None:
    assert announced_us([told(1, 4)], 2, NOW_US) == NOW_US + 11 * MINUTE_US
    assert announced_us([told(1, 15)], 2, NOW_US) == NOW_US


def test_repeats_go_out_together() -> None:
    assert announced_us([told(1, 4), told(2, 2, opens_in=11)], 2, NOW_US) == NOW_US + 11 * MINUTE_US


@pytest.mark.parametrize(("priority", "is_news"), [(1, True), (2, False), (3, False)])
def test_a_more_urgent_alarm_is_news(priority: int, is_news: bool) -> None:
    assert (announced_us([told(1, 4)], priority, NOW_US) == NOW_US) is is_news


def test_whoever_was_told_that_it_returned_is_told_that_it_is_back() -> None:
    assert announced_us([told(1, 4), told(1, 3, "cleared")], 2, NOW_US) == NOW_US
    held = [told(1, 6), told(1, 5, "cleared"), told(2, 4), told(2, 2, "cleared", opens_in=11)]
    assert announced_us(held, 2, NOW_US) == NOW_US + 11 * MINUTE_US


def test_the_first_return_is_told_at_once_and_those_of_an_alarm_that_comes_and_goes_are_gathered() -> None:
    assert returned_us([told(1, 4)], NOW_US) == NOW_US
    chatter = [told(1, 4), told(1, 3, "cleared"), told(2, 2)]
    assert returned_us(chatter, NOW_US) == NOW_US - 2 * MINUTE_US + REPEAT_US
