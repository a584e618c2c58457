from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from factoryops_app.models.condition_fields import FieldSpec, FieldType, faults_of
from factoryops_app.models.typed import number_fault, parsed, parsed_date, parsed_s, plain, span_text
from factoryops_resources.words import LANGUAGES, set_language
from factoryops_widgets.formatting import number


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    set_language("en")


FIGURES = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9)


@given(FIGURES.map(lambda x: round(x, 4)), st.sampled_from(sorted(LANGUAGES)))
def test_numbers_survive_being_shown_and_typed(value: float, code: str) -> None:
    set_language(code)
    assert parsed(plain(value)) == pytest.approx(value, rel=1e-9)


@given(FIGURES, st.integers(0, 6), st.sampled_from(sorted(LANGUAGES)))
@example(12_000.0, 0, "en")
@example(12_000.0, 0, "de")
@example(-1_234.5, 3, "de")
@example(1.234, 3, "de")
@example(0.125, 3, "en")
def test_a_number_typed_as_the_client_shows_it_is_that_number_or_refused(
    value: float, decimals: int, code: str
) -> None:
    set_language(code)
    read = parsed(number(value, decimals))
    assert read is None or read == pytest.approx(value, abs=0.51 * 10**-decimals)
    assert read is not None or number_fault(number(value, decimals), "no number") != "no number"


@pytest.mark.parametrize(
    ("code", "text", "value"),
    [
        ("en", "12,000", None), ("en", "-1,234", None), ("en", "1,234,567", None), ("en", "12,000.50", None),
        ("de", "12.000", None), ("de", "1.234.567", None), ("de", "12.000,5", None),
        ("en", "1.234", 1.234), ("de", "1,234", 1.234), ("en", "0,125", 0.125), ("de", "0.125", 0.125),
        ("en", "12,5", 12.5), ("de", "12.5", 12.5), ("en", "12 000", 12_000.0), ("en", "1234,567", 1_234.567),
    ],
)  # fmt: skip
def test_separated_thousands_are_never_taken_for_decimals(code: str, text: str, value: float | None) -> None:
    set_language(code)
    assert parsed(text) == value
    assert parsed_s(f"{text} s".replace("-", "").replace(" 000", "000")) == value


def test_a_field_says_how_to_write_a_number_with_separated_thousands() -> None:
    fields = (
        FieldSpec("limit", FieldType.NUMBER),
        FieldSpec("band", FieldType.AMOUNT),
        FieldSpec("for", FieldType.SPAN),
    )
    typed = {"limit": "-12,000", "band": "1,500.25", "for": "1 h 3,600 s"}
    assert {key: fault.split(" without")[0] for key, fault in faults_of(fields, typed).items()} == {
        "limit": "Write 12000", "band": "Write 1500.25", "for": "Write 3600",
    }  # fmt: skip
    set_language("de")
    assert number_fault("12.000", "keine Zahl").startswith("Schreiben Sie 12000 ohne Tausendertrennzeichen;")
    assert number_fault("zwölf", "keine Zahl") == "keine Zahl"


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
