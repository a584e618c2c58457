"""A notification policy while a person edits it: its steps as one table of who is told when and how."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from factoryops.contracts import http
from factoryops.domain.notifying import ChannelKind, TargetKind
from factoryops_app.models.drafts import as_read, content_faults, seconds, typed_number
from factoryops_app.models.typed import parsed_s, span_text
from factoryops_app.models.wording import channel_name
from factoryops_resources.words import say

_ITS_OWN: Final = ""
"""The channel of a hook."""


@dataclass(frozen=True, slots=True)
class TellDraft:
    """One line of the table.

    Attributes:
        after: so long after the annunciation, as typed; "0" for at once.
        target: whom, as "kind:name".
        channel: how; "" for a hook, which has its own.
    """

    after: str
    target: str
    channel: str


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """What is filled in."""

    name: str = ""
    tells: tuple[TellDraft, ...] = ()
    priorities: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    is_only_named: bool = False
    tells_service: bool = False
    gather: str = "10 s"
    repeat: str = "0 s"
    most_repeats: str = "3"
    stops_on_return: bool = True
    tells_return: bool = False
    tells_acknowledge: bool = False
    is_enabled: bool = True
    identity: str | None = None
    version: int = 0
    held: http.PolicyContent | None = field(default=None, compare=False)

    @classmethod
    def of(cls, kept: http.NotificationPolicy) -> PolicyDraft:
        """The draft that changes a policy."""
        content = kept.content
        return cls(
            content.name, tuple(_lines(content.steps)), frozenset(str(int(one)) for one in content.priorities),
            frozenset(content.classes), frozenset(content.areas), content.is_only_named, content.tells_service,
            span_text(content.gather_s), span_text(content.repeat_s), str(content.most_repeats),
            content.stops_on_return, content.tells_return, content.tells_acknowledge, content.is_enabled,
            kept.id, kept.version, content,
        )  # fmt: skip

    def content(self) -> http.PolicyContent:
        """What is sent; raises ValidationError for a draft with errors."""
        return http.PolicyContent.model_validate(
            as_read(self.held)
            | {
                "name": self.name.strip(),
                "steps": _steps(self.tells),
                "priorities": sorted(int(one) for one in self.priorities),
                "classes": sorted(self.classes),
                "areas": sorted(self.areas),
                "is_only_named": self.is_only_named,
                "tells_service": self.tells_service,
                "gather_s": seconds(self.gather),
                "repeat_s": seconds(self.repeat),
                "most_repeats": typed_number(self.most_repeats),
                "stops_on_return": self.stops_on_return,
                "tells_return": self.tells_return,
                "tells_acknowledge": self.tells_acknowledge,
                "is_enabled": self.is_enabled,
            }
        )

    def errors(self) -> dict[str, str]:
        """What cannot be saved, by field."""
        sentences = {
            "name": say("Give it a name."),
            "steps": say("Say who is told: add a row."),
            "gather_s": say("Between 0 s and 10 min."),
            "repeat_s": say("0 s for never, else between 1 min and 24 h."),
            "most_repeats": say("A whole number from 0 to 100."),
        }
        found = {**content_faults(self.content, sentences), **self._line_faults()}
        repeat_s = parsed_s(self.repeat)
        if repeat_s is not None and 0 < repeat_s < 60:
            found["repeat_s"] = sentences["repeat_s"]
        return found

    def _line_faults(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for place, line in enumerate(self.tells):
            if parsed_s(line.after) is None:
                found[f"steps[{place}].after"] = say("Write a time as 10 min; 0 for at once.")
            if not line.target:
                found[f"steps[{place}].target"] = say("Choose whom to tell; contacts and rosters are made first.")
            elif not line.channel and not _is_hook(line.target):
                found[f"steps[{place}].channel"] = say("Choose how a person is told.")
        return found


def steps_words(content: http.PolicyContent, target_name: Callable[[str], str]) -> str:
    """Such as "at once Operators (e-mail, SMS); after 10 min Maintenance (SMS)"."""
    parts = []
    for step in content.steps:
        told = [_told_words(target, target_name(f"{target.kind.value}:{target.name}")) for target in step.to]
        when = say("after {span}", span=span_text(step.after_s)) if step.after_s else say("at once")
        parts.append(f"{when} {', '.join(told)}")
    return "; ".join(parts)


def _told_words(target: http.TargetContent, name: str) -> str:
    if target.kind is TargetKind.HOOK:
        return name
    return f"{name} ({', '.join(channel_name(channel) for channel in target.channels)})"


def _is_hook(target: str) -> bool:
    return target.partition(":")[0] == TargetKind.HOOK.value


def _lines(steps: Iterable[http.StepContent]) -> Iterable[TellDraft]:
    for step in steps:
        after = span_text(step.after_s)
        for target in step.to:
            key = f"{target.kind.value}:{target.name}"
            channels = [_ITS_OWN] if target.kind is TargetKind.HOOK else [one.value for one in target.channels]
            yield from (TellDraft(after, key, channel) for channel in channels)


def _steps(tells: Iterable[TellDraft]) -> list[dict[str, Any]]:
    """One step per moment, in order of time; what is told to one target by several channels is one target."""
    ordered = sorted(tells, key=lambda one: seconds(one.after))
    return [
        {"after_s": after_s, "to": _targets(lines)}
        for after_s, lines in groupby(ordered, lambda one: seconds(one.after))
    ]


def _targets(lines: Iterable[TellDraft]) -> list[dict[str, Any]]:
    channels: dict[str, list[str]] = {}
    for line in lines:
        chosen = channels.setdefault(line.target, [])
        if line.channel not in (_ITS_OWN, *chosen):
            chosen.append(line.channel)
    targets = []
    for key, chosen in channels.items():
        kind, _, name = key.partition(":")
        default = [ChannelKind.EMAIL.value] if kind == TargetKind.HOOK.value else chosen
        targets.append({"kind": kind, "name": name, "channels": default})
    return targets
