"""What hooks are sent, and how much of it they take."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable
from typing import Any, Final

import msgspec

from factoryops.notifications.channel import Outgoing

MOST_WEBHOOK_BYTES: Final = 250_000
"""Ours: receivers commonly take 256 kB."""
MOST_SLACK_CHARACTERS: Final = 36_000
"""Slack cuts texts off at 40,000 characters."""
MOST_TEAMS_BYTES: Final = 26_000
"""Teams refuses messages of about 28 KB, each character counted as UTF-16 has it: two bytes and more."""


def body_of(message: Outgoing) -> bytes:
    """The JSON of a message in the shape its receiver expects; pictures that have no room are left out."""
    while message.pictures and not fits(message):
        message = dataclasses.replace(message, pictures=message.pictures[:-1])
    return _encoded(message)


def _encoded(message: Outgoing) -> bytes:
    shapes = {"teams": _teams, "slack": _slack}
    return msgspec.json.encode(shapes.get(message.style, _webhook)(message))


def fits(message: Outgoing) -> bool:
    """Whether a message is as short as its receiver wants it."""
    body = _encoded(message)
    if message.style == "teams":
        return len(body.decode().encode("utf-16-le")) <= MOST_TEAMS_BYTES
    if message.style == "slack":
        return len(body.decode()) <= MOST_SLACK_CHARACTERS
    return len(body) <= MOST_WEBHOOK_BYTES


def fitted(make: Callable[[int | None], Outgoing]) -> Outgoing:
    """The message that tells of as many alarms as there is room for, the most urgent ones.

    Args:
        make: the message about so many alarms; about all, with everything that happened to them, for None.
    """
    message = make(None)
    room = len({one.alarm_id for one in message.deliveries})
    while not fits(message) and room:
        message, room = make(room), room // 2
    length = len(message.text)
    while not fits(message) and length > 1:
        length //= 2
        message = dataclasses.replace(message, text=f"{message.text[:length]}…")
    return message


def in_few_words(message: Outgoing) -> Outgoing:
    """The same message for a receiver that takes no longer one."""
    alarms = message.left_out + len({one.alarm_id for one in message.deliveries})
    return dataclasses.replace(message, text=message.spare, deliveries=(), pictures=(), left_out=alarms)


def _webhook(message: Outgoing) -> dict[str, Any]:
    alarms = [
        {"alarm_id": one.alarm_id, "annunciation": one.annunciation, "event": one.event}
        | msgspec.structs.asdict(one.facts)
        for one in message.deliveries
    ]
    told = {"id": message.id, "subject": message.subject, "text": message.text, "alarms": alarms}
    return told | {"left_out": message.left_out, "pictures": _pictures(message)}


def _pictures(message: Outgoing) -> list[dict[str, str]]:
    return [
        {"alarm_id": one.alarm_id, "shows": one.shows, "type": "image/png", "data": base64.b64encode(one.png).decode()}
        for one in message.pictures
    ]


def _slack(message: Outgoing) -> dict[str, Any]:
    return {"text": _escaped(f"{message.subject}\n{message.text}")}


def _teams(message: Outgoing) -> dict[str, Any]:
    runs = [{"type": "TextRun", "text": message.subject, "weight": "Bolder"}]
    runs += [{"type": "TextRun", "text": line} for line in message.text.splitlines()]
    # Blocks of runs, for others would read a device's name as links and emphasis.
    blocks = [{"type": "RichTextBlock", "inlines": [one]} for one in runs]
    schema = "http://adaptivecards.io/schemas/adaptive-card.json"
    card = {"$schema": schema, "type": "AdaptiveCard", "version": "1.4", "body": blocks}
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def _escaped(text: str) -> str:
    """The three characters by which a name could become a link, or call everybody in a channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
