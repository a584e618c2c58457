"""What the engine tells the live side, through the `derived` journal, when a condition raises or clears an alarm.

A transition is complete in itself, so that operators see it while the database is away. After a crash the engine says
the same again: (alarm_id, annunciation, kind) tells repetitions apart.
"""

from __future__ import annotations

import msgspec


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
    """One raise or clear.

    Attributes:
        kind: "raised" or "cleared".
        at_us: when it happened in the samples' own time (the moment a delay was due, not when it was noticed).
        value: the sample value that moved the condition, None when no one value did.
        seq: journal row the engine had reached.
        is_recorded: False when the database was away at that moment.
        why: the samples that decided it; None in journals of before there was any, and where a rule was withdrawn.
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


def encode_transition(transition: AlarmTransition) -> bytes:
    """The event record of a transition."""
    return msgspec.msgpack.encode(transition)


def decode_transition(data: bytes) -> AlarmTransition:
    """The transition of an event record; raises msgspec.DecodeError."""
    return msgspec.msgpack.decode(data, type=AlarmTransition)
