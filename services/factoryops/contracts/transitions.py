"""What the engine tells the live side, through the `derived` journal, when a condition raises or clears an alarm.

A transition is complete in itself, so that operators see it while the database is away. After a crash the engine says
the same again: (alarm_id, annunciation, kind) tells repetitions apart.
"""

from __future__ import annotations

import msgspec


class AlarmTransition(msgspec.Struct, frozen=True):
    """One raise or clear.

    Attributes:
        kind: "raised" or "cleared".
        at_us: when it happened in the samples' own time (the moment a delay was due, not when it was noticed).
        value: the sample value that moved the condition.
        seq: journal row the engine had reached.
        is_recorded: False when the database was away at that moment.
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
    value: float
    message: str
    response: str
    seq: int
    is_recorded: bool


def encode_transition(transition: AlarmTransition) -> bytes:
    """The event record of a transition."""
    return msgspec.msgpack.encode(transition)


def decode_transition(data: bytes) -> AlarmTransition:
    """The transition of an event record; raises msgspec.DecodeError."""
    return msgspec.msgpack.decode(data, type=AlarmTransition)
