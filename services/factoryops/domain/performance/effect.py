"""What a rule would add to the factory's alarm figures: its tried events put among the recorded ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.performance.figures import Performance, measure
from factoryops.domain.performance.history import HistoryLine, numbered
from factoryops.domain.performance.rates import Span
from factoryops.domain.performance.thresholds import DEFAULT, Thresholds

TriedEvent = tuple[AlarmEventKind, int, bool]
"""What happens to an alarm, when (µs), and whether it is an annunciation."""


class RecordedLoad(msgspec.Struct, frozen=True):
    """What the figures of a factory are made of, without the rule that is tried.

    Attributes:
        lines: of the span, and the raises of alarms that were active when it began.
        declared: outages that people declared.
        is_counted: whether the class of the tried rule counts in figures.
    """

    lines: Sequence[HistoryLine]
    declared: Sequence[Span] = ()
    limits: Thresholds = DEFAULT
    is_counted: bool = True

    def measured(self, tried: Iterable[HistoryLine], span: Span, gaps: Sequence[Span]) -> Performance:
        """The figures with what a tried rule adds; of a class that does not count it adds nothing."""
        lines = [*self.lines, *(tried if self.is_counted else ())]
        return measure(numbered(lines)[0], span, gaps, self.limits, declared=self.declared)


def tried_lines(
    events: Iterable[TriedEvent], span: Span, *, device: str, name: str, priority: int
) -> list[HistoryLine]:
    """The alarm history that a tried rule would have left of one device, in order.

    Those are the events of `span` and, of an alarm that was active when it began, those since its raise.
    """
    kinds = (AlarmEventKind.RAISED, AlarmEventKind.CLEARED, AlarmEventKind.RENEWED)
    found: list[HistoryLine] = []
    annunciation = begins = 0
    for kind, at_us, is_told in events:
        if kind is AlarmEventKind.RAISED:
            annunciation += 1
            begins = begins if at_us >= span[0] else len(found)
        if kind in kinds and annunciation and at_us < span[1]:
            found.append(
                HistoryLine(f"tried {device}", annunciation, kind.value, at_us, priority, is_told, name, device, "")
            )
        if kind is AlarmEventKind.CLEARED and at_us < span[0]:
            begins = len(found)
    return found[begins:]
