from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.reports.text import count, figure, fitted, markup, shown


@given(st.text(max_size=400))
def test_any_text_becomes_markup_that_parses_and_says_the_same(text: str) -> None:
    parsed = ElementTree.fromstring(f"<p>{markup(text)}</p>")
    assert "".join(parsed.itertext()).replace("\u200b", "") == shown(text)
    assert {child.tag for child in parsed} <= {"font"}


@given(st.text(max_size=400))
def test_shown_text_is_one_line_without_control_or_direction_characters(text: str) -> None:
    result = shown(text)
    assert len(result) <= 160
    assert not set(result) & {"\n", "\r", "\t", "\0", "\x1b", "\u202e", "\u2066", "\ufeff"}


@given(st.text(max_size=300), st.floats(10, 500))
def test_fitted_text_ends_and_never_grows(text: str, width: float) -> None:
    assert len(fitted(text, width, 8)) <= len(shown(text)) + 1


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (1234567.891, 2, "1\u00a0234\u00a0567.89"),
        (0.5, 0, "0"),
        (-3.14159, 3, "-3.142"),
        (None, 2, "\u2013"),
        (math.nan, 2, "\u2013"),
        (math.inf, 2, "\u2013"),
    ],
)
def test_numbers_are_set_as_their_parameter_says(value: float | None, decimals: int, expected: str) -> None:
    assert figure(value, decimals) == expected


def test_whole_numbers_have_their_thousands_set_apart() -> None:
    assert count(1693440) == "1\u00a0693\u00a0440"
