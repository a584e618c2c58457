"""Alarms and their history."""

from __future__ import annotations

from datetime import date, datetime

from factoryops.contracts.http.flood import PositionFlood
from factoryops.contracts.http.parts import Identifier, Received
from factoryops.domain.alarms import AlarmEventKind, AlarmState, EventCause, Priority


class Shelved(Received):
    """Who put an alarm aside, why and until when; one-shot also ends when the condition turns false."""

    since: datetime
    until: datetime
    by: str
    reason: str
    is_one_shot: bool = False


class TakenOut(Received):
    """Who took an alarm out of service and why; `until` is None until somebody returns it."""

    since: datetime
    by: str
    reason: str
    until: datetime | None = None


class Alarm(Received):
    """A rule on a device, with its ISA-18.2 state.

    Attributes:
        state: what an operator sees: out of service before suppressed by design before shelved before the rest.
        underlying: the state without what puts it aside.
        annunciation / renewal: how often it was raised, and how often that was announced again; an acknowledgement
            names both.
        order: of its raise; with equal `raised_at` the smaller one came first.
        suppressed_at: since when it is suppressed by design.
        suppression_us: when that last began or ended, microseconds since 1970; 0 for never.
        change: grows with every change of this alarm; of two copies the larger is the newer.
        is_recorded: False while the database is away and the alarm is known to the live side alone.
    """

    id: Identifier
    rule_id: Identifier
    rule_name: str
    device_id: Identifier
    device_key: str
    device_name: str
    area: str
    parameter_key: str
    series_id: int
    priority: Priority
    state: AlarmState
    annunciation: int
    raised_at: datetime | None
    cleared_at: datetime | None
    value: float | None
    unit: str
    message: str
    response: str = ""
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    comment: str | None = None
    change: int = 0
    is_recorded: bool = True
    line: str = ""
    rule_version: int = 1
    underlying: AlarmState = AlarmState.NORMAL
    is_active: bool = False
    is_latching: bool = False
    renewal: int = 0
    order: int = 0
    alarm_class: str = ""
    suppressed_at: datetime | None = None
    suppression_us: int = 0
    shelved: Shelved | None = None
    out_of_service: TakenOut | None = None


class AlarmCounts(Received):
    """How many alarms are in each list.

    Attributes:
        active: those that are not normal and not put aside; `unacknowledged` of them wait for an answer.
    """

    active: int = 0
    unacknowledged: int = 0
    shelved: int = 0
    suppressed: int = 0
    out_of_service: int = 0


class AlarmList(Received):
    """Alarms that are not normal, of one list or of all; never filtered by time. The counts are of all lists.

    Attributes:
        floods: whether the whole factory and each operating position are in a flood now; only where alarms were asked
            for, and empty while that is not known.
    """

    alarms: list[Alarm]
    counts: AlarmCounts = AlarmCounts()
    floods: list[PositionFlood] = []


class AlarmPlace(Received):
    """A place of the plant and the alarms under it that are not put aside.

    Attributes:
        path: area, line and device, as far as stated; empty for the whole factory.
        priority: the highest of those that wait for an answer, else the highest at all.
        first_alarm_id: the one that was raised first.
    """

    path: list[str]
    priority: Priority
    count: int
    unacknowledged: int
    first_alarm_id: Identifier


class AlarmPlaces(Received):
    """The whole factory, its areas, their lines and devices, each above what is under it; the most urgent first."""

    places: list[AlarmPlace]


class AlarmEvent(Received):
    """One line of the alarm history.

    Attributes:
        cause: why it happened, where nobody did it by hand.
        comment: what was said about it; the reason of shelving and of taking out of service.
        until: when what began was to end.
        is_annunciation: whether it told somebody; only these count in figures and are notified.
        is_shadow: of a rule that is only being tried.
    """

    id: Identifier
    alarm_id: Identifier
    annunciation: int
    kind: AlarmEventKind
    at: datetime
    value: float | None
    actor: str | None
    comment: str | None
    rule_name: str
    device_name: str
    priority: Priority
    renewal: int = 0
    cause: EventCause | None = None
    until: datetime | None = None
    is_annunciation: bool = False
    is_shadow: bool = False


class AlarmEventPage(Received):
    """Alarm history, newest first; `next_before` pages on."""

    events: list[AlarmEvent]
    next_before: str | None = None


class ResponseSheet(Received):
    """What an operator is to know and do about an alarm: the record of the rule version that raised it.

    Attributes:
        action: what to do; of alarms about the service itself that is all there is.
        time_to_respond_s: after which it is too late; 0 when not stated.
    """

    alarm_id: Identifier
    rule_name: str
    rule_version: int
    priority: Priority
    alarm_class: str = ""
    cause: str = ""
    consequence: str = ""
    action: str = ""
    severity: str = ""
    time_to_respond_s: float = 0.0
    owner: str = ""
    review_on: date | None = None
