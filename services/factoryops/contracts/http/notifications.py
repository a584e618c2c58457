"""Who is told of alarms, as people write it: contacts, rosters, hooks, policies; and what became of each message."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import Field

from factoryops.contracts.http.parts import LINE, Finite, Identifier, Received, Sent, SentMoment, example
from factoryops.domain import notifying
from factoryops.domain.alarms import Priority
from factoryops.domain.notifying import ChannelKind, HookKind, Language, TargetKind

MOST_STEPS: Final = 20
_Name = Annotated[str, Field(min_length=1, max_length=100, pattern=LINE)]
_Version = Annotated[int, Field(ge=1, le=2_147_483_647)]
_Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
_Email = Annotated[str, Field(max_length=254, pattern=r"^([^\s@<>\"(),:;\[\]\\\x00-\x20\x7f]+@[A-Za-z0-9.-]+)?$")]
_Phone = Annotated[str, Field(pattern=r"^(\+[1-9][0-9]{6,14})?$")]
_User = Annotated[str, Field(max_length=100, pattern=LINE)]


class DutyWindow(Sent):
    """A span of the day on some weekdays, on the factory's clock; an end at or before the start is on the next day."""

    start: _Clock
    end: _Clock
    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)] = [1, 2, 3, 4, 5, 6, 7]


_Windows = Annotated[list[DutyWindow], Field(max_length=50)]


class ContactContent(Sent):
    """Somebody who can be told; without an address for a channel, that channel does not reach them.

    Attributes:
        phone: for SMS and WhatsApp, international: +4915112345678.
        user: the account in-app messages are for, and whose role counts.
        quiet: when only critical alarms reach this contact.
        most_per_hour: messages of one channel; critical alarms are sent beyond it. 0 for no bound.
    """

    model_config = example({"name": "Jana Berg", "language": "de", "email": "jana@example.com", "user": "jana"})

    name: _Name
    language: Language = Language.ENGLISH
    email: _Email = ""
    phone: _Phone = ""
    user: _User = ""
    quiet: _Windows = []
    critical_breaks_quiet: bool = True
    most_per_hour: Annotated[int, Field(ge=0, le=3_600)] = 30
    is_enabled: bool = True

    def definition(self) -> notifying.Contact:
        """What decides about messages."""
        return msgspec.convert(self.model_dump(mode="json"), notifying.Contact)


class DutyOverride(Sent):
    """Somebody stands in within [start, end)."""

    start: SentMoment
    end: SentMoment
    contact: Identifier


class RosterContent(Sent):
    """Who is on call: the members take turns, handed over on the factory's clock.

    Attributes:
        members: ids of contacts; the first one's turn begins on `starts_on`.
        duty: when anybody is on call at all; empty for always.
        overrides: the last one that covers a moment wins.
    """

    model_config = example(
        {"name": "Maintenance", "members": ["01932f0c8e7a7c3fa1b2c3d4e5f60718"], "starts_on": "2026-03-02"}
    )

    name: _Name
    members: Annotated[list[Identifier], Field(min_length=1, max_length=100)]
    starts_on: date
    handover: _Clock = "08:00"
    turn_days: Annotated[int, Field(ge=1, le=365)] = 7
    duty: _Windows = []
    overrides: Annotated[list[DutyOverride], Field(max_length=500)] = []

    def definition(self) -> notifying.Roster:
        """What decides who is on call."""
        return msgspec.convert(self.model_dump(mode="json"), notifying.Roster)


class HookContent(Sent):
    """A machine that is told: a webhook, or the incoming hook of a chat."""

    name: _Name
    kind: HookKind
    language: Language = Language.ENGLISH
    is_enabled: bool = True

    def definition(self) -> notifying.Hook:
        """What decides about messages."""
        return msgspec.convert(self.model_dump(mode="json"), notifying.Hook)


_SigningKey = Annotated[str | None, Field(max_length=200, pattern=LINE, repr=False)]


class HookSecrets(Sent):
    """Where a hook leads, which is itself a secret, and the key its messages are signed with; never answered again.

    Attributes:
        url: https, or http where the settings permit it.
        signing_key: for webhooks; without one messages are not signed.
    """

    url: Annotated[str, Field(min_length=8, max_length=2_000, pattern=LINE, repr=False)]
    signing_key: _SigningKey = None


class HookSecretsChange(Sent):
    """New secrets of a hook; each that is not sent stays as it is.

    Attributes:
        url: None keeps the address it has.
        signing_key: None keeps the one it has, "" takes it away.
    """

    url: Annotated[str | None, Field(min_length=8, max_length=2_000, pattern=LINE, repr=False)] = None
    signing_key: _SigningKey = None


class HookRequest(Sent):
    """A new hook with its secrets."""

    model_config = example(
        {"content": {"name": "Shift chat", "kind": "slack"}, "secrets": {"url": "https://hooks.example.com/services/x"}}
    )

    content: HookContent
    secrets: HookSecrets


class HookUpdate(Sent):
    """A changed hook; without `secrets` it keeps those it has."""

    model_config = example(
        {"version": 1, "content": {"name": "ERP", "kind": "webhook"}, "secrets": {"signing_key": ""}}
    )

    version: _Version
    content: HookContent
    secrets: HookSecretsChange | None = None


class TargetContent(Sent):
    """Whom a step tells: a contact, everybody of a role, who is on call, or a hook.

    Attributes:
        name: an id, or a role's name.
        channels: by which a person is told; a hook has its own.
    """

    kind: TargetKind
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9_]+$")]
    channels: Annotated[list[ChannelKind], Field(max_length=4)] = [ChannelKind.EMAIL]


class StepContent(Sent):
    """What happens so long after the annunciation, unless somebody acknowledged it before."""

    to: Annotated[list[TargetContent], Field(min_length=1, max_length=50)]
    after_s: Annotated[Finite, Field(ge=0, le=604_800)] = 0.0


_POLICY_EXAMPLE: Final[dict[str, Any]] = {
    "name": "Urgent alarms",
    "priorities": [1, 2],
    "steps": [
        {"to": [{"kind": "role", "name": "operator", "channels": ["email", "in_app"]}]},
        {"to": [{"kind": "roster", "name": "01932f0c8e7a7c3fa1b2c3d4e5f60718", "channels": ["sms"]}], "after_s": 600},
    ],
}


class PolicyContent(Sent):
    """For which alarms, and what happens step by step; an acknowledgement ends it.

    Attributes:
        priorities / classes / areas: an alarm fits when each has its own in it, or is empty.
        is_only_named: used by the rules that name it and by no others.
        tells_service: alarms about FactoryOps itself fit too.
        gather_s: alarms that follow within this time go into one message.
        repeat_s: the last step is repeated so often while nobody acknowledges; 0 for never.
        stops_on_return: an alarm that has returned is not escalated further.
        tells_return / tells_acknowledge: whoever was told of the alarm is told of this, too.
    """

    model_config = example(_POLICY_EXAMPLE)

    name: _Name
    steps: Annotated[list[StepContent], Field(min_length=1, max_length=MOST_STEPS)]
    priorities: Annotated[list[Priority], Field(max_length=4)] = []
    classes: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=100)] = []
    areas: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=1_000)] = []
    is_only_named: bool = False
    tells_service: bool = False
    gather_s: Annotated[Finite, Field(ge=0, le=600)] = 10.0
    repeat_s: Annotated[Finite, Field(ge=0, le=86_400)] = 0.0
    most_repeats: Annotated[int, Field(ge=0, le=100)] = 3
    stops_on_return: bool = True
    tells_return: bool = False
    tells_acknowledge: bool = False
    is_enabled: bool = True

    def definition(self) -> notifying.Policy:
        """What decides who is told."""
        return msgspec.convert(self.model_dump(mode="json"), notifying.Policy)

    def faults(self) -> dict[str, str]:
        """Why it cannot be used, by field."""
        faults: dict[str, str] = {}
        if sorted(step.after_s for step in self.steps) != [step.after_s for step in self.steps]:
            faults["steps"] = "a step is due before the one above it"
        if 0 < self.repeat_s < 60:
            faults["repeat_s"] = "repeat after a minute at the earliest"
        for place, step in enumerate(self.steps):
            for number, target in enumerate(step.to):
                fault = _fault_of(target)
                if fault:
                    faults[f"steps.{place}.to.{number}"] = fault
        return faults


def _fault_of(target: TargetContent) -> str:
    if target.kind is TargetKind.HOOK:
        return ""
    if not target.channels or any(channel not in notifying.PERSONAL for channel in target.channels):
        return "a person is told by email, sms, whatsapp or in_app"
    return ""


class ContactUpdate(Sent):
    """A changed contact; `version` is the one the change was made from."""

    model_config = example(
        {"version": 1, "content": {"name": "Jana Berg", "language": "de", "email": "jana@example.com", "user": "jana"}}
    )

    version: _Version
    content: ContactContent


class RosterUpdate(Sent):
    """A changed roster; `version` is the one the change was made from."""

    model_config = example(
        {
            "version": 1,
            "content": {
                "name": "Maintenance",
                "members": ["01932f0c8e7a7c3fa1b2c3d4e5f60718"],
                "starts_on": "2026-03-02",
            },
        }
    )

    version: _Version
    content: RosterContent


class PolicyUpdate(Sent):
    """A changed policy; `version` is the one the change was made from."""

    model_config = example({"version": 1, "content": _POLICY_EXAMPLE})

    version: _Version
    content: PolicyContent


class _Kept(Received):
    id: Identifier
    version: int
    changed_by: str
    changed_at: datetime


class Contact(_Kept):
    """A contact as it is."""

    content: ContactContent


class Roster(_Kept):
    """A roster as it is.

    Attributes:
        on_call: the id of the contact on call now; None for nobody.
        on_call_until: when that changes.
    """

    content: RosterContent
    on_call: Identifier | None = None
    on_call_until: datetime | None = None


class Hook(_Kept):
    """A hook as it is.

    Attributes:
        host: of its address; the rest of that is a secret.
        is_signed: whether its messages carry a signature.
    """

    content: HookContent
    host: str
    is_signed: bool


class NotificationPolicy(_Kept):
    """A policy as it is."""

    content: PolicyContent


class ContactList(Received):
    """All contacts, by name."""

    contacts: list[Contact]


class RosterList(Received):
    """All rosters, by name."""

    rosters: list[Roster]


class HookList(Received):
    """All hooks, by name."""

    hooks: list[Hook]


class PolicyList(Received):
    """All policies, by name."""

    policies: list[NotificationPolicy]


class DeliveryState(StrEnum):
    """What became of a message to one recipient."""

    QUEUED = "queued"
    ATTEMPTED = "attempted"
    ACCEPTED = "accepted"
    FAILED = "failed"
    SKIPPED = "skipped"


class Delivery(Received):
    """One line of the ledger: an event of an alarm, on its way to one recipient by one channel.

    Attributes:
        event: what it tells: "raised", "cleared", "acknowledged" or "test".
        step: of the policy, from 1; 0 for a return, an acknowledgement or a test.
        recipient: a contact's or a hook's name.
        address: masked.
        reason: why it failed or was skipped, or why it was not accepted yet; "" otherwise.
        attempts: how often it was tried.
        message_id: of the message it went out with; several deliveries share one when they were gathered.
        accepted_at: when the other side took it over.
    """

    id: Identifier
    alarm_id: str
    rule_name: str
    device_name: str
    priority: Priority
    event: str
    policy: str
    step: int
    recipient: str
    channel: ChannelKind
    address: str
    state: DeliveryState
    reason: str
    attempts: int
    message_id: str
    created_at: datetime
    changed_at: datetime
    accepted_at: datetime | None = None


class DeliveryPage(Received):
    """Part of the ledger, newest first.

    Attributes:
        next_before: what to ask with for the page below; None at the end.
    """

    deliveries: list[Delivery]
    next_before: Identifier | None = None


class InboxMessage(Received):
    """A message inside the client.

    Attributes:
        seen_at: when its reader said so; None while it is new.
    """

    id: Identifier
    alarm_id: str
    event: str
    priority: Priority
    subject: str
    text: str
    created_at: datetime
    seen_at: datetime | None = None


class Inbox(Received):
    """The newest messages of the person asking, newest first."""

    messages: list[InboxMessage]


class SeenRequest(Sent):
    """These messages have been read."""

    model_config = example({"ids": ["01932f0c8e7a7c3fa1b2c3d4e5f60718"]})

    ids: Annotated[list[Identifier], Field(min_length=1, max_length=500)]


class TestMessage(Sent):
    """Send a test message now; the ledger says what becomes of it.

    Attributes:
        kind / name: a contact with a channel, or a hook.
    """

    model_config = example({"kind": "contact", "name": "01932f0c8e7a7c3fa1b2c3d4e5f60718", "channel": "email"})

    __test__ = False

    kind: Literal[TargetKind.CONTACT, TargetKind.HOOK]
    name: Identifier
    channel: ChannelKind = ChannelKind.EMAIL


class PreviewLine(Received):
    """One thing that would happen.

    Attributes:
        after_s: so long after the annunciation, unless it is acknowledged before.
        policy: the name of the policy that says so.
        recipient: who; "" where nobody can be found at present.
        channel: how.
        text: the whole of it in words, with the reason why it would not be sent where there is one.
        is_sent: whether it would be sent, as things are now.
    """

    after_s: float
    policy: str
    recipient: str
    channel: ChannelKind | None
    text: str
    is_sent: bool


class NotificationPreview(Received):
    """What would be sent for an alarm of a rule if it were raised now, and why.

    Attributes:
        summary: one sentence.
    """

    summary: str
    lines: list[PreviewLine]
