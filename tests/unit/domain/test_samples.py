"""Columns of samples, and the ids that names make."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.samples import SERIES_ID_BITS, SampleColumns, SeriesKey, series_id

rows = st.lists(
    st.tuples(st.integers(1, 5), st.integers(0, 20), st.floats(allow_nan=False, allow_infinity=False)), max_size=60
)


@given(rows)
def test_of_the_same_series_and_time_the_last_one_wins(given_rows: list[tuple[int, int, float]]) -> None:
    expected = {(series, time_us): value for series, time_us, value in given_rows}
    unique = SampleColumns.of(given_rows).sorted_unique()
    keys = list(zip(unique.series.tolist(), unique.time_us.tolist(), strict=True))
    assert keys == sorted(expected)
    assert unique.value.tolist() == [expected[key] for key in keys]


@given(rows, st.integers(0, 60))
def test_joining_parts_gives_back_the_whole(given_rows: list[tuple[int, int, float]], cut: int) -> None:
    parts = [SampleColumns.of(given_rows[:cut]), SampleColumns.of(given_rows[cut:])]
    joined = SampleColumns.joined(parts)
    assert joined.time_us.tolist() == [time_us for _, time_us, _ in given_rows]
    assert joined.series.dtype == np.int64


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_series_id_is_exact_in_every_languages_doubles(device: str, parameter: str) -> None:
    identity = series_id(SeriesKey("f", device, parameter))
    assert 0 < identity < 2**SERIES_ID_BITS
    assert int(float(identity)) == identity


def test_a_series_id_never_changes_between_versions() -> None:
    assert series_id(SeriesKey("0" * 32, "press-1", "temperature")) == 5124330698070088


def test_names_do_not_run_into_one_another() -> None:
    assert series_id(SeriesKey("f", "ab", "c")) != series_id(SeriesKey("f", "a", "bc"))
