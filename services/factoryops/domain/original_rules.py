"""Rules of the product that this one replaces, as definitions; and what is different from then on.

Where its behaviour was a fault the import does what was meant: windows of time are on the factory's own clock and may
run across midnight, parameters that arrive in different messages meet (the newest value of each counts for its maximum
age), and an alarm that stays is one alarm instead of a new row after each cooldown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import msgspec

from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.checking import references
from factoryops.domain.conditions.original import UnreadableConditionError, read_condition
from factoryops.domain.conditions.tree import Condition
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.rule import LONGEST_TEXT, AlarmRecord, RuleDefinition, RuleMode, RuleScope
from factoryops.domain.schedules import ALWAYS, EVERY_DAY, Schedule, WeeklyWindow, minutes_of

LONGEST_NAME: Final = 200
_PRIORITIES: Final[Mapping[str, Priority]] = {one.name.lower(): one for one in Priority}


class Understood(msgspec.Struct, frozen=True):
    """What became of one rule.

    Attributes:
        definition: None when there is nothing to import; `notes` says why.
        notes: sentences about what is different from then on.
    """

    name: str
    definition: RuleDefinition | None
    notes: tuple[str, ...] = ()


class _CannotBeImportedError(Exception):
    """With the sentence that says why."""


def read_rule(rule: Mapping[str, Any], devices: Mapping[str, str]) -> Understood:
    """The definition of one rule.

    Args:
        rule: as its API answered it.
        devices: our device keys by its device ids (as text); an id that is not among them is taken as the key itself.
    """
    name = _shown_name(rule)
    notes: list[str] = []
    try:
        definition = RuleDefinition(
            name=name,
            condition=_condition(rule, notes),
            priority=_priority(rule, notes),
            scope=_scope(rule, devices),
            schedule=_schedule(rule, notes),
            mode=RuleMode.LIVE if rule.get("is_active", True) else RuleMode.OFF,
            record=AlarmRecord(cause=str(rule.get("description") or "")[:LONGEST_TEXT]),
        )
        definition.check()
    except _CannotBeImportedError as error:
        return Understood(name, None, (str(error),))
    except InvalidInputError as error:
        return Understood(name, None, (str(error),))
    return Understood(name, definition, (*notes, *_differences(rule)))


def _shown_name(rule: Mapping[str, Any]) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in str(rule.get("name") or ""))
    return plain.strip()[:LONGEST_NAME]


def _condition(rule: Mapping[str, Any], notes: list[str]) -> Condition:
    tree = rule.get("conditions", rule.get("condition"))
    try:
        found = read_condition(tree)
    except UnreadableConditionError as error:
        raise _CannotBeImportedError(f"The condition could never be true: {error}.") from error
    if found is None:
        raise _CannotBeImportedError(
            "The condition could never be true: every way to it leads over an empty group or an unknown operator."
        )
    if len(set(references(found))) > 1:
        notes.append(
            "Its parameters meet even when they arrive in different messages: the newest value of each counts for "
            "10 minutes."
        )
    return found


def _priority(rule: Mapping[str, Any], notes: list[str]) -> Priority:
    severity = str(rule.get("severity") or "medium").lower()
    if severity not in _PRIORITIES:
        notes.append(f"Its severity {severity!r} is unknown: the alarm has medium priority.")
    return _PRIORITIES.get(severity, Priority.MEDIUM)


def _scope(rule: Mapping[str, Any], devices: Mapping[str, str]) -> RuleScope:
    if rule.get("scope", "global") == "global":
        return RuleScope()
    named = rule.get("device_ids", rule.get("devices"))
    ids = named if isinstance(named, Sequence) and not isinstance(named, str) else ()
    keys = dict.fromkeys(devices.get(str(one), str(one)) for one in ids)
    if not keys:
        raise _CannotBeImportedError("It is for single devices and names none.")
    return RuleScope(devices=tuple(keys))


def _schedule(rule: Mapping[str, Any], notes: list[str]) -> Schedule:
    kind, config = rule.get("schedule_type") or "always", rule.get("schedule_config")
    if kind == "always":
        return ALWAYS
    made = _read_schedule(kind, config if isinstance(config, Mapping) else {})
    if made is None:
        notes.append("Its schedule cannot be read: the rule always holds, as it did.")
        return ALWAYS
    if made.first is not None and made.last is not None and made.first > made.last:
        raise _CannotBeImportedError("Its schedule ends before it begins, so that it never held.")
    notes.append("Its schedule is on the factory's own clock; it was on UTC.")
    notes += [note for window in made.weekly for note in _window_notes(window)]
    return made


def _read_schedule(kind: object, config: Mapping[str, Any]) -> Schedule | None:
    """None for what is malformed."""
    try:
        if kind == "time_window":
            days = tuple(int(day) for day in config.get("days") or EVERY_DAY)
            made = Schedule((WeeklyWindow(str(config["start_time"]), str(config["end_time"]), days),))
        elif kind == "date_range":
            first, last = (date.fromisoformat(str(config[name])) for name in ("start_date", "end_date"))
            return Schedule(first=first, last=last)
        else:
            return None
        made.check()
    except (KeyError, TypeError, ValueError, InvalidInputError):
        return None
    return made


def _window_notes(window: WeeklyWindow) -> Iterator[str]:
    start, end = minutes_of(window.start), minutes_of(window.end)
    if end < start:
        yield f"Its window from {window.start} to {window.end} runs across midnight; it never held before."
    if end == start:
        yield f"Its window from {window.start} to {window.end} is a whole day; it was a single moment before."


def _differences(rule: Mapping[str, Any]) -> Iterator[str]:
    if rule.get("cooldown_minutes", 15):
        yield "An alarm that stays is one alarm: its cooldown is not needed, and no row is repeated."
    if rule.get("notification_channels"):
        yield "Whom it tells follows from its priority: name notification policies in the rule for anything else."
