"""Messages that could not be accepted: grouped, looked at, tried again, put into the history after all."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from factoryops.contracts.http.parts import Received


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


Reason = Annotated[str, Field(max_length=64)]
Origin = Annotated[str, Field(max_length=4_000)]
