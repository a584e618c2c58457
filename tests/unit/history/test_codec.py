"""The coding of blocks gives back what was put in, bit for bit, and keeps sensor data small."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factoryops.domain.errors import DamagedFileError
from factoryops.domain.samples import SampleColumns
from factoryops.history.local.codec import decode_block, encode_block

_values = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**9), 10**9).map(lambda number: number / 100),
    st.sampled_from([0.0, -0.0, 5e-324, 1.7976931348623157e308, 0.1, 1e22, float(1 << 53)]),
)
_rows = st.lists(
    st.tuples(st.integers(1, (1 << 53) - 1), st.integers(-(1 << 53), 1 << 53), _values, st.integers(0, 255)),
    min_size=1,
    max_size=300,
)


def _columns(rows: list[tuple[int, int, float, int]]) -> SampleColumns:
    return SampleColumns(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float64),
        np.array([row[3] for row in rows], np.uint8),
    )


@given(rows=_rows)
@settings(max_examples=300, deadline=None)
def test_a_shared_block_gives_back_every_bit(rows: list[tuple[int, int, float, int]]) -> None:
    samples = _columns(rows)
    read = decode_block(encode_block(samples, is_shared=True), 0)
    assert read.series.tolist() == samples.series.tolist()
    assert read.time_us.tolist() == samples.time_us.tolist()
    assert [struct.pack("d", one) for one in read.value] == [struct.pack("d", one) for one in samples.value]
    assert read.flags.tolist() == samples.flags.tolist()
    dtypes = [column.dtype.name for column in (read.series, read.time_us, read.value, read.flags)]
    assert dtypes == ["int64", "int64", "float64", "uint8"]


def test_a_block_of_one_series_takes_the_series_from_its_row() -> None:
    samples = SampleColumns.of([(7, 1, 2.5), (7, 2, 2.5)])
    assert decode_block(encode_block(samples, is_shared=False), 7).series.tolist() == [7, 7]


def test_two_decimal_sensor_data_with_jitter_takes_less_than_two_and_a_half_bytes_per_sample() -> None:
    random = np.random.default_rng(1)
    count = 7_200
    samples = SampleColumns(
        np.full(count, 7, np.int64),
        1_700_000_000_000_000 + np.arange(count) * 1_000_000 + random.integers(-20, 20, count) * 1_000,
        np.round(50 + np.cumsum(random.normal(0, 0.05, count)) + random.normal(0, 0.3, count), 2),
        np.zeros(count, np.uint8),
    )
    assert len(encode_block(samples, is_shared=False)) / count < 2.5


@pytest.mark.parametrize("length", [0, 1, 10, 60])
def test_a_cut_block_is_called_damaged(length: int) -> None:
    data = encode_block(SampleColumns.of([(7, n * 1_000, n * 0.37) for n in range(100)]), is_shared=False)
    with pytest.raises(DamagedFileError):
        decode_block(data[:length], 7)
