from __future__ import annotations

import numpy as np

from factoryops.domain.samples import SampleColumns, SampleFlag, text_code
from factoryops.domain.time import US_PER_S
from factoryops_app.models.samples import SampleStore
from factoryops_app.models.states import States


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


def test_texts_and_switches_are_words_and_a_text_that_is_not_known_is_missed() -> None:
    store = SampleStore(lambda: 0)
    code = text_code("f", "auto")
    flags = np.array([int(SampleFlag.TEXT)], np.uint8)
    samples = SampleColumns(np.array([7]), np.array([1_000]), np.array([float(code)]), flags)
    store.add_live(samples)
    assert store.lacks_texts
    assert store.words(float(code), int(SampleFlag.TEXT)) == "…"
    store.lacks_texts = False
    store.add_latest(7, 1_000, float(code), int(SampleFlag.TEXT), "auto")
    store.add_live(samples)
    assert not store.lacks_texts
    assert store.words(float(code), int(SampleFlag.TEXT)) == "auto"
    assert (store.is_text(7), store.is_discrete(7), store.is_text(8)) == (True, True, False)
    assert [store.words(value, int(SampleFlag.BOOLEAN)) for value in (0.0, 1.0)] == ["no", "yes"]
    assert store.words(5.0, 0) == ""


def test_each_text_is_a_state_with_a_number_of_its_own() -> None:
    states = States()
    run, idle = float(text_code("f", "run")), float(text_code("f", "idle"))
    assert states.numbers(np.array([run, idle, run]), {int(run): "run"}).tolist() == [
        states.numbers(np.array([one]), {})[0] for one in (run, idle, run)
    ]
    assert set(states.words.values()) == {"run"}
    states.numbers(np.array([idle]), {int(idle): "idle"})
    assert sorted(states.words) == [1.0, 2.0]
