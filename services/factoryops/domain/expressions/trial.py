"""An expression tried on a span of history: what it would have come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.expressions.evaluation import Inputs
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.track import Track
from factoryops.domain.expressions.tree import Reference
from factoryops.domain.samples import SampleColumns, SampleFlag

MOST_SAMPLES: Final = 200_000
"""Samples of one input that are read for a trial, at most."""
MOST_SHOWN: Final = 2_000


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial showed.

    Attributes:
        count: moments that had a value.
        without_value: moments that had none.
        time_us / value: the values; beyond MOST_SHOWN evenly chosen ones, the newest among them.
    """

    count: int
    without_value: int
    time_us: list[int]
    value: list[float]


def try_formula(
    formula: Formula, samples: Mapping[Reference, SampleColumns], maximum_age_us: int, start_us: int
) -> Trial:
    """The formula from `start_us` on.

    Args:
        formula: what to try.
        samples: of each parameter it names, ordered by time, from `formula.reach_us()` before the start on; late ones
            are passed over, as the engine does.
        maximum_age_us: how long a sample counts.
        start_us: the first moment that is shown.

    Raises:
        InvalidInputError: the span holds too many samples.
    """
    if any(len(one) > MOST_SAMPLES for one in samples.values()):
        raise InvalidInputError(
            f"The span holds more than {MOST_SAMPLES:,} samples of one parameter: choose a shorter one."
        )
    inputs = Inputs({one: _track(found, maximum_age_us) for one, found in samples.items()}, maximum_age_us)
    found = formula.evaluate(inputs, start_us)
    known = np.flatnonzero(found.values.is_known)
    step = -(-len(known) // MOST_SHOWN) or 1
    shown = known[::-1][::step][::-1]
    return Trial(
        count=len(known),
        without_value=len(found) - len(known),
        time_us=found.time_us[shown].tolist(),
        value=found.values.value[shown].tolist(),
    )


def _track(found: SampleColumns, maximum_age_us: int) -> Track:
    on_time = found.take((found.flags & np.uint8(SampleFlag.LATE)) == 0)
    return Track.of_samples(on_time.time_us, on_time.value, on_time.flags, maximum_age_us)
