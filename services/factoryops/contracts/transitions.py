"""What the engine tells the live side, through the `derived` journal, when a condition raises or clears an alarm.

A transition is complete in itself, so that operators see it while the database is away. After a crash the engine says
the same again: (alarm_id, annunciation, kind) tells repetitions apart, of suppressions the moment as well.
"""

from __future__ import annotations

from typing import Final

import msgspec

from factoryops.domain import alarm_life
from factoryops.domain.alarm_life import Outcome, Raise
from factoryops.domain.alarms import AlarmEventKind, AlarmFacts, Priority

_PLACES: Final = 1 << 12
"""A journal may begin at a row numbered by the clock, in microseconds: this still fits into 64 bits."""


class WhySample(msgspec.Struct, frozen=True, array_like=True):
    """A sample that decided what a condition said.

    Attributes:
        parameter_key: "" where any sample of the device counts.
        at_us: as it was judged: corrected by the device's clock offset.
        flags: `SampleFlag` bits.
    """

    device_key: str
    parameter_key: str
    at_us: int
    value: float
    flags: int


class WhyLeaf(msgspec.Struct, frozen=True):
    """What one comparison of a condition said.

    Attributes:
        path: its place in the condition: "0.2" is the third part of the first part; "" is the whole.
        text: what it asks, in words.
        state: "true", "false" or "unknown".
        value / limit: what was compared, None where there was nothing.
    """

    path: str
    text: str
    state: str
    value: float | None
    limit: float | None
    samples: tuple[WhySample, ...]


class Why(msgspec.Struct, frozen=True):
    """Why a condition turned.

    Attributes:
        at_us: when it did; a delay may have run after that.
        is_whole: whether these are all its leaves and all their samples.
    """

    at_us: int
    leaves: tuple[WhyLeaf, ...]
    is_whole: bool = True


class AlarmTransition(msgspec.Struct, frozen=True):
    """One raise or clear, or one begin or end of suppression by design.

    Attributes:
        kind: "raised", "cleared", "suppressed" or "unsuppressed".
        at_us: when it happened in the samples' own time (the moment a delay was due, not when it was noticed).
        value: the sample value that moved the condition, None when no one value did.
        seq: journal row the engine had reached.
        is_recorded: False when the database was away at that moment.
        why: the samples that decided it; None in journals of before there was any, and where a rule was withdrawn.
        place: among what the engine found in that row; with `at_us` and `seq` it says which alarm came first.
        is_latching / re_alarm_s / alarm_class / is_shadow: as the rule has them at that moment.
    """

    factory_id: str
    alarm_id: str
    rule_id: str
    rule_version: int
    rule_name: str
    device_id: str
    device_key: str
    device_name: str
    area: str
    parameter_key: str
    series_id: int
    unit: str
    priority: int
    kind: str
    annunciation: int
    at_us: int
    value: float | None
    message: str
    response: str
    seq: int
    is_recorded: bool
    why: Why | None = None
    place: int = 0
    line: str = ""
    is_latching: bool = False
    re_alarm_s: float = 0.0
    alarm_class: str = ""
    is_shadow: bool = False

    @property
    def order(self) -> int:
        """Of two with one `at_us` the smaller came first."""
        return self.seq * _PLACES + min(self.place, _PLACES - 1)

    def moved(self, facts: AlarmFacts) -> Outcome:
        """What it makes of an alarm's facts; one that is behind them moves nothing."""
        match AlarmEventKind(self.kind):
            case AlarmEventKind.RAISED:
                move = Raise(self.annunciation, self.at_us, Priority(self.priority), self.is_latching, self.is_shadow)
                return alarm_life.raised(facts, move)
            case AlarmEventKind.CLEARED:
                return alarm_life.cleared(facts, self.annunciation, self.at_us)
            case AlarmEventKind.SUPPRESSED:
                return alarm_life.suppressed(facts, self.at_us)
            case AlarmEventKind.UNSUPPRESSED:
                return alarm_life.unsuppressed(facts, self.at_us)
            case _:
                raise ValueError(f"{self.kind} is nothing that the engine says")


def encode_transition(transition: AlarmTransition) -> bytes:
    """The event record of a transition."""
    return msgspec.msgpack.encode(transition)


def decode_transition(data: bytes) -> AlarmTransition:
    """The transition of an event record; raises msgspec.DecodeError."""
    return msgspec.msgpack.decode(data, type=AlarmTransition)
