"""A site's alarm philosophy: classes of alarms and how each is handled, how priorities are found, what figures mean.

A rule names its class; one that names none, or one that is gone, is of the first class. The priority of a rationalised
alarm follows from how bad its consequence is and how long there is to act (the matrix of EEMUA 191 and ISA-18.2).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from factoryops.domain.alarms import Priority
from factoryops.domain.errors import ConflictError, InvalidInputError
from factoryops.domain.performance.thresholds import DEFAULT, Thresholds
from factoryops.domain.time import US_PER_S

LONGEST_SHELVING_S: Final = 7 * 86_400.0
LONGEST_RE_ALARM_S: Final = 86_400.0
MOST_CLASSES: Final = 50
MOST_WORDS: Final = 10
_MOST_NAMED: Final = 5
_NOT_THEN: Final = {"until": "choose another end"}


class AlarmClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How alarms of one class are handled.

    Attributes:
        needs_comment: whoever acknowledges must say something.
        longest_shelving_s: how long an alarm may be shelved at most, one-shot too.
        re_alarm_s / is_latching: proposed for new rules of this class.
        is_counted: whether its annunciations count in the performance figures and in floods.
    """

    id: str
    name: str
    needs_comment: bool = False
    may_be_shelved: bool = True
    longest_shelving_s: float = 28_800.0
    re_alarm_s: float = 0.0
    is_latching: bool = False
    is_counted: bool = True

    def check_comment(self, said: str | None) -> None:
        """Raise InvalidInputError when whoever acknowledges must say something and did not."""
        if self.needs_comment and not (said or "").strip():
            raise InvalidInputError(
                f"Alarms of the class {self.name} are acknowledged with a comment: say what you found or did.",
                fields={"comment": "is asked for"},
            )

    def shelf_end_us(self, now_us: int, wanted_us: int | None) -> int:
        """Until when an alarm of this class is shelved, where a person wants it until `wanted_us`.

        Raises:
            InvalidInputError: the class does not permit it, or not for so long.
        """
        if not self.may_be_shelved:
            raise InvalidInputError(
                f"Alarms of the class {self.name} may not be shelved.", fields={"alarm_ids": "may not be shelved"}
            )
        latest_us = now_us + int(self.longest_shelving_s * US_PER_S)
        if wanted_us is None:
            return latest_us
        if wanted_us <= now_us:
            raise InvalidInputError("The end of shelving has passed already: choose a later one.", fields=_NOT_THEN)
        if wanted_us > latest_us:
            hours = f"{self.longest_shelving_s / 3_600:.3g}"
            raise InvalidInputError(
                f"Alarms of the class {self.name} may be shelved for {hours} h at most: choose an earlier end.",
                fields=_NOT_THEN,
            )
        return wanted_us


class PriorityMatrix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Severity of the consequence × time to respond -> priority.

    Attributes:
        severities: the site's words, mildest first.
        response_times_s: upper bounds, ascending; a longer time has a column of its own behind them.
        priorities: one row per severity, one column per bound and one for longer times.
    """

    severities: tuple[str, ...]
    response_times_s: tuple[float, ...]
    priorities: tuple[tuple[Priority, ...], ...]

    def proposed(self, severity: str, time_to_respond_s: float) -> Priority | None:
        """The priority; None where the severity or the time (0) is not stated."""
        if severity not in self.severities or not time_to_respond_s > 0:
            return None
        column = sum(bound < time_to_respond_s for bound in self.response_times_s)
        return self.priorities[self.severities.index(severity)][column]


class AlarmPhilosophy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it; the first class is the one of rules that name none, `thresholds` are those of the alarm figures."""

    classes: tuple[AlarmClass, ...]
    matrix: PriorityMatrix
    thresholds: Thresholds = DEFAULT

    def class_of(self, class_id: str) -> AlarmClass:
        """The class of that id, else the first."""
        return next((one for one in self.classes if one.id == class_id), self.classes[0])

    def is_counted(self, class_id: str) -> bool:
        """Whether annunciations of alarms of that class count in figures."""
        return self.class_of(class_id).is_counted

    def check_class(self, class_id: str) -> None:
        """Raise InvalidInputError where a rule names a class that is not there; "" is the first one."""
        if class_id and all(one.id != class_id for one in self.classes):
            raise InvalidInputError(
                f"There is no alarm class {class_id!r} in this factory: choose one of "
                f"{_enumerated([one.name for one in self.classes])}, or add it to the alarm philosophy first.",
                fields={"alarm_class": f"there is no class {class_id!r}"},
            )

    def check_removal(self, after: AlarmPhilosophy, uses: Iterable[tuple[str, str]]) -> None:
        """Raise ConflictError when `after` lacks a class that rules name.

        Args:
            after: what is to be put in place of this.
            uses: of each rule in use, the id of its class and its name.
        """
        kept = {one.id for one in after.classes}
        gone = {one.id: one.name for one in self.classes if one.id not in kept}
        used: dict[str, list[str]] = {}
        for class_id, rule_name in uses:
            if class_id in gone:
                used.setdefault(class_id, []).append(rule_name)
        if used:
            class_id, names = next(iter(used.items()))
            raise ConflictError(
                f"The class {gone[class_id]} cannot be removed: rules are of it ({_enumerated(names)}). Give them "
                "another class first."
            )

    def check(self) -> None:
        """Raise InvalidInputError naming each field that cannot be used."""
        faults = {**_class_faults(self.classes), **_matrix_faults(self.matrix)}
        faults |= {f"thresholds.{name}": fault for name, fault in self.thresholds.faults().items()}
        if faults:
            field, fault = next(iter(faults.items()))
            raise InvalidInputError(f"The alarm philosophy cannot be used: {field} {fault}.", fields=faults)


def _enumerated(names: Sequence[str]) -> str:
    named, more = names[:_MOST_NAMED], len(names) - _MOST_NAMED
    return ", ".join(named) + (f" and {more:,} more" if more > 0 else "")


def _class_faults(classes: tuple[AlarmClass, ...]) -> dict[str, str]:
    if not 1 <= len(classes) <= MOST_CLASSES:
        return {"classes": f"must be 1 to {MOST_CLASSES}"}
    faults: dict[str, str] = {}
    for place, one in enumerate(classes):
        before = classes[:place]
        if not one.id or any(one.id == other.id for other in before):
            faults[f"classes.{place}.id"] = "must be there and differ from the others"
        if not one.name.strip() or any(one.name.strip() == other.name.strip() for other in before):
            faults[f"classes.{place}.name"] = "must be there and differ from the others"
        if one.may_be_shelved and not 60 <= one.longest_shelving_s <= LONGEST_SHELVING_S:
            faults[f"classes.{place}.longest_shelving_s"] = "must be from 1 minute to 7 days"
        if not 0 <= one.re_alarm_s <= LONGEST_RE_ALARM_S:
            faults[f"classes.{place}.re_alarm_s"] = "must be from 0 to 86,400 s"
    return faults


def _matrix_faults(matrix: PriorityMatrix) -> dict[str, str]:
    faults: dict[str, str] = {}
    words = [word.strip() for word in matrix.severities]
    if not 1 <= len(words) <= MOST_WORDS or not all(words) or len(set(words)) < len(words):
        faults["matrix.severities"] = f"must be 1 to {MOST_WORDS} different words"
    bounds = matrix.response_times_s
    is_ascending = all(one < other for one, other in pairwise(bounds))
    if len(bounds) > MOST_WORDS or not is_ascending or not all(0 < one < math.inf for one in bounds):
        faults["matrix.response_times_s"] = "must be ascending times"
    if [len(row) for row in matrix.priorities] != [len(bounds) + 1] * len(matrix.severities):
        faults["matrix.priorities"] = "must have one row per severity and one column per time, one more for longer"
    return faults


_CRITICAL, _HIGH, _MEDIUM, _LOW = Priority

DEFAULT_PHILOSOPHY: Final = AlarmPhilosophy(
    classes=(
        AlarmClass("process", "Process"),
        AlarmClass("safety", "Safety", needs_comment=True, may_be_shelved=False, re_alarm_s=1_800.0, is_latching=True),
        AlarmClass("quality", "Quality", longest_shelving_s=14_400.0),
        AlarmClass("maintenance", "Maintenance", longest_shelving_s=86_400.0),
    ),
    matrix=PriorityMatrix(
        severities=("minor", "major", "severe"),
        response_times_s=(300.0, 900.0, 1_800.0),
        priorities=(
            (_MEDIUM, _LOW, _LOW, _LOW),
            (_HIGH, _MEDIUM, _MEDIUM, _LOW),
            (_CRITICAL, _HIGH, _MEDIUM, _MEDIUM),
        ),
    ),
)
"""What a factory has until it says otherwise."""
