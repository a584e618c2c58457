"""Messages that could not be accepted: grouped, looked at, tried again, put into the history after all."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from factoryops.contracts.http.mappings import MappingContent
from factoryops.contracts.http.parts import Received, Sent, example

MOST_CHOSEN: Final = 1_000
"""Messages that can be named one by one."""

Reason = Annotated[str, Field(max_length=64)]
Origin = Annotated[str, Field(max_length=4_000)]


class QuarantinedMessage(Received):
    """A message that was received and could not be accepted.

    Attributes:
        payload: its first 8 KiB, as text where it is text, else hexadecimal; `is_hex` says which.
        size_bytes: of the whole payload.
        device: the device's key, where it could be told.
        replayed_at: when it was put into the history after all.
    """

    number: int
    received_at: datetime
    client: str
    topic: str
    reason: str
    detail: str
    payload: str
    is_hex: bool
    size_bytes: int = 0
    device: str = ""
    replayed_at: datetime | None = None


class QuarantinePage(Received):
    """Newest first; `next_before` pages on."""

    messages: list[QuarantinedMessage]
    next_before: int | None = None


class QuarantineGroup(Received):
    """Messages of one reason and one origin.

    Attributes:
        origin: the device's key, or where that is not known the topic with `+` for the levels that vary.
        is_device: which of the two `origin` is.
        count: how many are kept; `replayed` of them were put into the history since.
        example: the newest of them.
    """

    reason: str
    origin: str
    is_device: bool
    count: int
    replayed: int = 0
    first_at: datetime
    last_at: datetime
    example: QuarantinedMessage


class QuarantineGroupList(Received):
    """All groups, the one with the newest message first; the 500 newest where there are more."""

    groups: list[QuarantineGroup]


class QuarantineChoice(Sent):
    """Which messages, and how they are to be read.

    Attributes:
        reason / origin: of a group; both absent means every group.
        numbers: only these of them, up to 1,000; empty means all.
        mapping: counts before every other mapping, whether it is in force or not; None means the present rules.
    """

    model_config = example({"reason": "invalid_topic", "origin": "hall2/+/state"})

    reason: Reason | None = None
    origin: Origin | None = None
    numbers: Annotated[list[Annotated[int, Field(ge=1, le=(1 << 62))]], Field(max_length=MOST_CHOSEN)] = []
    mapping: MappingContent | None = None


class ReplaySample(Received):
    """A sample that a replay would store; `value` is a number, true or false, or a text."""

    number: int
    device: str
    parameter: str
    time_us: int
    value: bool | float | str
    has_own_time: bool = True


class ReplayRefusal(Received):
    """Messages that would stay in quarantine, by reason."""

    reason: str
    detail: str
    count: int
    example: int


class ReplayPreview(Received):
    """What a replay would do.

    Attributes:
        messages: how many were tried: the newest 2,000 of those chosen, `is_partial` when there are more.
        accepted: how many of them would be put into the history.
        samples: how many samples that makes; `shown` are the first of them.
        refusals: why the others would stay.
        values_refused: values refused singly, by reason.
    """

    messages: int
    is_partial: bool = False
    accepted: int
    samples: int
    shown: list[ReplaySample] = []
    refusals: list[ReplayRefusal] = []
    values_refused: dict[str, int] = {}
