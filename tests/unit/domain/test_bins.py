"""Bins come from a fixed ladder and lie at absolute times, so that every viewer sees the same line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factoryops.domain.bins import LADDER_S, align_down, bin_samples, bin_width_us
from factoryops.domain.time import US_PER_S


@given(st.integers(1, 400 * 86_400 * US_PER_S), st.integers(200, 5_000))
def test_the_width_is_the_narrowest_of_the_ladder_that_fits(span_us: int, most_bins: int) -> None:
    width_us = bin_width_us(span_us, most_bins=most_bins)
    assert span_us <= width_us * most_bins
    narrower = [one for one in LADDER_S if one * US_PER_S < width_us]
    assert not narrower or span_us > narrower[-1] * US_PER_S * most_bins


@pytest.mark.parametrize(("hours", "seconds"), [(0.25, 1), (1, 5), (24, 120), (24 * 30, 3_600)])
def test_widths_for_a_thousand_bins(hours: float, seconds: int) -> None:
    assert bin_width_us(int(hours * 3_600 * US_PER_S), most_bins=1_000) == seconds * US_PER_S


times = st.lists(st.integers(0, 10_000), min_size=1, max_size=200, unique=True).map(sorted)


@given(times, st.sampled_from([1, 7, 100, 3_000]), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_each_bin_holds_exactly_its_samples(time_us: list[int], width_us: int, random: object) -> None:
    values = [random.uniform(-1e6, 1e6) for _ in time_us]  # type: ignore[attr-defined]  # Hypothesis's Random
    binned = bin_samples(np.array(time_us, np.int64), np.array(values), width_us)
    for index, start_us in enumerate(binned.start_us.tolist()):
        assert start_us == align_down(start_us, width_us)
        inside = [v for t, v in zip(time_us, values, strict=True) if start_us <= t < start_us + width_us]
        assert binned.count[index] == len(inside)
        assert binned.minimum[index] == min(inside)
        assert binned.maximum[index] == max(inside)
        assert binned.mean[index] == pytest.approx(sum(inside) / len(inside), rel=1e-9, abs=1e-6)
    assert binned.count.sum() == len(time_us)


def test_no_samples_make_no_bins() -> None:
    assert len(bin_samples(np.empty(0, np.int64), np.empty(0), 1_000)) == 0
