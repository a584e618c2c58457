"""What operators do with alarms: acknowledge, reset, shelve, take out of service. All of a request is done, or none.

`request_id` makes repeating safe: a request that arrives again, because its answer was lost, changes nothing more.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from factoryops.contracts.http.parts import GivenReason, Identifier, Remark, Sent, SentMoment, example
from factoryops.domain.alarm_classes import LONGEST_SHELVING_S
from factoryops.domain.identity import new_id

_ID = "01932f0c8e7a7c3fa1b2c3d4e5f60718"
_Count = Annotated[int, Field(ge=1, le=2_147_483_647)]
_Alarms = Annotated[list[Identifier], Field(min_length=1, max_length=1_000)]


class AlarmTab(StrEnum):
    """The lists of alarms."""

    ACTIVE = "active"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out_of_service"


class AcknowledgeItem(Sent):
    """One alarm, and the annunciation and renewal the acknowledgement answers."""

    alarm_id: Identifier
    annunciation: _Count
    renewal: Annotated[int, Field(ge=0, le=2_147_483_647)] = 0


class AcknowledgeRequest(Sent):
    """Acknowledge one or many; all or nothing. Alarms of some classes ask for a comment."""

    model_config = example({"items": [{"alarm_id": _ID, "annunciation": 1}], "comment": "On my way"})

    items: Annotated[list[AcknowledgeItem], Field(min_length=1, max_length=1_000)]
    comment: Remark | None = None


class ResetItem(Sent):
    """One latched alarm, and the annunciation whose latch is reset."""

    alarm_id: Identifier
    annunciation: _Count


class ResetRequest(Sent):
    """Reset latched alarms that have returned and are acknowledged."""

    model_config = example({"items": [{"alarm_id": _ID, "annunciation": 1}]})

    items: Annotated[list[ResetItem], Field(min_length=1, max_length=1_000)]
    comment: Remark | None = None


class QuietAlarmsRequest(Sent):
    """The devices on which a rule's alarms are to be put aside before they are raised."""

    model_config = example({"device_ids": [_ID]})

    device_ids: _Alarms


class ShelveRequest(Sent):
    """Put alarms aside: for a while, until a moment, or for as long as their class allows.

    Attributes:
        for_s / until: at most one of them; without either it is the longest time each alarm's class allows.
        is_one_shot: it also ends when the condition next turns false.
    """

    model_config = example({"alarm_ids": [_ID], "reason": "The sensor is being changed", "for_s": 900})

    alarm_ids: _Alarms
    reason: GivenReason
    for_s: Annotated[float, Field(ge=1, le=LONGEST_SHELVING_S, allow_inf_nan=False)] | None = None
    until: SentMoment | None = None
    is_one_shot: bool = False
    request_id: Identifier = Field(default_factory=new_id)


class TakeOutRequest(Sent):
    """Take alarms out of service, until a moment or until somebody returns them."""

    model_config = example({"alarm_ids": [_ID], "reason": "Overhaul of the press"})

    alarm_ids: _Alarms
    reason: GivenReason
    until: SentMoment | None = None
    request_id: Identifier = Field(default_factory=new_id)


class TakeUpRequest(Sent):
    """Unshelve alarms, or return them to service."""

    model_config = example({"alarm_ids": [_ID]})

    alarm_ids: _Alarms
    comment: Remark | None = None
