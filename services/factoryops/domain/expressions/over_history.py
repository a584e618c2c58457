"""What an expression came to over a span of history that is over: how long which value held.

As live, there is a result at every moment at which one of its inputs has a sample, and the others count with their
newest one while it is not too old. A result holds until the next one, and no longer than an input may be old. In a gap
nothing is known, and after it nothing of before it counts any more. Values of bad quality and texts are none. Unlike
live, late samples count: in history they stand at the time they are of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from factoryops.domain.expressions.track import FOR_EVER, Times, Track, Values
from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.domain.summaries import Held
from factoryops.domain.time import US_PER_S

_NO_VALUE: Final = np.uint8(SampleFlag.TEXT | SampleFlag.UNCERTAIN)

Span = tuple[int, int]
"""A span [start, end) in µs UTC."""


def input_track(samples: SampleColumns, maximum_age_us: int, gaps: Sequence[Span]) -> Track:
    """The values of one input.

    Args:
        samples: of its series, ordered by time and unique in it.
        maximum_age_us: how long a sample counts.
        gaps: those that touch the time from the first sample on, in any order.
    """
    ends = np.array(sorted(end for _, end in gaps), np.int64)
    begins, begun = _begun(samples.time_us, gaps)
    is_outside = begun == np.searchsorted(ends, samples.time_us, "right")
    time_us, flags = samples.time_us[is_outside], samples.flags[is_outside]
    value = np.where((flags & _NO_VALUE) != 0, np.nan, samples.value[is_outside])
    until_us = np.minimum(time_us + maximum_age_us, begins[begun[is_outside]] - 1)
    return Track(time_us, Values(value, until_us, np.zeros(len(time_us), np.bool_)))


def _begun(time_us: Times, gaps: Sequence[Span]) -> tuple[Times, Times]:
    """When gaps begin, `FOR_EVER` behind them, and how many have begun at each of some moments."""
    begins = np.array([*sorted(start for start, _ in gaps), FOR_EVER], np.int64)
    return begins, np.searchsorted(begins, time_us, "right")


def held_within(found: Track, span: Span, maximum_age_us: int, gaps: Sequence[Span]) -> Held:
    """The figures of results within a span.

    Args:
        found: results, from `maximum_age_us` before the span on.
        span: what is looked at.
        maximum_age_us: how long an input counts, and a result at most.
        gaps: as for `input_track`.
    """
    time_us, value = found.time_us, found.values.value
    begins, begun = _begun(time_us, gaps)
    lapses_us = np.minimum(np.minimum(found.values.until_us, time_us + maximum_age_us), begins[begun] - 1) + 1
    ends_us = np.minimum(np.minimum(np.append(time_us[1:], FOR_EVER), lapses_us), span[1])
    held_us = np.maximum(ends_us - np.maximum(time_us, span[0]), 0)
    is_good = (held_us > 0) & found.values.is_known
    good_us, good = held_us[is_good], value[is_good]
    if not len(good):
        return Held()
    seconds = good_us / US_PER_S
    mean = float((good * seconds).sum() / seconds.sum())
    return Held(
        good_us=int(good_us.sum()),
        mean=mean,
        spread=float(((good - mean) ** 2 * seconds).sum()),
        minimum=float(good.min()),
        maximum=float(good.max()),
        count=int((is_good & (time_us >= span[0])).sum()),
    )
