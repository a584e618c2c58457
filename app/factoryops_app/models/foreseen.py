"""Alarms that somebody foresees: those a device can raise, whether they ever were or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from factoryops.contracts import http
from factoryops.domain.alarm_classes import AlarmClass, AlarmPhilosophy
from factoryops.domain.alarms import AlarmState
from factoryops.domain.rule import RuleMode
from factoryops_app.models.typed import span_text
from factoryops_app.models.wording import alarm_state_name
from factoryops_resources.words import say


@dataclass(frozen=True, slots=True)
class ForeseenAlarm:
    """One alarm that a device can raise.

    Attributes:
        alarm: as it is now; None where nothing is known of it, because it is normal.
    """

    rule: http.Rule
    of_class: AlarmClass
    alarm: http.Alarm | None

    @property
    def state_words(self) -> str:
        """What it is now."""
        return alarm_state_name(AlarmState.NORMAL if self.alarm is None else self.alarm.state)

    @property
    def shelving_words(self) -> str:
        """For how long its class lets it be shelved."""
        if not self.of_class.may_be_shelved:
            return say("not at all")
        return say("up to {span}", span=span_text(self.of_class.longest_shelving_s))


def foreseen(
    rules: Iterable[http.Rule], device: http.Device, philosophy: AlarmPhilosophy, known: Mapping[str, http.Alarm]
) -> list[ForeseenAlarm]:
    """The alarms that live rules can raise on a device, the most urgent first; `known` are its alarms by rule id."""
    parameters = {one.key for one in device.parameters}
    about = [
        rule
        for rule in rules
        if rule.content.mode is RuleMode.LIVE
        and rule.content.definition().is_about(device.key, device.kind, device.area, parameters)
    ]
    about.sort(key=lambda rule: (rule.content.priority, rule.content.name.casefold()))
    return [ForeseenAlarm(one, philosophy.class_of(one.content.alarm_class), known.get(one.id)) for one in about]


def why_not_shelved(chosen: Iterable[ForeseenAlarm]) -> str:
    """Why these cannot be shelved; "" when they can."""
    named = dict.fromkeys(one.of_class.name for one in chosen if not one.of_class.may_be_shelved)
    if not named:
        return ""
    return say("Alarms of the class {names} may not be shelved; take them out of service.", names=", ".join(named))
