from __future__ import annotations

import numpy as np

from factoryops.domain.bins import bin_samples
from factoryops.domain.time import US_PER_S
from factoryops_widgets.pen_data import PenData

MINUTE = 60 * US_PER_S


def signal(start_s: int, end_s: int, step_s: int = 1) -> tuple[np.ndarray, np.ndarray]:
    times = np.arange(start_s, end_s, step_s, dtype=np.int64) * US_PER_S
    return times, np.sin(times / (97.0 * US_PER_S)) * 10


def test_history_and_live_become_one_line_without_a_double_point() -> None:
    data = PenData()
    data.set_raw(*signal(0, 100))
    data.append(*signal(90, 130))
    line = data.picture(0, 130 * US_PER_S, 1, []).line
    assert line.time_us.tolist() == [second * US_PER_S for second in range(130)]
    assert len(line.strokes()) == 1


def test_live_samples_are_binned_like_the_history_so_that_no_seam_shows() -> None:
    data = PenData()
    times, values = signal(0, 1_200)
    data.set_bins(bin_samples(times[:700], values[:700], MINUTE))
    data.append(times[650:], values[650:])
    whole = bin_samples(times, values, MINUTE)
    picture = data.picture(0, 1_200 * US_PER_S, US_PER_S, [])
    seam = slice(0, 11)
    assert np.allclose(picture.line.value[seam], whole.mean[seam])
    assert np.allclose(picture.line.value[12:20], whole.mean[12:20])
    assert len(picture.line.strokes()) == 1


def test_a_gap_of_the_live_link_is_filled_by_the_history_asked_for_afterwards() -> None:
    data = PenData()
    data.append(*signal(0, 50))
    data.append(*signal(150, 200))
    assert len(data.picture(0, 200 * US_PER_S, 1, []).line.strokes()) == 2
    data.set_raw(*signal(0, 160))
    assert len(data.picture(0, 200 * US_PER_S, 1, []).line.strokes()) == 1


def test_bins_filled_after_an_outage_win_over_what_came_live() -> None:
    data = PenData()
    times, values = signal(0, 600)
    data.set_bins(bin_samples(times[:60], values[:60], MINUTE))
    data.append(times[300:], values[300:])
    assert len(data.picture(0, 600 * US_PER_S, US_PER_S, []).line.strokes()) == 2
    data.set_bins(bin_samples(times[:400], values[:400], MINUTE))
    assert len(data.picture(0, 600 * US_PER_S, US_PER_S, []).line.strokes()) == 1


def test_readings_say_what_held_and_nothing_in_a_gap() -> None:
    data = PenData()
    data.set_raw(np.array([0, 1, 2, 60, 61], np.int64) * US_PER_S, np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert data.reading(int(1.5 * US_PER_S)) == 2.0
    assert data.reading(40 * US_PER_S) is None
    assert data.reading(61 * US_PER_S) == 5.0


def test_figures_in_view_weigh_bins_by_their_samples() -> None:
    times = np.array([0, 1, 2, 61], np.int64) * US_PER_S
    values = np.array([1.0, 1.0, 1.0, 5.0])
    data = PenData()
    data.set_bins(bin_samples(times, values, MINUTE))
    found = data.statistics(0, 2 * MINUTE)
    assert (found.minimum, found.mean, found.maximum) == (1.0, 2.0, 5.0)
    assert data.statistics(10 * MINUTE, 11 * MINUTE).mean is None


def test_it_says_when_the_ring_will_soon_forget_what_the_history_does_not_have() -> None:
    data = PenData(live_capacity=10)
    data.append(*signal(0, 5))
    assert not data.needs_history()
    data.append(*signal(5, 7))
    assert data.needs_history()
    data.set_raw(*signal(0, 7))
    assert not data.needs_history()
