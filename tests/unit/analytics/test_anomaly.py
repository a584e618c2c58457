from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from factoryops.analytics.anomaly import Health, find_episodes, learn, moving_average
from factoryops.simulator.recording import read_recording

SKAB = Path(__file__).parents[3].parent / "shared" / "data" / "skab"
finite = st.floats(-1e3, 1e3, allow_nan=False)


def machine(rows: int, *, seed: int = 1) -> np.ndarray:
    """Load drives current and heat; the fourth parameter never moves."""
    random = np.random.default_rng(seed)
    load = np.cumsum(random.normal(0, 0.05, rows)) * 0 + random.normal(0, 1, rows)
    return np.column_stack([
        load, 2 * load + random.normal(0, 0.1, rows), -load + random.normal(0, 0.1, rows), np.full(rows, 5.0)
    ])  # fmt: skip


RESOLUTION = np.full(4, 0.01)


def test_a_machine_that_goes_on_as_it_was_has_no_anomaly() -> None:
    health = learn(machine(2_000), RESOLUTION)
    assert find_episodes(health, moving_average(machine(2_000, seed=2))) == []


def test_a_parameter_that_leaves_the_others_is_found_though_it_stays_within_its_own_range() -> None:
    health = learn(machine(2_000), RESOLUTION)
    values = machine(600, seed=3)
    values[300:400, 1] = 2 * values[300:400, 0] + 1.2  # within ±6 of its ordinary range, but not where load puts it
    (episode,) = find_episodes(health, moving_average(values))
    assert 290 <= episode.first <= 330
    assert 395 <= episode.last <= 435
    assert episode.causes[0].index == 1
    assert episode.causes[0].deviation > 0
    assert episode.severity > 1
    assert sum(cause.share for cause in episode.causes) <= 1.000001


def test_a_constant_parameter_that_moves_is_measured_by_its_resolution() -> None:
    health = learn(machine(2_000), RESOLUTION)
    values = machine(300, seed=4)
    values[100:200, 3] += 0.5
    (episode,) = find_episodes(health, moving_average(values))
    assert episode.causes[0].index == 3


def test_a_short_blip_is_noise_and_close_stretches_are_one() -> None:
    health = Health(np.zeros(1), np.ones(1), np.eye(1), 4.0)
    smooth = np.zeros((400, 1))
    smooth[50:53] = 9
    smooth[200:220] = 9
    smooth[235:260] = 9
    episodes = find_episodes(health, smooth)
    assert [(one.first, one.last) for one in episodes] == [(200, 259)]


@given(hnp.arrays(np.float64, (40, 3), elements=finite), st.integers(1, 50))
def test_the_moving_average_is_the_mean_of_the_rows_before(values: np.ndarray, window: int) -> None:
    smooth = moving_average(values, window)
    for row in (0, 7, 39):
        expected = values[max(0, row - window + 1) : row + 1].mean(axis=0)
        assert np.allclose(smooth[row], expected, atol=1e-7)


@given(hnp.arrays(np.float64, (20, 4), elements=finite))
def test_blame_is_never_negative_nor_larger_than_the_distance_itself(values: np.ndarray) -> None:
    health = learn(machine(500), RESOLUTION)
    blame, squared = health.blame(values), health.t_squared(values)
    assert (blame >= 0).all()
    assert (blame.max(axis=1) <= squared * (1 + 1e-6) + 1e-9).all()


@pytest.mark.skipif(not SKAB.exists(), reason="the SKAB recordings are not beside the project")
def test_on_the_skab_valve_recordings_it_is_as_good_as_the_published_methods() -> None:
    hits = false = missed = calm = 0
    for file in sorted(SKAB.glob("valve1-*.csv")):
        recording = read_recording(file, is_truth_included=True)
        names = [name for name in recording.signals if name not in {"anomaly", "changepoint"}]
        values = np.array([[row.values[name] for name in names] for row in recording.rows])
        truth = np.array([row.values["anomaly"] for row in recording.rows])[400:] > 0
        health = learn(values[:400], np.full(len(names), 1e-6))
        found = (health.t_squared(moving_average(values)) > health.limit)[400:]
        hits += int((found & truth).sum())
        false += int((found & ~truth).sum())
        missed += int((~found & truth).sum())
        calm += int((~found & ~truth).sum())
    assert 2 * hits / (2 * hits + false + missed) > 0.80
    assert false / (false + calm) < 0.30
    assert missed / (missed + hits) < 0.20
