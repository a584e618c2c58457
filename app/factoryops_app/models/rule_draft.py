"""A rule as it is being filled in: its check, its sentence, and the content to be saved."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from factoryops.contracts import http
from factoryops.domain.rules import Comparison, Priority
from factoryops_app.models.plant import PlantStore, device_title
from factoryops_resources.words import say

LONGEST_DELAY_S: Final = 86_400
_MOST_NAMES: Final = 3


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """The fields of the form, numbers still as typed.

    Attributes:
        parameter_key: empty until one is chosen.
        device_ids: the chosen devices; empty for every device that has the parameter.
        is_for_all: whether it watches every device that has the parameter, future ones too.
        rule_id / version: of the rule being changed; None and 0 for a new one.
    """

    name: str = ""
    parameter_key: str = ""
    is_for_all: bool = True
    device_ids: frozenset[str] = frozenset()
    comparison: Comparison = Comparison.ABOVE
    limit: str = ""
    deadband: str = "0"
    on_delay_s: str = "5"
    off_delay_s: str = "5"
    priority: Priority = Priority.MEDIUM
    response: str = ""
    is_enabled: bool = True
    rule_id: str | None = None
    version: int = 0

    @classmethod
    def of(cls, rule: http.Rule) -> RuleDraft:
        """The form filled with a rule that exists."""
        content = rule.content
        return cls(
            name=content.name,
            parameter_key=content.parameter_key,
            is_for_all=not content.device_ids,
            device_ids=frozenset(content.device_ids),
            comparison=content.comparison,
            limit=plain(content.limit),
            deadband=plain(content.deadband),
            on_delay_s=plain(content.on_delay_s),
            off_delay_s=plain(content.off_delay_s),
            priority=content.priority,
            response=content.response,
            is_enabled=content.is_enabled,
            rule_id=rule.id,
            version=rule.version,
        )

    def errors(self) -> dict[str, str]:
        """The reason per field that cannot be used; empty when all is well."""
        faults: dict[str, str] = {}
        if not self.name.strip():
            faults["name"] = say("Give the rule a name that says what is wrong when it alarms.")
        elif len(self.name.strip()) > 200:
            faults["name"] = say("At most 200 characters.")
        if not self.parameter_key:
            faults["parameter_key"] = say("Choose the parameter to watch.")
        if not self.is_for_all and not self.device_ids:
            faults["device_ids"] = say("Choose at least one device, or all of them.")
        if parsed(self.limit) is None:
            faults["limit"] = say("Enter the limit as a number.")
        deadband = parsed(self.deadband)
        if deadband is None or deadband < 0:
            faults["deadband"] = say("Enter zero or a positive number.")
        for key, text in (("on_delay_s", self.on_delay_s), ("off_delay_s", self.off_delay_s)):
            seconds = parsed(text)
            if seconds is None or not 0 <= seconds <= LONGEST_DELAY_S:
                faults[key] = say("Enter seconds from 0 to 86,400.")
        if len(self.response) > 4_000:
            faults["response"] = say("At most 4,000 characters.")
        return faults

    def content(self) -> http.RuleContent:
        """What is saved; only for a draft without errors."""
        return http.RuleContent(
            name=self.name.strip(),
            parameter_key=self.parameter_key,
            comparison=self.comparison,
            limit=_sure(self.limit),
            priority=self.priority,
            device_ids=[] if self.is_for_all else sorted(self.device_ids),
            deadband=_sure(self.deadband),
            on_delay_s=_sure(self.on_delay_s),
            off_delay_s=_sure(self.off_delay_s),
            is_enabled=self.is_enabled,
            response=self.response.strip(),
        )

    def with_(self, **changes: object) -> RuleDraft:
        """The draft with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # the form's field names are the draft's


def sentence(draft: RuleDraft, plant: PlantStore) -> str:
    """What the rule will do, in plain words; what is still missing appears as a gap."""
    unit, name = _parameter_words(draft, plant)
    limit = f"{draft.limit.strip() or '…'} {unit}".strip()
    parts = [
        say("When {what} of {where} {compared} {limit}", what=name, where=_where(draft, plant),
            compared=_compared(draft.comparison), limit=limit),
    ]  # fmt: skip
    if parsed(draft.on_delay_s):
        parts.append(say(" for {seconds} s", seconds=draft.on_delay_s.strip()))
    parts.append(say(", raise a {priority} alarm", priority=_priority_word(draft.priority)))
    parts.append(_return_words(draft, unit))
    text = "".join(parts) + "."
    return text if draft.is_enabled else say("Switched off: {sentence}", sentence=text)


def _return_words(draft: RuleDraft, unit: str) -> str:
    limit, deadband = parsed(draft.limit), parsed(draft.deadband) or 0.0
    if limit is None:
        return ""
    sign = -1 if draft.comparison.is_high else 1
    back = f"{plain(limit + sign * deadband)} {unit}".strip()
    words = (
        say("; it returns to normal below {back}", back=back)
        if draft.comparison.is_high
        else say("; it returns to normal above {back}", back=back)
    )
    if parsed(draft.off_delay_s):
        words += say(" for {seconds} s", seconds=draft.off_delay_s.strip())
    return words


def _compared(comparison: Comparison) -> str:
    words = {
        Comparison.ABOVE: say("rises above"),
        Comparison.AT_OR_ABOVE: say("reaches or exceeds"),
        Comparison.BELOW: say("falls below"),
        Comparison.AT_OR_BELOW: say("falls to or below"),
    }
    return words[comparison]


def _priority_word(priority: Priority) -> str:
    words = {
        Priority.CRITICAL: say("critical"),
        Priority.HIGH: say("high"),
        Priority.MEDIUM: say("medium"),
        Priority.LOW: say("low"),
    }
    return words[priority]


def _parameter_words(draft: RuleDraft, plant: PlantStore) -> tuple[str, str]:
    """Unit and name of the chosen parameter."""
    for measured in plant.parameters:
        is_chosen = draft.is_for_all or not draft.device_ids or measured.device.id in draft.device_ids
        if measured.parameter.key == draft.parameter_key and is_chosen:
            return measured.parameter.unit, measured.title
    return "", draft.parameter_key or "…"


def _where(draft: RuleDraft, plant: PlantStore) -> str:
    if draft.is_for_all:
        return say("any device that has it")
    devices = [device for device in plant.devices if device.id in draft.device_ids]
    names = [device_title(device) for device in devices[:_MOST_NAMES]]
    if len(devices) > _MOST_NAMES:
        names.append(say("{count} more", count=len(devices) - _MOST_NAMES))
    return ", ".join(names) or "…"


def parsed(text: str) -> float | None:
    """A number as typed, with a point or a comma; None when it is none."""
    tidy = text.strip().replace("\N{MINUS SIGN}", "-").replace(" ", "")
    if "," in tidy and "." not in tidy:
        tidy = tidy.replace(",", ".")
    try:
        value = float(tidy)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def plain(value: float) -> str:
    """A number as one would type it."""
    return f"{value:.10g}"


def _sure(text: str) -> float:
    value = parsed(text)
    if value is None:
        raise ValueError("a draft with errors has no content")
    return value
