"""What one may send: a read goes through whole, and its debt is waited out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.ingest.endpoint.meter import BURST_S, Bucket, Meter


def test_a_burst_passes_and_what_exceeds_it_is_waited_out() -> None:
    bucket = Bucket(100, 0.0)
    assert bucket.spend(100 * BURST_S, 0.0) == 0.0
    assert bucket.spend(50, 0.0) == 0.5
    assert bucket.spend(10, 0.5) == pytest.approx(0.1)
    assert bucket.spend(0, 60.0) == 0.0
    assert bucket.spend(100 * BURST_S + 1, 60.0) == pytest.approx(0.01)


def test_the_tightest_bound_counts() -> None:
    factory = Bucket(10, 0.0)
    meter = Meter(1_000, 1_000_000, factory, lambda: 0.0)
    assert meter.spend(20, 500, 0.0) == 0.0
    assert meter.spend(1, 3_000_000, 0.0) == pytest.approx(1.0005)
    assert Meter(0, 0, None, lambda: 0.0).spend(1_000_000, 1 << 30, 0.0) == 0.0
    assert Meter(0, 0, factory, lambda: 0.0).spend(9, 1, 0.0) == pytest.approx(1.0)


@given(st.lists(st.tuples(st.floats(0.001, 5), st.integers(1, 500)), min_size=1, max_size=60))
def test_whoever_waits_as_told_never_exceeds_the_rate_for_long(reads: list[tuple[float, int]]) -> None:
    bucket, moment_s, before_s, passed = Bucket(50, 0.0), 0.0, 0.0, 0
    for pause_s, amount in reads:
        moment_s = before_s + pause_s
        passed += amount
        before_s = moment_s + bucket.spend(amount, moment_s)
    assert passed <= 50 * (before_s + BURST_S) + 1e-6
