"""Columns of samples lead a limit to the same raises and clears as sample after sample does."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.conditions.tree import Comparison
from factoryops.rules.back_test.limit_run import LimitRun
from factoryops.rules.delays import Move
from factoryops.rules.immediate import Threshold
from factoryops.rules.threshold import ThresholdMachine

S = 1_000_000

_ordered = [one for one in Comparison if one.is_ordered]
_thresholds = st.builds(
    Threshold,
    parameter_key=st.just("pressure"),
    comparison=st.sampled_from(_ordered),
    limit=st.sampled_from([2.0, 3.0, 4.0]),
    deadband=st.sampled_from([0.0, 1.0, 2.0]),
    on_delay_s=st.sampled_from([0.0, 1.0, 3.0, 7.5]),
    off_delay_s=st.sampled_from([0.0, 1.0, 4.0]),
    maximum_age_s=st.sampled_from([2.0, 600.0]),
)
_values = st.one_of(st.integers(0, 6), st.integers(0, 6), st.none())
_steps = st.lists(st.tuples(st.sampled_from([0, 1, 1, 2, 5]), _values), max_size=60)


@given(threshold=_thresholds, steps=_steps, cuts=st.lists(st.integers(0, 60), max_size=4), rest=st.integers(0, 9))
def test_whole_columns_say_what_single_samples_say(
    threshold: Threshold, steps: list[tuple[int, int | None]], cuts: list[int], rest: int
) -> None:
    times = np.cumsum([0, *(step * S for step, _ in steps)])[1:].astype(np.int64)
    values = np.array([math.nan if value is None else float(value) for _, value in steps])
    until_us = (int(times[-1]) if len(times) else 0) + rest * S + 1
    machine = ThresholdMachine(threshold)
    expected: list[Move] = []
    for time_us, value in zip(times.tolist(), values.tolist(), strict=True):
        expected += machine.lose(time_us) if math.isnan(value) else machine.sample(time_us, value)
    expected += machine.tick(until_us - 1)

    run = LimitRun(threshold)
    edges = sorted({0, len(times), *(cut for cut in cuts if cut < len(times))})
    found = [move for first, last in pairwise(edges) for move in run.take(times[first:last], values[first:last])]
    assert found + run.advance(until_us) == expected
