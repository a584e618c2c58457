"""The coding of roll-ups gives back what was put in, whatever the values are like, and keeps sensor data small."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factoryops.domain.bins import BinSummaries, bin_samples
from factoryops.domain.errors import DamagedFileError
from factoryops.domain.samples import SampleColumns
from factoryops.history.local.rollups import MINUTE_US, decode_rows, encode_rows, roll_up
from tests.support.history_model import START_US, ModelHistory, assert_bins

_values = st.one_of(
    st.floats(-1e300, 1e300, allow_subnormal=False),
    st.integers(-(10**9), 10**9).map(lambda number: number / 100),
    st.just(float((1 << 53) - 1)),
)
_samples = st.dictionaries(
    st.integers(0, 40 * MINUTE_US), st.tuples(_values, st.sampled_from([0, 0, 0, 1, 64, 16])), min_size=1, max_size=90
)


@given(samples=_samples, tick=st.sampled_from([1, 1_000]))
@settings(max_examples=200, deadline=None)
def test_rows_are_read_back_as_they_were(samples: dict[int, tuple[float, int]], tick: int) -> None:
    model = ModelHistory()
    model.append([(1, time_us // tick * tick, *samples[time_us]) for time_us in sorted(samples)])
    rows = model.raw(1, 0, 1 << 60)
    time_us, value, flags = (np.array([row[n] for row in rows]) for n in (1, 2, 3))
    bins = bin_samples(time_us.astype(np.int64), value.astype(np.float64), MINUTE_US, flags.astype(np.uint8))
    assert_bins(decode_rows([encode_rows(bins)], MINUTE_US), model.binned(1, 0, 1 << 60, MINUTE_US))


def _day() -> BinSummaries:
    random = np.random.default_rng(1)
    time_us = START_US + np.arange(86_400) * 1_000_000 + random.integers(-20, 21, 86_400) * 1_000
    value = np.round(50 + np.cumsum(random.normal(0, 0.05, 86_400)) + random.normal(0, 0.3, 86_400), 2)
    samples = SampleColumns(np.ones(86_400, np.int64), time_us, value, np.zeros(86_400, np.uint8))
    return roll_up(samples, np.zeros(1, np.intp), MINUTE_US).bins


def test_a_day_of_minutes_takes_little_beside_its_samples() -> None:
    assert len(encode_rows(_day())) / 86_400 < 0.4


@pytest.mark.parametrize("place", [0, 4, 5, 200, -1])
def test_a_changed_byte_is_noticed(place: int) -> None:
    data = bytearray(encode_rows(_day()))
    data[place] ^= 1
    with pytest.raises(DamagedFileError):
        decode_rows([bytes(data)], MINUTE_US)
