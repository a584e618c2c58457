"""What the parts of a condition are evaluated from, one step after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from factoryops.domain.expressions.work import Work
from factoryops.domain.samples import SampleColumns


class Columns(Protocol):
    """Where the samples lie."""

    def of(self, series: int, reach_us: int) -> SampleColumns:
        """The on-time samples of a series in order of time, one per moment.

        Those of the step, at least the newest one before it, and everything within `reach_us` before it. What lies at
        or behind the step's end may be among them.
        """


@dataclass(frozen=True, slots=True)
class Step:
    """The span [since_us, until_us) and what is known of it.

    Attributes:
        gaps: the recorded gaps that were known when its beginning was evaluated, (start_us, end_us) in order of their
            ends; all that touch the step are among them.
        work: what windows may look at in it; None where nobody waits. The rest is bounded by a condition's size.
    """

    since_us: int
    until_us: int
    columns: Columns
    gaps: tuple[tuple[int, int], ...] = ()
    work: Work | None = None
