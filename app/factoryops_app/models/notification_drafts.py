"""Contacts, hooks and rosters while a person edits them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

from factoryops.contracts import http
from factoryops.domain.notifying import HookKind, Language
from factoryops_app.models.drafts import (
    as_read,
    content_faults,
    typed_number,
    window_bodies,
    window_drafts,
    window_faults,
)
from factoryops_app.models.schedule_draft import WindowDraft
from factoryops_app.models.typed import moment_text, parsed_date, typed_moment
from factoryops_resources.words import say

HTTPS: Final = "https://"


@dataclass(frozen=True, slots=True)
class ContactDraft:
    """What is filled in of a contact."""

    name: str = ""
    language: str = Language.ENGLISH.value
    email: str = ""
    phone: str = ""
    user: str = ""
    quiet: tuple[WindowDraft, ...] = ()
    critical_breaks_quiet: bool = True
    most_per_hour: str = "30"
    is_enabled: bool = True
    identity: str | None = None
    version: int = 0
    held: http.ContactContent | None = field(default=None, compare=False)

    @classmethod
    def of(cls, kept: http.Contact) -> ContactDraft:
        """The draft that changes a contact."""
        content = kept.content
        return cls(
            content.name, content.language.value, content.email, content.phone, content.user,
            window_drafts(content.quiet), content.critical_breaks_quiet, str(content.most_per_hour),
            content.is_enabled, kept.id, kept.version, content,
        )  # fmt: skip

    def content(self) -> http.ContactContent:
        """What is sent; raises ValidationError for a draft with errors."""
        return http.ContactContent.model_validate(
            as_read(self.held)
            | {
                "name": self.name.strip(),
                "language": self.language,
                "email": self.email.strip(),
                "phone": self.phone.replace(" ", ""),
                "user": self.user.strip(),
                "quiet": window_bodies(self.quiet),
                "critical_breaks_quiet": self.critical_breaks_quiet,
                "most_per_hour": typed_number(self.most_per_hour),
                "is_enabled": self.is_enabled,
            }
        )

    def errors(self) -> dict[str, str]:
        """What cannot be saved, by field."""
        sentences = {
            "name": say("Give it a name."),
            "email": say("Write an address such as jana@example.com."),
            "phone": say("Write the number with its country, such as +4915112345678."),
            "most_per_hour": say("A whole number from 0 (no bound) to 3600."),
            "quiet": say("Write days as Mon-Fri or Sat, Sun."),
        }
        return {**content_faults(self.content, sentences), **window_faults(self.quiet, "quiet")}


@dataclass(frozen=True, slots=True)
class HookDraft:
    """What is filled in of a hook; its secrets are only ever typed, never shown.

    Attributes:
        url / signing_key: new secrets; empty to keep what it has.
        drops_key: messages are to be signed no longer.
        is_signed: whether it has a signing key now.
    """

    name: str = ""
    kind: str = HookKind.WEBHOOK.value
    language: str = Language.ENGLISH.value
    url: str = ""
    signing_key: str = ""
    drops_key: bool = False
    is_enabled: bool = True
    identity: str | None = None
    version: int = 0
    is_signed: bool = False
    held: http.HookContent | None = field(default=None, compare=False)

    @classmethod
    def of(cls, kept: http.Hook) -> HookDraft:
        """The draft that changes a hook."""
        content = kept.content
        return cls(content.name, content.kind.value, content.language.value, is_enabled=content.is_enabled,
                   identity=kept.id, version=kept.version, is_signed=kept.is_signed, held=content)  # fmt: skip

    def content(self) -> http.HookContent:
        """What is sent beside the secrets; raises ValidationError for a draft with errors."""
        told = {"name": self.name.strip(), "kind": self.kind, "language": self.language}
        return http.HookContent.model_validate(as_read(self.held) | told | {"is_enabled": self.is_enabled})

    def secrets(self) -> http.HookSecrets:
        """Those of a new hook; raises ValidationError for a draft with errors."""
        return http.HookSecrets(url=self.url.strip(), signing_key=self.signing_key.strip() or None)

    def changed_secrets(self) -> http.HookSecretsChange | None:
        """What of them is new; None to keep them all. Raises ValidationError for a draft with errors."""
        key = "" if self.drops_key else self.signing_key.strip() or None
        change = http.HookSecretsChange(url=self.url.strip() or None, signing_key=key)
        return None if change == http.HookSecretsChange() else change

    def errors(self) -> dict[str, str]:
        """What cannot be saved, by field."""
        found = content_faults(self.content, {"name": say("Give it a name.")})
        url = self.url.strip()
        if len(url) <= len(HTTPS) and (url or self.identity is None):
            found["url"] = say("Paste the address that the other side gave you.")
        return found


@dataclass(frozen=True, slots=True)
class StandIn:
    """Somebody stands in; moments as typed, on the factory's clock."""

    start: str
    end: str
    contact: str


@dataclass(frozen=True, slots=True)
class RosterDraft:
    """What is filled in of a roster.

    Attributes:
        members: ids of contacts, in turn.
        zone: the factory's, for the moments of those who stand in.
    """

    zone: tzinfo
    name: str = ""
    members: tuple[str, ...] = ()
    starts_on: str = ""
    handover: str = "08:00"
    turn_days: str = "7"
    duty: tuple[WindowDraft, ...] = ()
    stand_ins: tuple[StandIn, ...] = ()
    identity: str | None = None
    version: int = 0
    held: http.RosterContent | None = field(default=None, compare=False)

    @classmethod
    def of(cls, kept: http.Roster, zone: tzinfo) -> RosterDraft:
        """The draft that changes a roster."""
        content = kept.content
        stand_ins = tuple(
            StandIn(moment_text(one.start, zone), moment_text(one.end, zone), one.contact) for one in content.overrides
        )
        return cls(
            zone, content.name, tuple(content.members), content.starts_on.isoformat(), content.handover,
            str(content.turn_days), window_drafts(content.duty), stand_ins, kept.id, kept.version, content,
        )  # fmt: skip

    def content(self) -> http.RosterContent:
        """What is sent; raises ValidationError for a draft with errors."""
        return http.RosterContent.model_validate(
            as_read(self.held)
            | {
                "name": self.name.strip(),
                "members": [*self.members],
                "starts_on": parsed_date(self.starts_on),
                "handover": self.handover.strip(),
                "turn_days": typed_number(self.turn_days),
                "duty": window_bodies(self.duty),
                "overrides": [
                    {"start": typed_moment(one.start, self.zone), "end": typed_moment(one.end, self.zone),
                     "contact": one.contact}
                    for one in self.stand_ins
                ],
            }
        )  # fmt: skip

    def errors(self) -> dict[str, str]:
        """What cannot be saved, by field."""
        sentences = {
            "name": say("Give it a name."),
            "members": say("Somebody has to be on call: add a contact."),
            "starts_on": say("Write a date as 2026-03-31."),
            "handover": say("Write a time as 06:30."),
            "turn_days": say("A whole number of days from 1 to 365."),
            "duty": say("Write days as Mon-Fri or Sat, Sun."),
            "overrides": say("Write both moments as 2026-03-31 14:30."),
        }
        return {
            **content_faults(self.content, sentences),
            **window_faults(self.duty, "duty"),
            **self._stand_in_faults(),
        }

    def _stand_in_faults(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for place, one in enumerate(self.stand_ins):
            start, end = typed_moment(one.start, self.zone), typed_moment(one.end, self.zone)
            for key, moment in (("start", start), ("end", end)):
                if moment is None:
                    found[f"overrides[{place}].{key}"] = say("Write both moments as 2026-03-31 14:30.")
            if start is not None and end is not None and end <= start:
                found[f"overrides[{place}].end"] = say("Whoever stands in begins before the end.")
        return found
