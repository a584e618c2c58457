"""What two versions of a rule have different, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from enum import Enum
from typing import Any, Final, get_args

import msgspec

from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Condition, Operand
from factoryops.domain.conditions.words import condition_words, operand_words, schedule_words
from factoryops.domain.rule import RuleDefinition
from factoryops.domain.schedules import Schedule

NOTHING: Final = "–"
"""Stands for what one of the versions does not have."""

_CONDITIONS: Final = get_args(Condition)
_OPERANDS: Final = get_args(Operand)
_LABELS: Final[Mapping[str, str]] = {
    "on_delay_s": "on-delay (s)",
    "off_delay_s": "off-delay (s)",
    "is_latching": "latching",
    "re_alarm_s": "re-alarm (s)",
    "alarm_class": "class",
    "suppress_while": "suppressed while",
    "parent_rule": "parent rule",
    "notify": "notification policies",
    "time_to_respond_s": "time to respond (s)",
    "review_on": "review on",
    "maximum_age_s": "maximum age (s)",
    "for_s": "for (s)",
    "window_s": "window (s)",
    "at_least": "at least",
    "right": "limit",
    "left": "value",
    "of": "part",
}


class RuleChange(msgspec.Struct, frozen=True):
    """One thing that is different.

    Attributes:
        path: where, such as "condition / part 2 / limit".
        old / new: in words; "–" for what is not there.
    """

    path: str
    old: str
    new: str


def differences(old: RuleDefinition, new: RuleDefinition) -> list[RuleChange]:
    """What `new` has different from `old`, in the order of the definition's fields."""
    return [*_compared((), old, new)]


def _compared(path: tuple[str, ...], old: Any, new: Any) -> Iterator[RuleChange]:
    if old == new:
        return
    if isinstance(old, (*_OPERANDS, Schedule)) or type(old) is not type(new):
        yield _change(path, old, new)
    elif isinstance(old, msgspec.Struct):
        for field in old.__struct_fields__:
            label = _LABELS.get(field, field)
            yield from _compared((*path, label), getattr(old, field), getattr(new, field))
    elif isinstance(old, tuple) and any(isinstance(one, _CONDITIONS) for one in old + new):
        yield from _parts(path[:-1], old, new)
    else:
        yield _change(path, old, new)


def _parts(path: tuple[str, ...], old: Sequence[Any], new: Sequence[Any]) -> Iterator[RuleChange]:
    """Parts of a group; one that was put between others does not make those behind it different."""
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for kind, first, last, new_first, new_last in steps:
        if kind == "equal":
            continue
        both = min(last - first, new_last - new_first)
        for at in range(both):
            yield from _compared((*path, f"part {new_first + at + 1}"), old[first + at], new[new_first + at])
        for at in range(first + both, last):
            yield _change((*path, f"part {at + 1} of before"), old[at], None)
        for at in range(new_first + both, new_last):
            yield _change((*path, f"part {at + 1}"), None, new[at])


def _change(path: tuple[str, ...], old: object, new: object) -> RuleChange:
    return RuleChange(" / ".join(path), _word(old), _word(new))


def _word(value: Any) -> str:
    if value is None or value in ("", ()):
        return NOTHING
    if isinstance(value, _CONDITIONS):
        return condition_words(value)
    if isinstance(value, _OPERANDS):
        return operand_words(value)
    if isinstance(value, Schedule):
        return schedule_words(value)
    return _plain_word(value)


def _plain_word(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case Priority():
            return value.name.lower()
        case Enum():
            return str(value.value)
        case int() | float():
            return f"{value:.12g}"
        case tuple():
            return ", ".join(_word(one) for one in value)
        case _:
            return str(value)
