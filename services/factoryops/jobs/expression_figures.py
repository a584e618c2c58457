"""What an expression came to over a span of history, read piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from factoryops.domain.expressions.evaluation import Inputs
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.over_history import Span, held_within, input_track
from factoryops.domain.expressions.tree import Reference
from factoryops.domain.samples import SampleColumns
from factoryops.domain.summaries import Held
from factoryops.domain.time import US_PER_S
from factoryops.history.queries import History

_PIECE_US: Final = 86_400 * US_PER_S
"""A day of samples is in memory at once, with what windows look back at."""


def held_of_expression(
    formula: Formula, series: Mapping[Reference, int], span: Span, maximum_age_us: int, history: History, factory: str
) -> Held:
    """Time-weighted figures of an expression over a span; where it is cut makes no difference to what is known.

    Args:
        formula: the expression.
        series: of each parameter it names.
        span: what is looked at.
        maximum_age_us: how long a sample of an input counts.
        history: everything that was received.
        factory: whose gaps count.
    """
    look_back_us = maximum_age_us + formula.reach_us(maximum_age_us)
    gaps = [(one.start_us, one.end_us) for one in history.gaps(factory, span[0] - look_back_us, span[1])]
    total = Held()
    for start_us in range(span[0], span[1], _PIECE_US):
        end_us = min(start_us + _PIECE_US, span[1])
        tracks = {
            reference: input_track(
                SampleColumns.joined([*history.chunks(one, start_us - look_back_us, end_us)]), maximum_age_us, gaps
            )
            for reference, one in series.items()
        }
        found = formula.evaluate(Inputs(tracks, maximum_age_us), start_us - maximum_age_us)
        total += held_within(found, (start_us, end_us), maximum_age_us, gaps)
    return total
