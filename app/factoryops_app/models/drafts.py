"""What drafts of everything that is set up have in common: faults by field, as the contract finds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from factoryops_app.models.schedule_draft import ScheduleDraft, WindowDraft, days_text, parsed_days
from factoryops_app.models.typed import parsed, parsed_s
from factoryops_resources.words import say

NOT_A_NUMBER = -1.0
"""Sent in place of what is no number: no field takes it."""


class SetUpDraft(Protocol):
    """A draft of something that is kept with versions."""

    @property
    def identity(self) -> str | None:
        """The id of what is changed; None for something new."""
        ...

    @property
    def version(self) -> int:
        """The one the change is made from; 0 for something new."""
        ...

    def errors(self) -> dict[str, str]:
        """What cannot be saved, by field."""
        ...


class Window(Protocol):
    """A span of the day on some weekdays, whichever body holds it."""

    @property
    def days(self) -> Sequence[int]:
        """From 1, Monday."""
        ...

    @property
    def start(self) -> str:
        """Such as 06:00."""
        ...

    @property
    def end(self) -> str:
        """At or before the start: on the next day."""
        ...


def content_faults(build: Callable[[], BaseModel], sentences: Mapping[str, str]) -> dict[str, str]:
    """Why what is filled in cannot be sent, by field; `sentences` say what each field wants."""
    try:
        build()
    except ValidationError as error:
        fields = dict.fromkeys(str(one["loc"][0]) if one["loc"] else "" for one in error.errors())
        return {field: sentences.get(field, say("This cannot be used.")) for field in fields}
    return {}


def as_read(held: BaseModel | None) -> dict[str, Any]:
    """What is kept, so that what a form does not show is sent as it was; nothing for something new."""
    return held.model_dump() if held is not None else {}


def window_drafts(windows: Sequence[Window]) -> tuple[WindowDraft, ...]:
    """Windows as one would type them."""
    return tuple(WindowDraft(days_text(one.days), one.start, one.end) for one in windows)


def window_bodies(windows: Sequence[WindowDraft]) -> list[dict[str, Any]]:
    """What is sent of windows; one that cannot be used makes a body that is refused."""
    return [{"days": [*parsed_days(one.days)], "start": one.start, "end": one.end} for one in windows]


def window_faults(windows: tuple[WindowDraft, ...], field: str) -> dict[str, str]:
    """What cannot be used, by "field[0].start" and the like."""
    faults = ScheduleDraft(windows).errors()
    return {key.replace("windows", field, 1): text for key, text in faults.items() if key.startswith("windows")}


def typed_number(text: str) -> float:
    """A number as typed; one that no field takes when it is none."""
    number = parsed(text)
    return NOT_A_NUMBER if number is None else number


def seconds(text: str) -> float:
    """A length of time as typed, in seconds; one that no field takes when it is none."""
    length_s = parsed_s(text)
    return NOT_A_NUMBER if length_s is None else length_s
