"""A rule as it is being filled in: its check, its sentence, and the content to be saved."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.limits import PlainLimit, plain_limit
from factoryops.domain.conditions.tree import Comparison, Condition
from factoryops.domain.rule import AlarmRecord, RuleMode, RuleScope
from factoryops_app.models.plant import PlantStore, device_title
from factoryops_resources.words import say

LONGEST_DELAY_S: Final = 86_400
_MOST_NAMES: Final = 3
_NO_LIMIT: Final = PlainLimit("", Comparison.ABOVE, 0.0)


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """The fields of the form, numbers still as typed.

    The form knows rules of one limit; of any other it shows the name and says that it cannot change the rest.

    Attributes:
        parameter_key: empty until one is chosen.
        device_keys: the chosen devices; empty for every device that has the parameter.
        is_for_all: whether it watches every device that has the parameter, future ones too.
        rule_id / version: of the rule being changed; None and 0 for a new one.
        held: what the rule holds now, None for a new one; what the form does not show stays as it is there.
    """

    name: str = ""
    parameter_key: str = ""
    is_for_all: bool = True
    device_keys: frozenset[str] = frozenset()
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
    held: http.RuleContent | None = None

    @classmethod
    def of(cls, rule: http.Rule) -> RuleDraft:
        """The form filled with a rule that exists."""
        content = rule.content
        limit = plain_limit(content.condition) or _NO_LIMIT
        return cls(
            name=content.name,
            parameter_key=limit.parameter_key,
            is_for_all=content.scope.is_whole_factory,
            device_keys=frozenset(content.scope.devices),
            comparison=limit.comparison,
            limit=plain(limit.limit),
            deadband=plain(limit.deadband),
            on_delay_s=plain(content.on_delay_s),
            off_delay_s=plain(content.off_delay_s),
            priority=content.priority,
            response=content.record.action,
            is_enabled=content.is_on,
            rule_id=rule.id,
            version=rule.version,
            held=content,
        )

    @property
    def is_more(self) -> bool:
        """Whether the rule is more than the form can show."""
        if self.held is None:
            return False
        return plain_limit(self.held.condition) is None or bool(self.held.scope.kinds or self.held.scope.areas)

    def errors(self) -> dict[str, str]:
        """The reason per field that cannot be used; empty when all is well."""
        if self.is_more:
            return {"name": say("This rule is more than one limit: it cannot be changed in this form.")}
        faults: dict[str, str] = {}
        if name := _name_fault(self.name.strip()):
            faults["name"] = name
        if not self.parameter_key:
            faults["parameter_key"] = say("Choose the parameter to watch.")
        if not self.is_for_all and not self.device_keys:
            faults["device_keys"] = say("Choose at least one device, or all of them.")
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
        limit = PlainLimit(self.parameter_key, self.comparison, _sure(self.limit), _sure(self.deadband))
        fields = {
            "name": self.name.strip(),
            "condition": self._condition(limit),
            "priority": self.priority,
            "scope": RuleScope(devices=() if self.is_for_all else tuple(sorted(self.device_keys))),
            "on_delay_s": _sure(self.on_delay_s),
            "off_delay_s": _sure(self.off_delay_s),
            "mode": self._mode(),
            "record": self._record(),
        }
        return http.RuleContent(**fields) if self.held is None else self.held.model_copy(update=fields)

    def _condition(self, limit: PlainLimit) -> Condition:
        held = None if self.held is None else self.held.condition
        return held if held is not None and plain_limit(held) == limit else limit.condition

    def _mode(self) -> RuleMode:
        held = RuleMode.LIVE if self.held is None else self.held.mode
        if not self.is_enabled:
            return RuleMode.OFF
        return RuleMode.LIVE if held is RuleMode.OFF else held

    def _record(self) -> AlarmRecord:
        held = AlarmRecord() if self.held is None else self.held.record
        return msgspec.structs.replace(held, action=self.response.strip())

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


def _name_fault(name: str) -> str:
    if not name:
        return say("Give the rule a name that says what is wrong when it alarms.")
    return say("At most 200 characters.") if len(name) > 200 else ""


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
        is_chosen = draft.is_for_all or not draft.device_keys or measured.device.key in draft.device_keys
        if measured.parameter.key == draft.parameter_key and is_chosen:
            return measured.parameter.unit, measured.title
    return "", draft.parameter_key or "…"


def _where(draft: RuleDraft, plant: PlantStore) -> str:
    if draft.is_for_all:
        return say("any device that has it")
    devices = [device for device in plant.devices if device.key in draft.device_keys]
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
