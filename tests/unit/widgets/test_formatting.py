from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from factoryops.domain.time import US_PER_S, to_us
from factoryops_resources.words import set_language
from factoryops_widgets import formatting

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    set_language("en")
    yield
    set_language("en")


def test_numbers_have_the_separators_of_the_language() -> None:
    assert formatting.number(12_345.678, 2) == "12,345.68"
    set_language("de")
    assert formatting.number(12_345.678, 2) == "12.345,68"


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_is_not_there_is_a_dash(value: float | None) -> None:
    assert formatting.number(value) == formatting.NOTHING
    assert formatting.with_unit(value, 2, "bar") == formatting.NOTHING


def test_there_is_no_minus_before_zero() -> None:
    assert formatting.number(-0.001, 2) == "0.00"
    assert formatting.number(-1.5, 1) == "\N{MINUS SIGN}1.5"


def test_huge_numbers_stay_short() -> None:
    assert formatting.number(1.23456e12) == "1.235e12"


def test_times_are_local_and_have_twenty_four_hours() -> None:
    at = to_us(datetime(2026, 7, 1, 20, 5, 6, tzinfo=UTC))
    assert formatting.clock_time(at, BERLIN) == "22:05:06"
    assert formatting.clock_time(at, BERLIN, with_date=True) == "2026-07-01 22:05:06"
    set_language("de")
    assert formatting.clock_time(at, BERLIN, with_date=True) == "01.07.2026 22:05:06"


def test_the_zone_is_named_with_its_distance_from_utc() -> None:
    assert formatting.zone_name(to_us(datetime(2026, 7, 1, tzinfo=UTC)), BERLIN) == "CEST (UTC+02:00)"
    assert formatting.zone_name(0, ZoneInfo("UTC")) == "UTC"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0 s"), (59, "59 s"), (65, "1 min 05 s"), (3_661, "1 h 01 min"), (90_000, "1 d 1 h")],
)
def test_ages_have_the_two_units_that_matter(seconds: float, text: str) -> None:
    assert formatting.age(seconds) == text


def test_spans_have_one_unit() -> None:
    assert [formatting.span(s * US_PER_S) for s in (30, 300, 7_200, 604_800)] == ["30 s", "5 min", "2 h", "7 d"]


def test_markup_in_names_is_shown_not_obeyed() -> None:
    assert formatting.plain("<b>x</b>\ny") == "&lt;b&gt;x&lt;/b&gt;<br>y"
