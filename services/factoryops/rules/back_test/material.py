"""What a rule is judged by in a back-test, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, NamedTuple

from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.back_tests import Episode
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id
from factoryops.domain.time import US_PER_S
from factoryops.history.clock_changes import ClockChange
from factoryops.journal.records import Gap
from factoryops.rules.back_test.feed import Chunks, Feed, Offsets, Read, Span, Tally
from factoryops.rules.conditions.explanation import Explanation

WARM_UP_US: Final = 86_400 * US_PER_S
"""A rule is begun so long before the span, as it would be if it had been switched on then."""

_LOOK_BACK_US: Final = 31 * 86_400 * US_PER_S
"""How old the value may be with which a rule begins."""

_ENDS: Final = frozenset({AlarmEventKind.CLEARED, AlarmEventKind.SUPPRESSED})
_NO_INPUT: Final = int(SampleFlag.LATE | SampleFlag.IMPORTED)


def begin_of(span: Span) -> int:
    """When rules are begun for a span."""
    return span[0] - WARM_UP_US


def as_told(gaps: Iterable[Gap]) -> tuple[Span, ...]:
    """The gaps that conditions knew before they were over, each from where they were evaluated up to, as live."""
    known = ((max(gap.start_us, gap.told_us), gap.end_us) for gap in gaps if gap.end_us >= gap.told_us)
    return tuple(sorted(known, key=itemgetter(1)))


@dataclass(frozen=True, slots=True)
class Material:
    """Recorded history of one factory.

    Attributes:
        factory: its id.
        span: [start, end) in which events are wanted, microseconds since 1970.
        chunks: the stored samples of a series in a span.
        newest: the newest sample of a series in a span, if there is one.
        gaps: the recorded gaps as conditions knew them, (start_us, end_us) in order of their ends.
        clocks: changes of clock offsets by device, in their order.
        series: all series of each device, by its key.
    """

    factory: str
    span: Span
    chunks: Chunks
    newest: Callable[[int, int, int], SampleColumns]
    gaps: tuple[Span, ...] = ()
    clocks: Mapping[str, Sequence[ClockChange]] = field(default_factory=dict)
    series: Mapping[str, Sequence[SeriesKey]] = field(default_factory=dict)

    @property
    def begin_us(self) -> int:
        """When rules are begun."""
        return begin_of(self.span)

    def feed(self, key: SeriesKey) -> Feed:
        """The on-time samples of a series from the beginning on."""
        return Feed(int(series_id(key)), (self.begin_us, self.span[1]), self.chunks, self._offsets(key))

    def before(self, key: SeriesKey) -> SampleColumns:
        """The newest sample before the beginning, at our time; none where that one moved no condition."""
        offsets = self._offsets(key)
        span = offsets.device_span((self.begin_us - _LOOK_BACK_US, self.begin_us))
        found = self.newest(int(series_id(key)), *span)
        time_us = offsets.corrected(found)
        is_usable = ((found.flags & _NO_INPUT) == 0) & (time_us < self.begin_us)
        return SampleColumns(found.series, time_us, found.value, found.flags).take(is_usable)

    def _offsets(self, key: SeriesKey) -> Offsets:
        return Offsets(self.clocks.get(key.device, ()))


class Event(NamedTuple):
    """A raise or a clear that the rule would have made, or what suppression by design would have.

    Attributes:
        value: of the sample that led to it; None where no single one did.
        is_told: it was an annunciation: a raise while nothing suppressed the alarm, or one of which that has ended.
        why: what decided it; None where that is not kept.
    """

    kind: AlarmEventKind
    at_us: int
    value: float | None
    is_told: bool = False
    why: Explanation | None = None


@dataclass(slots=True)
class DeviceResult:
    """What a rule, and each variant of it, came to on one device.

    Attributes:
        events: of the rule and then of each variant, in order of time, those of the warm-up among them.
        fault: why the condition could not be evaluated to the end; "" when it was.
        keys: what the series it looks at stand for, by id.
    """

    device: str
    events: list[list[Event]]
    tally: Tally = field(default_factory=Tally)
    read: list[Read] = field(default_factory=list)
    fault: str = ""
    keys: Mapping[int, SeriesKey] = field(default_factory=dict)

    def episodes(self, variant: int, span: Span) -> list[Episode]:
        """From each annunciation to where it clears or is suppressed; what was over before the span is left out."""
        found: list[Episode] = []
        raised_us: int | None = None
        for event in self.events[variant]:
            if event.is_told:
                raised_us = event.at_us
            elif raised_us is not None and event.kind in _ENDS:
                found.append(Episode(self.device, raised_us, event.at_us))
                raised_us = None
        if raised_us is not None:
            found.append(Episode(self.device, raised_us, None))
        return [one for one in found if one.cleared_us is None or one.cleared_us >= span[0]]

    def in_span(self, variant: int, span: Span) -> list[Event]:
        """Its events within the span."""
        return [event for event in self.events[variant] if span[0] <= event.at_us < span[1]]
