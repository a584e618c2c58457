from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops_widgets.ring_buffer import SampleRing


def append(ring: SampleRing, times: list[int]) -> None:
    column = np.array(times, np.int64)
    ring.append(column, column.astype(np.float64) * 2, np.ones(len(times), np.uint8))


@given(batches=st.lists(st.lists(st.integers(0, 60), max_size=12), max_size=12), capacity=st.integers(1, 9))
def test_it_keeps_the_newest_samples_in_order_whatever_order_they_come_in(
    batches: list[list[int]], capacity: int
) -> None:
    ring = SampleRing(capacity)
    kept: list[int] = []
    for batch in batches:
        append(ring, batch)
        kept = sorted(set(kept) | set(batch))[-capacity:]
        assert ring.view().time_us.tolist() == kept
        assert ring.view().value.tolist() == [2.0 * time for time in kept]


def test_of_two_samples_with_the_same_time_the_later_one_wins() -> None:
    ring = SampleRing(4)
    ring.append(np.array([1, 2], np.int64), np.array([1.0, 2.0]))
    ring.append(np.array([2], np.int64), np.array([9.0]))
    assert ring.view().value.tolist() == [1.0, 9.0]


def test_a_view_takes_the_start_and_leaves_the_end() -> None:
    ring = SampleRing(10)
    append(ring, [1, 2, 3, 4, 5])
    assert ring.view(2, 4).time_us.tolist() == [2, 3]
    assert ring.view(9).time_us.tolist() == []


def test_the_newest_sample_is_known() -> None:
    ring = SampleRing(3)
    assert ring.last is None
    append(ring, [5, 7])
    assert ring.last == (7, 14.0, 1)


def test_a_batch_larger_than_the_ring_leaves_its_end() -> None:
    ring = SampleRing(3)
    append(ring, list(range(100)))
    assert ring.view().time_us.tolist() == [97, 98, 99]


def test_a_ring_needs_room() -> None:
    with pytest.raises(ValueError, match="room"):
        SampleRing(0)
