"""Outages that people declare: time that the figures of alarms leave out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from factoryops.contracts.http.parts import GivenReason, Identifier, Received, Sent, SentMoment, example

_EXAMPLE: Final[dict[str, Any]] = {
    "start": "2026-02-14T05:00:00Z",
    "end": "2026-02-14T13:00:00Z",
    "reason": "Planned stop: maintenance of the plant server.",
}


class OutageContent(Sent):
    """A span [start, end) that says nothing about the alarms of the factory, past or to come, and why."""

    model_config = example(_EXAMPLE)

    start: SentMoment
    end: SentMoment
    reason: Annotated[GivenReason, Field(max_length=500)]

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.end <= self.start:
            raise ValueError("an outage must end after it begins")
        return self


class Outage(Received):
    """A declared outage.

    Attributes:
        withdrawn_by / withdrawn_at: who took the declaration back, and when; None while it holds.
    """

    id: Identifier
    content: OutageContent
    declared_by: str
    declared_at: datetime
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None

    @property
    def holds(self) -> bool:
        """Whether figures leave it out."""
        return self.withdrawn_at is None


class OutageList(Received):
    """The factory's declared outages, the latest first; withdrawn ones are among them."""

    outages: list[Outage]
