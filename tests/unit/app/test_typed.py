from __future__ import annotations

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops_app.models.typed import parsed, parsed_date, parsed_s, plain, span_text


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9).map(lambda x: round(x, 4)))
def test_numbers_survive_being_shown_and_typed(value: float) -> None:
    assert parsed(plain(value)) == pytest.approx(value, rel=1e-9)


def test_a_comma_is_understood_as_a_decimal_point() -> None:
    assert parsed("3,5") == 3.5
    assert parsed("\N{MINUS SIGN}2") == -2.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0), ("90 s", 90.0), ("1,5 min", 90.0), ("10min", 600.0), ("2 h", 7_200.0), ("1 h 30 min", 5_400.0),
        ("0", 0.0), ("", None), ("soon", None), ("-5", None), ("5 weeks", None), ("5 min x", None), ("1..2 s", None),
    ],
)  # fmt: skip
def test_times_are_typed_as_people_say_them(text: str, seconds: float | None) -> None:
    assert parsed_s(text) == seconds


@given(st.integers(0, 86_400))
def test_times_survive_being_shown_and_typed(seconds: int) -> None:
    assert parsed_s(span_text(float(seconds))) == seconds


@given(st.text(max_size=12))
def test_no_text_at_all_breaks_a_field(text: str) -> None:
    numbers = [one for one in (parsed(text), parsed_s(text)) if one is not None]
    assert all(math.isfinite(one) for one in numbers)
    assert parsed_date(text) is None or any(letter.isdigit() for letter in text)


def test_dates_are_typed_in_both_manners() -> None:
    assert parsed_date("2026-03-31") == parsed_date("31.3.2026") == date(2026, 3, 31)
    assert parsed_date("31.2.2026") is None
