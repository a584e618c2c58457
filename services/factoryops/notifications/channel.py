"""What every channel does: take a message over from us, or say why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from factoryops.database.notification_rows import Queued
from factoryops.domain.notifying import ChannelKind, Language


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG of the last hour before an alarm, and what it shows in words."""

    alarm_id: str
    shows: str
    png: bytes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to one recipient.

    Attributes:
        id: stable over every attempt, so that a message that was sent twice can be told.
        address: where to, unmasked; for a hook its sealed secrets, opened.
        signing_key: of a hook; "" for none.
        style: of a chat: "teams" or "slack"; "" otherwise.
        short: the text for SMS.
        timezone: the factory's.
        pictures: of the last hour, one of each of the most urgent alarms; by channels that can carry them.
        deliveries: what it tells; of a message that would be too long the newest of each alarm there is room for.
        spare: a text for a receiver that takes no longer one.
        left_out: how many alarms there was no room for.
    """

    id: str
    address: str
    language: Language
    subject: str
    text: str
    html: str
    short: str
    deliveries: Sequence[Queued]
    timezone: str = "UTC"
    pictures: Sequence[Picture] = ()
    signing_key: str = ""
    style: str = ""
    spare: str = ""
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt.

    Attributes:
        reason: one sentence; "" when it was accepted.
        is_permanent: trying again would not help this recipient.
        is_login_refused: the other side does not take our credentials: somebody must mend the settings.
        is_too_long: the other side takes shorter messages only.
    """

    reason: str = ""
    is_permanent: bool = False
    is_login_refused: bool = False
    is_too_long: bool = False

    @property
    def is_accepted(self) -> bool:
        """Whether the other side took it over."""
        return not self.reason


ACCEPTED = Outcome()


class Channel(Protocol):
    """A way to reach somebody. `send` answers within a minute at most, and raises nothing a network can cause."""

    @property
    def kind(self) -> ChannelKind:
        """Which one."""
        ...

    async def send(self, message: Outgoing) -> Outcome:
        """Hand a message over."""
        ...


class UnusableChannel:
    """A channel that cannot send anything as the settings are; each attempt comes to `outcome`."""

    def __init__(self, kind: ChannelKind, outcome: Outcome) -> None:
        self._kind = kind
        self._outcome = outcome

    @property
    def kind(self) -> ChannelKind:
        """Which one."""
        return self._kind

    async def send(self, message: Outgoing) -> Outcome:
        """Say that it cannot."""
        del message
        return self._outcome
