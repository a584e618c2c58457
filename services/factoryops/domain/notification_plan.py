"""Who is told at a step: policies, rosters and roles resolved into addressees, with the reasons why not.

Pure functions of what people decided (`Book`) and of the moment; the dispatcher and the preview share them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from factoryops.domain.alarms import Priority
from factoryops.domain.notifying import PERSONAL, Addressee, Book, ChannelKind, Step, Target, TargetKind, mask
from factoryops.domain.on_call import on_call
from factoryops.domain.time import from_us

QUIET: Final = "quiet hours"
NO_ADDRESS: Final = "no address for this channel"
SWITCHED_OFF: Final = "switched off"
NOBODY: Final = "nobody is on call"
NO_MEMBERS: Final = "no contact has an account of this role"
GONE: Final = "no longer there"
TOLD_ALREADY: Final = "told already by another policy"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One recipient of a step by one channel.

    Attributes:
        to: None when nobody could be found.
        source: what named them: a roster's or a role's name; "" when the step names them directly.
        obstacle: why they are not told; "" when they are.
    """

    to: Addressee | None
    source: str = ""
    obstacle: str = ""


def candidates(step: Step, book: Book, priority: Priority, moment_us: int) -> list[Candidate]:
    """Everybody a step tells at a moment, each once per channel."""
    found: dict[tuple[str, str], Candidate] = {}
    missing: list[Candidate] = []
    for target in step.to:
        for one in _of_target(target, book, priority, moment_us):
            if one.to is None:
                missing.append(one)
            else:
                found.setdefault((one.to.id, one.to.channel), one)
    return [*found.values(), *missing]


def _of_target(target: Target, book: Book, priority: Priority, moment_us: int) -> Iterator[Candidate]:
    if target.kind is TargetKind.HOOK:
        yield _hook(target.name, book)
        return
    contacts, source, obstacle = _people(target, book, moment_us)
    if not contacts:
        yield Candidate(None, source, obstacle)
    for identity in contacts:
        for channel in target.channels:
            yield _person(identity, channel, book, priority, moment_us, source)


def _people(target: Target, book: Book, moment_us: int) -> tuple[Sequence[str], str, str]:
    """Ids of contacts, what named them, and why there are none."""
    if target.kind is TargetKind.CONTACT:
        return [target.name], "", ""
    if target.kind is TargetKind.ROLE:
        members = [one for one, contact in book.contacts.items() if book.roles.get(contact.user) == target.name]
        return members, target.name, NO_MEMBERS
    roster = book.rosters.get(target.name)
    if roster is None:
        return [], "", GONE
    duty = on_call(roster, from_us(moment_us), book.timezone)
    return ([duty.contact] if duty.contact else []), roster.name, NOBODY


def again(identity: str, channel: ChannelKind, book: Book, priority: Priority, moment_us: int) -> Candidate:
    """Somebody, or a hook, that was told before, to be told once more by the same channel."""
    if channel in PERSONAL:
        return _person(identity, channel, book, priority, moment_us)
    return _hook(identity, book)


def _person(
    identity: str, channel: ChannelKind, book: Book, priority: Priority, moment_us: int, source: str = ""
) -> Candidate:
    contact = book.contacts.get(identity)
    if contact is None:
        return Candidate(None, source, GONE)
    address = contact.address(channel)
    user = contact.user if channel is ChannelKind.IN_APP else ""
    to = Addressee(identity, contact.name, channel, mask(address), user)
    is_urgent = priority is Priority.CRITICAL and contact.critical_breaks_quiet
    if not contact.is_enabled:
        obstacle = SWITCHED_OFF
    elif not address:
        obstacle = NO_ADDRESS
    elif not is_urgent and contact.is_quiet(moment_us, book.timezone):
        obstacle = QUIET
    else:
        obstacle = ""
    return Candidate(to, source, obstacle)


def _hook(identity: str, book: Book) -> Candidate:
    hook = book.hooks.get(identity)
    if hook is None:
        return Candidate(None, "", GONE)
    to = Addressee(identity, hook.name, hook.kind.channel, book.hosts.get(identity, ""))
    return Candidate(to, "", "" if hook.is_enabled else SWITCHED_OFF)
