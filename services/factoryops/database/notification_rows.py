"""What the dispatcher of notifications reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from factoryops.domain.alarms import Mark, Priority
from factoryops.domain.identity import FactoryId
from factoryops.domain.notifying import Addressee, ChannelKind, Told

DONE: Final = "done"
SUPERSEDED: Final = "superseded"
WITHDRAWN: Final = "withdrawn"
NO_POLICY: Final = "no policy"
"""Why a chain is over: all steps were taken; a later announcement of the same alarm has taken it over; its policy is
gone or switched off; its rule names policies of which none is in use. Else what became of the alarm."""
Recipient: TypeAlias = tuple[FactoryId, str]
"""A factory and the id of one of its contacts or hooks."""


class AlarmFacts(msgspec.Struct, frozen=True):
    """What a message says of an alarm, as it was when somebody decided to tell it.

    Attributes:
        response: what the operator is to do.
        cause / consequence / time_to_respond_s / owner: the rest of the response sheet; 0 and "" for not stated.
        raised_us / cleared_us / acknowledged_us: 0 for not.
        renewal: of the annunciation that is told; 0 for its first.
        limit: what the value passed, where the rule is one limit.
        series_id: of the parameter, for its trend; 0 for none.
    """

    rule_id: str
    rule_name: str
    device_key: str
    device_name: str
    area: str
    parameter_key: str
    series_id: int
    unit: str
    priority: int
    message: str
    response: str
    raised_us: int
    value: float | None = None
    limit: float | None = None
    renewal: int = 0
    cleared_us: int = 0
    acknowledged_us: int = 0
    acknowledged_by: str = ""
    comment: str = ""
    cause: str = ""
    consequence: str = ""
    time_to_respond_s: float = 0.0
    owner: str = ""

    @classmethod
    def of_test(cls, at_us: int) -> AlarmFacts:
        """What a test message is about."""
        return cls("", "Test", "", "FactoryOps", "", "", 0, "", int(Priority.LOW), "", "", at_us)


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """An event that waits for somebody to decide who is told.

    Attributes:
        is_annunciation: it begins the steps of policies; others tell those who were told.
        created_us: when it was recorded.
    """

    factory_id: FactoryId
    id: str
    alarm_id: str
    annunciation: int
    renewal: int
    kind: str
    at_us: int
    created_us: int


@dataclass(frozen=True, slots=True)
class AlarmStanding:
    """How an alarm stands at the moment.

    Attributes:
        told: what decides who is told.
        acknowledged: the newest annunciation and renewal that was answered.
        out_of_sight: why nobody is told, in a word; "" when somebody is.
    """

    facts: AlarmFacts
    told: Told
    is_active: bool
    annunciation: int
    acknowledged: tuple[int, int]
    out_of_sight: str = ""

    def answers(self, annunciation: int, renewal: int) -> bool:
        """Whether somebody acknowledged this annunciation, as it was renewed, or a later one."""
        return self.acknowledged >= (annunciation, renewal)


@dataclass(frozen=True, slots=True)
class Chain:
    """How far an annunciation has come in a policy's steps.

    Attributes:
        began_us: when the alarm was announced that nobody has answered since: repeats go on with its steps.
        step: the next one, from 0; the policy's number of steps while its last one is repeated.
        due_us: when that is due; None when it is over.
        outcome: why it is over.
        reached_us: when somebody was first reached; None for not yet.
    """

    factory_id: FactoryId
    id: str
    event_id: str
    alarm_id: str
    annunciation: int
    renewal: int
    policy_id: str
    began_us: int
    step: int = 0
    repeats: int = 0
    due_us: int | None = None
    outcome: str = ""
    reached_us: int | None = None

    @property
    def mark(self) -> Mark:
        """The announcement it is about."""
        return self.annunciation, self.renewal


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A line for the ledger.

    Attributes:
        address: masked.
        state: "queued", or "skipped" with its reason.
    """

    id: str
    chain_id: str
    event_id: str
    alarm_id: str
    annunciation: int
    event: str
    policy: str
    step: int
    to: Addressee
    facts: AlarmFacts
    state: str
    reason: str
    not_before_us: int


@dataclass(frozen=True, slots=True)
class ToldLine:
    """A delivery by which somebody was told, or will be, that an alarm was raised.

    Attributes:
        policy_id: of its chain; "" when that is no more.
    """

    event_id: str
    chain_id: str
    policy_id: str
    to: Addressee
    facts: AlarmFacts


@dataclass(frozen=True, slots=True)
class Queued:
    """A delivery that is due.

    Attributes:
        message_id: of the message it went out with before; "" when it was never tried.
    """

    factory_id: FactoryId
    id: str
    chain_id: str
    alarm_id: str
    annunciation: int
    event: str
    recipient_id: str
    recipient: str
    user: str
    channel: ChannelKind
    facts: AlarmFacts
    attempts: int
    message_id: str
    created_us: int


@dataclass(frozen=True, slots=True)
class Unreached:
    """Annunciations of a factory that nobody was reached for.

    Attributes:
        since_us: when the oldest of them was announced.
        example: what one of them is called.
    """

    factory_id: FactoryId
    count: int
    since_us: int
    example: str


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """What of a hook is kept sealed; `id` is the hook's and part of the seal."""

    factory_id: FactoryId
    id: str
    sealed: str
