from __future__ import annotations

import numpy as np

from factoryops.domain.samples import SampleColumns
from factoryops.domain.time import US_PER_S
from factoryops_app.models.samples import SampleStore


class Clock:
    def __init__(self) -> None:
        self.now = 1_000 * US_PER_S

    def __call__(self) -> int:
        return self.now


def test_the_newest_sample_of_each_series_is_known() -> None:
    store = SampleStore(Clock())
    store.add_live(SampleColumns.of([(1, 10, 1.0), (2, 11, 5.0), (1, 20, 2.0)]))
    store.add_live(SampleColumns.of([(1, 15, 9.0)]))
    reading = store.reading(1)
    assert reading is not None
    assert (reading.time_us, reading.value) == (20, 2.0)
    assert store.newest_us == 20


def test_a_tap_hands_over_each_sample_once() -> None:
    store = SampleStore(Clock())
    tap = store.tap([1])
    store.add_live(SampleColumns.of([(1, 10, 1.0), (2, 11, 5.0)]))
    store.add_live(SampleColumns.of([(1, 20, 2.0)]))
    drained = [(series, times.tolist(), values.tolist()) for series, times, values in tap.drain()]
    assert drained == [(1, [10, 20], [1.0, 2.0])]
    assert list(tap.drain()) == []
    store.close_tap(tap)
    assert store.open_taps == 0


def test_a_tap_nobody_drains_forgets_instead_of_growing() -> None:
    store = SampleStore(Clock())
    tap = store.tap([1])
    block = 60_000
    for start in range(0, 5 * block, block):
        times = np.arange(start, start + block, dtype=np.int64)
        store.add_live(SampleColumns(np.ones(block, np.int64), times, np.zeros(block), np.zeros(block, np.uint8)))
    assert tap.has_overflowed
    assert sum(len(times) for _, times, _ in tap.drain()) <= 200_000


def test_a_value_is_stale_after_three_of_its_usual_periods_by_arrival() -> None:
    clock = Clock()
    store = SampleStore(clock)
    for second in range(0, 40, 4):
        clock.now += 4 * US_PER_S
        store.add_live(SampleColumns.of([(1, second * US_PER_S, 1.0)]))
    assert not store.is_stale(1, clock.now + 11 * US_PER_S)
    assert store.is_stale(1, clock.now + 13 * US_PER_S)


def test_a_device_with_a_wrong_clock_is_not_stale_while_it_sends() -> None:
    clock = Clock()
    store = SampleStore(clock)
    store.add_live(SampleColumns.of([(1, clock.now - 86_400 * US_PER_S, 1.0)]))
    assert not store.is_stale(1, clock.now)


def test_a_large_plant_gets_smaller_rings() -> None:
    store = SampleStore(Clock())
    store.expect(10_000)
    store.add_history(1, np.arange(5_000, dtype=np.int64), np.zeros(5_000))
    view = store.view(1)
    assert view is not None
    assert len(view) == 600
