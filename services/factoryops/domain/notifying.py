"""Who is told of an alarm, in which order and how: contacts, rosters, hooks and policies.

A policy says for which alarms it is and what happens step by step; everything here is a pure function of what people
decided and of the moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

import msgspec

from factoryops.domain.alarms import Priority
from factoryops.domain.calendar import holds_at
from factoryops.domain.errors import ConflictError
from factoryops.domain.identity import FactoryId
from factoryops.domain.schedules import Schedule, WeeklyWindow

_MOST_NAMED: Final = 3


class ChannelKind(StrEnum):
    """A way to reach somebody."""

    EMAIL = "email"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    IN_APP = "in_app"
    WEBHOOK = "webhook"
    CHAT = "chat"


PERSONAL: Final = (ChannelKind.EMAIL, ChannelKind.SMS, ChannelKind.WHATSAPP, ChannelKind.IN_APP)
"""Those by which a contact is reached; the others lead to a hook."""


class Language(StrEnum):
    """In which language somebody is written to."""

    ENGLISH = "en"
    GERMAN = "de"


class HookKind(StrEnum):
    """What waits at the other end of a hook's address."""

    WEBHOOK = "webhook"
    TEAMS = "teams"
    SLACK = "slack"

    @property
    def channel(self) -> ChannelKind:
        """The channel it is served by."""
        return ChannelKind.WEBHOOK if self is HookKind.WEBHOOK else ChannelKind.CHAT


class TargetKind(StrEnum):
    """How a step names whom it tells."""

    CONTACT = "contact"
    ROLE = "role"
    ROSTER = "roster"
    HOOK = "hook"


class Contact(msgspec.Struct, frozen=True):
    """Somebody who can be told.

    Attributes:
        phone: for SMS and WhatsApp, international: +4915112345678; "" for none.
        user: the account in-app messages are for, and whose role counts; "" for none.
        quiet: when only critical alarms reach this contact, on the factory's clock.
        most_per_hour: messages of one channel within an hour; critical alarms are sent beyond it. 0 for no bound.
    """

    name: str
    language: Language = Language.ENGLISH
    email: str = ""
    phone: str = ""
    user: str = ""
    quiet: tuple[WeeklyWindow, ...] = ()
    critical_breaks_quiet: bool = True
    most_per_hour: int = 30
    is_enabled: bool = True

    def is_quiet(self, moment_us: int, timezone: str) -> bool:
        """Whether the contact has quiet hours at a moment."""
        return bool(self.quiet) and holds_at(Schedule(weekly=self.quiet), {}, timezone, moment_us)

    def address(self, channel: ChannelKind) -> str:
        """Where a channel reaches the contact; "" when it does not."""
        return {
            ChannelKind.EMAIL: self.email,
            ChannelKind.SMS: self.phone,
            ChannelKind.WHATSAPP: self.phone,
            ChannelKind.IN_APP: self.user,
        }.get(channel, "")


class Override(msgspec.Struct, frozen=True):
    """Somebody stands in within [start, end)."""

    start: datetime
    end: datetime
    contact: str


class Roster(msgspec.Struct, frozen=True):
    """Who is on call: the members take turns of `turn_days` days, handed over at `handover` on the factory's clock.

    Attributes:
        members: ids of contacts, in turn; the first one's turn begins on `starts_on`.
        duty: when anybody is on call at all; empty for always.
        overrides: the last one that covers a moment wins over the turn.
    """

    name: str
    members: tuple[str, ...]
    starts_on: date
    handover: str = "08:00"
    turn_days: int = 7
    duty: tuple[WeeklyWindow, ...] = ()
    overrides: tuple[Override, ...] = ()


class Hook(msgspec.Struct, frozen=True):
    """A machine that is told: a webhook, or a chat's incoming hook. Its address and its key are kept apart."""

    name: str
    kind: HookKind
    language: Language = Language.ENGLISH
    is_enabled: bool = True


class Target(msgspec.Struct, frozen=True):
    """Whom a step tells.

    Attributes:
        name: the id of a contact, roster or hook, or a role's name.
        channels: by which a person is told; a hook has its own.
    """

    kind: TargetKind
    name: str
    channels: tuple[ChannelKind, ...] = (ChannelKind.EMAIL,)


class Step(msgspec.Struct, frozen=True):
    """What happens `after_s` after the annunciation unless somebody acknowledged it before."""

    to: tuple[Target, ...]
    after_s: float = 0.0


class Policy(msgspec.Struct, frozen=True):
    """For which alarms, and what happens step by step.

    Attributes:
        priorities / classes / areas: an alarm fits when each has its own in it, or is empty.
        is_only_named: it is used by the rules that name it and by no others.
        tells_service: alarms about FactoryOps itself fit too.
        gather_s: alarms that follow within this time go into one message.
        repeat_s: the last step is repeated so often while nobody acknowledges; 0 for never.
        most_repeats: how often at most.
        stops_on_return: an alarm that has returned is not escalated further.
        tells_return / tells_acknowledge: whoever was told of the alarm is told of this, too.
    """

    name: str
    steps: tuple[Step, ...]
    priorities: tuple[Priority, ...] = ()
    classes: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    is_only_named: bool = False
    tells_service: bool = False
    gather_s: float = 10.0
    repeat_s: float = 0.0
    most_repeats: int = 3
    stops_on_return: bool = True
    tells_return: bool = False
    tells_acknowledge: bool = False
    is_enabled: bool = True

    def due_s(self, step: int, repeats: int) -> float | None:
        """When a step, or a repetition of the last one, is due, in seconds from the annunciation; None for never.

        Args:
            step: 0 for the first; the number of steps for repetitions.
            repeats: how often the last step was repeated.
        """
        if step < len(self.steps):
            return self.steps[step].after_s
        if not self.repeat_s or repeats >= self.most_repeats or not self.steps:
            return None
        return self.steps[-1].after_s + self.repeat_s * (repeats + 1)

    def over_s(self, step: int, repeats: int) -> float:
        """When a chain that takes no further step ended, in seconds from its beginning: with its last or next one."""
        due_s = self.due_s(step, repeats)
        return self.steps[-1].after_s + self.repeat_s * repeats if due_s is None else due_s


class Told(msgspec.Struct, frozen=True):
    """What of an alarm decides who is told.

    Attributes:
        notify: ids of the policies its rule names.
        is_service: it is about FactoryOps itself.
    """

    priority: Priority
    area: str
    alarm_class: str = ""
    notify: tuple[str, ...] = ()
    is_service: bool = False


def fits(policy: Policy, told: Told) -> bool:
    """Whether an alarm's own properties bring it to a policy."""
    if policy.is_only_named or (told.is_service and not policy.tells_service):
        return False
    return (
        (not policy.priorities or told.priority in policy.priorities)
        and (not policy.classes or told.alarm_class in policy.classes)
        and (told.is_service or not policy.areas or told.area in policy.areas)
    )


def chosen(policies: Mapping[str, Policy], told: Told) -> list[str]:
    """Ids of the policies that an alarm follows: those its rule names, or those it fits."""
    in_use = {identity: policy for identity, policy in policies.items() if policy.is_enabled}
    if told.notify:
        return [identity for identity in told.notify if identity in in_use]
    return [identity for identity, policy in sorted(in_use.items()) if fits(policy, told)]


def refuse_named(policy_id: str, uses: Iterable[tuple[Sequence[str], str]]) -> None:
    """Raise ConflictError when rules name a policy that is to be taken away.

    Args:
        policy_id: of the policy.
        uses: of each rule in use the ids it names, and what it is called.
    """
    users = [name for named, name in uses if policy_id in named]
    if users:
        shown = ", ".join(users[:_MOST_NAMED]) + (" and others" if len(users) > _MOST_NAMED else "")
        raise ConflictError(f"The policy is named by the rules {shown}: change these rules first, then delete it.")


def mask(address: str) -> str:
    """An address as logs and ledgers show it: j…@example.com, +49…12; user names stay as they are."""
    name, at, domain = address.partition("@")
    if at:
        return f"{name[:1]}…@{domain}"
    if address.startswith("+"):
        return f"{address[:3]}…{address[-2:]}" if len(address) > 6 else "+…"
    return address


@dataclass(frozen=True, slots=True)
class Addressee:
    """One recipient by one channel.

    Attributes:
        id: of the contact or the hook.
        address: where; for a hook its host.
        user: whose inbox it lies in; "" but for in-app messages.
    """

    id: str
    name: str
    channel: ChannelKind
    address: str
    user: str = ""


@dataclass(frozen=True, slots=True)
class Book:
    """What people of one factory decided, by id.

    Attributes:
        hosts: of the hooks' addresses.
        roles: by the name of an active user.
    """

    factory_id: FactoryId
    timezone: str
    contacts: dict[str, Contact]
    rosters: dict[str, Roster]
    hooks: dict[str, Hook]
    hosts: dict[str, str]
    policies: dict[str, Policy]
    roles: dict[str, str]
