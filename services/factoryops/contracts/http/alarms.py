"""Alarms, their acknowledgement and their history."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from factoryops.contracts.http.parts import TEXT, Identifier, Received, Sent, example
from factoryops.domain.alarms import AlarmEventKind, AlarmState
from factoryops.domain.rules import Priority


class Alarm(Received):
    """A rule on a device, with its ISA-18.2 state.

    Attributes:
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


class AlarmList(Received):
    """Alarms that are not normal (or all, when asked); never filtered by time."""

    alarms: list[Alarm]


class AcknowledgeItem(Sent):
    """One alarm, and the annunciation the acknowledgement answers."""

    alarm_id: Identifier
    annunciation: Annotated[int, Field(ge=1, le=2_147_483_647)]


class AcknowledgeRequest(Sent):
    """Acknowledge one or many; all or nothing."""

    model_config = example(
        {"items": [{"alarm_id": "01932f0c8e7a7c3fa1b2c3d4e5f60718", "annunciation": 1}], "comment": "On my way"}
    )

    items: Annotated[list[AcknowledgeItem], Field(min_length=1, max_length=1_000)]
    comment: Annotated[str, Field(max_length=1_000, pattern=TEXT)] | None = None


class AlarmEvent(Received):
    """One line of the alarm history."""

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


class AlarmEventPage(Received):
    """Alarm history, newest first; `next_before` pages on."""

    events: list[AlarmEvent]
    next_before: str | None = None
