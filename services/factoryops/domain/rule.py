"""A rule: when an alarm is raised, for which devices, and what the operator is to know and do about it."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import date
from enum import StrEnum
from typing import Final

import msgspec

from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.checking import check as check_condition
from factoryops.domain.conditions.checking import is_about_own_device, own_parameters
from factoryops.domain.conditions.limits import plain_limit
from factoryops.domain.conditions.tree import Condition, Outside, walk
from factoryops.domain.errors import ConflictError, InvalidInputError
from factoryops.domain.identity import FactoryId, RuleId
from factoryops.domain.plant import is_key
from factoryops.domain.schedules import ALWAYS, Schedule

LONGEST_DELAY_S: Final = 86_400.0
MOST_SCOPE: Final = 10_000
MOST_EVALUATIONS: Final = 20_000
"""Of all rules of a factory that are more than a limit: once for each device, twice where the alarm is suppressed."""
LONGEST_TEXT: Final = 4_000


class RuleMode(StrEnum):
    """What a rule does with what it finds."""

    LIVE = "live"
    SHADOW = "shadow"
    """It is evaluated and recorded as a live rule is, and tells nobody."""
    OFF = "off"


class RuleScope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The devices a rule is evaluated for: any that one of its parts names.

    Without any part it is every device of the factory that has what the condition looks at, future ones too; kinds
    and areas include future devices as well.
    """

    devices: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()

    @property
    def is_whole_factory(self) -> bool:
        """Whether every device is meant."""
        return not (self.devices or self.kinds or self.areas)

    def covers(self, key: str, kind: str, area: str) -> bool:
        """Whether a device of this key and kind, in this area, is meant."""
        return self.is_whole_factory or key in self.devices or kind in self.kinds or area in self.areas


class AlarmRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Why the alarm exists and what is to be done: the rationalisation, which is also the response sheet.

    Attributes:
        cause: what may have led to it.
        consequence: what happens when nobody does anything.
        action: what the operator is to do.
        severity: of the consequence, one of the site's words in the priority matrix; "" when not rationalised.
        time_to_respond_s: after which it is too late; 0 when not stated.
        owner: who answers for this alarm.
        review_on: when it is to be looked at again.
    """

    cause: str = ""
    consequence: str = ""
    action: str = ""
    severity: str = ""
    time_to_respond_s: float = 0.0
    owner: str = ""
    review_on: date | None = None


class RuleDefinition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a person decides about a rule; stored whole as JSON with each version.

    The condition raises after `on_delay_s` of being true and clears after `off_delay_s` of being false, counted on the
    samples' own time. Outside `schedule` it counts as false.

    Attributes:
        is_latching: an alarm that has returned stays until somebody resets it.
        re_alarm_s: an acknowledged alarm that is still active is announced again after this time; 0 for never.
        alarm_class: id of its class, "" for the factory's default one.
        suppress_while: while this is true the alarm is suppressed by design.
        parent_rule: id of the rule whose alarm this one usually follows, "" for none; a flood folds it under that one.
        notify: ids of the notification policies it uses; empty for those its priority brings.
    """

    name: str
    condition: Condition
    priority: Priority
    scope: RuleScope = RuleScope()
    schedule: Schedule = ALWAYS
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    mode: RuleMode = RuleMode.LIVE
    is_latching: bool = False
    re_alarm_s: float = 0.0
    alarm_class: str = ""
    suppress_while: Condition | None = None
    parent_rule: str = ""
    record: AlarmRecord = AlarmRecord()
    notify: tuple[str, ...] = ()

    @property
    def is_on(self) -> bool:
        """Whether it is evaluated at all."""
        return self.mode is not RuleMode.OFF

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All that is evaluated."""
        return (self.condition,) if self.suppress_while is None else (self.condition, self.suppress_while)

    @property
    def evaluations(self) -> int:
        """What it takes of `MOST_EVALUATIONS` for each device; 0 for a plain limit, which is judged on each sample."""
        if not self.is_on:
            return 0
        is_limit = plain_limit(self.condition) is not None and self.schedule.is_always and self.suppress_while is None
        return 0 if is_limit else len(self.conditions)

    @property
    def shifts(self) -> frozenset[str]:
        """The ids of the factory's shifts that it depends on."""
        outside = (node for one in self.conditions for node in walk(one) if isinstance(node, Outside))
        return frozenset(self.schedule.shifts).union(*(node.schedule.shifts for node in outside))

    def check_is_live(self) -> None:
        """Raise ConflictError unless it can raise alarms that somebody is told of."""
        if self.mode is not RuleMode.LIVE:
            raise ConflictError(
                f"The rule {self.name} is off or only being tried, so that it has no alarms to put aside: switch it on "
                "first."
            )

    def needs_of(self, device_key: str) -> frozenset[str]:
        """The parameters a device must have for the rule to be evaluated on it.

        A device that the scope names itself need not have sent anything: that it is silent may be just what is asked.
        """
        return frozenset() if device_key in self.scope.devices else own_parameters(self.condition)

    def is_about(self, device_key: str, kind: str, area: str, parameters: Collection[str]) -> bool:
        """Whether it is evaluated on that device, which has `parameters`."""
        return self.scope.covers(device_key, kind, area) and self.needs_of(device_key) <= frozenset(parameters)

    def check_is_about(self, device_key: str, kind: str, area: str, parameters: Collection[str]) -> None:
        """Raise InvalidInputError when it is not evaluated on that device, which has `parameters`."""
        if not self.is_about(device_key, kind, area, parameters):
            raise InvalidInputError(
                f"The rule {self.name} is not evaluated on the device {device_key}: choose another device, or change "
                "which devices the rule is for.",
                fields={"device_ids": "not of this rule"},
            )

    def check(self) -> None:
        """Raise InvalidInputError naming each field that cannot be used."""
        faults: dict[str, str] = {}
        if not self.name.strip():
            faults["name"] = "give the rule a name"
        for field in ("on_delay_s", "off_delay_s", "re_alarm_s"):
            number = getattr(self, field)
            if not math.isfinite(number) or not 0 <= number <= LONGEST_DELAY_S:
                faults[field] = "must be from 0 to 86,400 s"
        faults |= _faults_of_scope(self.scope) | _faults_of_record(self.record)
        if faults:
            raise InvalidInputError("The rule cannot be saved: " + "; ".join(faults.values()) + ".", fields=faults)
        check_condition(self.condition)
        self.schedule.check()
        if self.suppress_while is not None:
            check_condition(self.suppress_while)
        if self.scope.is_whole_factory and not is_about_own_device(self.condition):
            raise InvalidInputError(
                "The condition looks at named devices only: say in the scope on which device the alarm is raised.",
                fields={"scope": "choose a device"},
            )


def _faults_of_scope(scope: RuleScope) -> dict[str, str]:
    named = (*scope.devices, *scope.kinds, *scope.areas)
    if len(named) > MOST_SCOPE:
        return {"scope": f"at most {MOST_SCOPE:,} devices, kinds and areas can be named"}
    return {} if all(is_key(name) for name in named) else {"scope": "names have 1 to 100 printable characters"}


def _faults_of_record(record: AlarmRecord) -> dict[str, str]:
    texts = (record.cause, record.consequence, record.action, record.severity, record.owner)
    if any(len(text) > LONGEST_TEXT for text in texts):
        return {"record": f"a text has at most {LONGEST_TEXT:,} characters"}
    if not all(letter.isprintable() or letter in "\n\r\t" for text in texts for letter in text):
        return {"record": "a text holds characters that cannot be shown"}
    is_time = math.isfinite(record.time_to_respond_s) and record.time_to_respond_s >= 0
    return {} if is_time else {"record": "the time to respond must be zero or more"}


class Rule(msgspec.Struct, frozen=True):
    """One version of a rule.

    Attributes:
        version: grows by one with each change.
    """

    id: RuleId
    factory_id: FactoryId
    version: int
    definition: RuleDefinition


class RuleInForce(msgspec.Struct, frozen=True):
    """A rule as the engine evaluates it: everything that lies in the database is resolved.

    Attributes:
        devices: keys of the devices it is evaluated for; None for every device that has what it looks at.
        timezone: the factory's zone (IANA name), in which schedules are meant.
        shifts: of the schedules it uses, windows by shift id.
        changed_us: when this version was saved; where a factory has too many rules the newest are stopped.
    """

    rule: Rule
    devices: frozenset[str] | None
    timezone: str
    shifts: dict[str, Schedule] = {}
    changed_us: int = 0
