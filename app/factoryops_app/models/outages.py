"""Declared outages as people write and read them; no screen needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from factoryops.contracts import http
from factoryops_app.models.typed import moment_text, typed_moment
from factoryops_resources.words import say


@dataclass(frozen=True, slots=True)
class OutageDraft:
    """What is filled in of an outage, as text."""

    begin: str = ""
    end: str = ""
    reason: str = ""

    def fault(self, zone: tzinfo) -> str:
        """Why it cannot be declared; "" when it can. Moments are on the clock of `zone`."""
        begin, end = typed_moment(self.begin, zone), typed_moment(self.end, zone)
        if begin is None or end is None:
            return say("Write both moments as 2026-03-31 14:30.")
        if end.astimezone(UTC) <= begin.astimezone(UTC):
            return say("An outage must end after it begins.")
        if not self.reason.strip():
            return say("Say why the time is to be left out.")
        return ""

    def content(self, zone: tzinfo) -> http.OutageContent:
        """What is sent; only for a draft without a fault."""
        begin, end = typed_moment(self.begin, zone), typed_moment(self.end, zone)
        return http.OutageContent.model_validate({"start": begin, "end": end, "reason": self.reason.strip()})


def state_words(outage: http.Outage, zone: tzinfo) -> str:
    """Whether figures leave it out, and who has ended that."""
    if outage.withdrawn_at is None:
        return say("left out")
    return say(
        "withdrawn {moment} by {who}", moment=moment_text(outage.withdrawn_at, zone), who=outage.withdrawn_by or ""
    )  # fmt: skip


def tab_title(outages: Sequence[http.Outage]) -> str:
    """What the tab is called: with how many hold."""
    count = sum(one.holds for one in outages)
    return f"{say('Outages')} ({count})" if count else say("Outages")
