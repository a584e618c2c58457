"""In words: what would be sent for an alarm, to whom and why."""

from __future__ import annotations

from typing import Final

from factoryops.contracts.http.notifications import NotificationPreview, PreviewLine
from factoryops.domain.alarms import Priority
from factoryops.domain.notification_plan import Candidate, candidates
from factoryops.domain.notifying import Book, ChannelKind, Policy, Told, chosen

_WAYS: Final = {
    ChannelKind.EMAIL: "by e-mail",
    ChannelKind.SMS: "by SMS",
    ChannelKind.WHATSAPP: "by WhatsApp",
    ChannelKind.IN_APP: "in the client",
    ChannelKind.WEBHOOK: "as a webhook",
    ChannelKind.CHAT: "in the chat",
}
NOBODY_WANTED: Final = "Nobody is told of this alarm: no policy fits it."
NONE_IN_USE: Final = (
    "Nobody is told of this alarm: the policies that its rule names are no longer there, or are switched off."
)


def preview(book: Book, told: Told, moment_us: int) -> NotificationPreview:
    """What would be sent if an alarm like `told` were raised now."""
    followed = [book.policies[identity] for identity in chosen(book.policies, told)]
    lines = [line for policy in followed for line in _of_policy(policy, book, told.priority, moment_us)]
    lines.sort(key=lambda line: line.after_s)
    return NotificationPreview(summary=_summary(followed, lines, told), lines=lines)


def _of_policy(policy: Policy, book: Book, priority: Priority, moment_us: int) -> list[PreviewLine]:
    lines = [
        _line(policy, step.after_s, one) for step in policy.steps for one in candidates(step, book, priority, moment_us)
    ]
    if policy.repeat_s:
        after_s = policy.steps[-1].after_s + policy.repeat_s
        text = (
            f"Every {duration(policy.repeat_s)} after that the last step is repeated, {policy.most_repeats} times "
            "at most, until somebody acknowledges."
        )
        lines.append(PreviewLine(
            after_s=after_s, policy=policy.name, recipient="", channel=None, text=text, is_sent=True
        ))  # fmt: skip
    return lines


def _line(policy: Policy, after_s: float, one: Candidate) -> PreviewLine:
    when = "At once" if not after_s else f"After {duration(after_s)}, unless acknowledged before,"
    if one.to is None:
        text = f"{when} nobody is told ({_source(one)}{one.obstacle})."
    elif one.obstacle:
        text = f"{when} {one.to.name} would be told {_WAYS[one.to.channel]}, but is not: {one.obstacle}."
    else:
        place = f" ({one.to.address})" if one.to.address else ""
        because = f" (on call or by role: {one.source})" if one.source else ""
        text = f"{when} {one.to.name} is told {_WAYS[one.to.channel]}{place}{because}."
    return PreviewLine(
        after_s=after_s,
        policy=policy.name,
        recipient=one.to.name if one.to else "",
        channel=one.to.channel if one.to else None,
        text=text,
        is_sent=one.to is not None and not one.obstacle,
    )


def _source(one: Candidate) -> str:
    return f"{one.source}: " if one.source else ""


def _summary(followed: list[Policy], lines: list[PreviewLine], told: Told) -> str:
    if not followed:
        return NONE_IN_USE if told.notify else NOBODY_WANTED
    names = ", ".join(policy.name for policy in followed)
    why = "its rule names it" if told.notify else "its priority, class and area bring it there"
    if not any(line.is_sent and line.recipient for line in lines):
        return f"The alarm follows {names} ({why}), but as things are nobody would be told."
    first = next(line for line in lines if line.is_sent and line.recipient)
    reached = len({line.recipient for line in lines if line.is_sent and line.recipient})
    others = f" and {reached - 1} more" if reached > 1 else ""
    return f"The alarm follows {names} ({why}): {first.recipient}{others} would be told."


def duration(seconds: float) -> str:
    """A length of time in words."""
    if seconds < 120:
        return f"{seconds:g} s"
    if seconds < 7_200:
        return f"{seconds / 60:g} min"
    return f"{seconds / 3_600:g} h"
