"""What a rule would have done: alarms a back-test found, counted and held against incidents that people have marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from factoryops.domain.time import US_PER_S

SHORT_S: Final = 60.0
"""An alarm that is over sooner could not have been answered: it is fleeting."""

_DAY_US: Final = 86_400 * US_PER_S


class Episode(NamedTuple):
    """An alarm as operators see it: from its annunciation to its clear, or to where it is suppressed by design.

    Attributes:
        device: the device's key.
        cleared_us: when it was over; None while it is still active at the span's end.
    """

    device: str
    raised_us: int
    cleared_us: int | None

    def touches(self, start_us: int, end_us: int) -> bool:
        """Whether it was active within [start, end]."""
        return self.raised_us <= end_us and (self.cleared_us is None or self.cleared_us >= start_us)


class MarkedIncident(NamedTuple):
    """A span in which something was wrong, as people have marked it.

    Attributes:
        devices: keys of the devices concerned; None for the whole factory.
    """

    id: str
    devices: frozenset[str] | None
    start_us: int
    end_us: int

    def is_seen_by(self, episode: Episode) -> bool:
        """Whether the alarm was active on a device concerned while the incident lasted."""
        is_concerned = self.devices is None or episode.device in self.devices
        return is_concerned and episode.touches(self.start_us, self.end_us)


class Figures(msgspec.Struct, frozen=True):
    """How often and how long a rule's alarms were active in a span.

    Attributes:
        alarms: raised within the span.
        longest_s / shortest_s: of alarms raised within it, one that is still active counted up to its end; None
            without any.
        short_share: of those that cleared, how many were over within a minute (0 to 1); None where none cleared.
        hits / misses: incidents during which an alarm was active, and those without.
        apart: alarms during no incident.
        suppressed: raises of which nobody was told, since the alarm was suppressed by design.
    """

    alarms: int
    alarms_per_day: float
    longest_s: float | None
    shortest_s: float | None
    short_share: float | None
    hits: int
    misses: int
    apart: int
    suppressed: int = 0


def figures_of(
    episodes: Sequence[Episode], span: tuple[int, int], incidents: Sequence[MarkedIncident], suppressed: int = 0
) -> Figures:
    """Count what happened within [start, end) of `span`; an alarm that stood before counts for incidents alone."""
    inside = [one for one in episodes if span[0] <= one.raised_us < span[1]]
    lasted = [((one.cleared_us or span[1]) - one.raised_us) / US_PER_S for one in inside]
    over = [(one.cleared_us - one.raised_us) / US_PER_S for one in inside if one.cleared_us is not None]
    hits = sum(any(map(incident.is_seen_by, episodes)) for incident in incidents)
    return Figures(
        alarms=len(inside),
        alarms_per_day=len(inside) * _DAY_US / (span[1] - span[0]),
        longest_s=max(lasted, default=None),
        shortest_s=min(lasted, default=None),
        short_share=sum(seconds < SHORT_S for seconds in over) / len(over) if over else None,
        hits=hits,
        misses=len(incidents) - hits,
        apart=sum(not any(incident.is_seen_by(one) for incident in incidents) for one in inside),
        suppressed=suppressed,
    )


def first_seen_us(incident: MarkedIncident, episodes: Iterable[Episode]) -> int | None:
    """When the first alarm that was active during an incident was raised; None where it was missed."""
    return min((one.raised_us for one in episodes if incident.is_seen_by(one)), default=None)


def per_day(raised_us: Iterable[int], days: Sequence[int]) -> list[int]:
    """How many moments lie in each span that begins with one of `days` (rising) and ends with the next one."""
    counts = [0] * (len(days) - 1)
    at = 0
    for moment_us in sorted(raised_us):
        while at < len(counts) and days[at + 1] <= moment_us:
            at += 1
        if at < len(counts) and moment_us >= days[at]:
            counts[at] += 1
    return counts
