"""The site's alarm philosophy: classes of alarms, the matrix that priorities follow from, thresholds of figures."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from pydantic import Field

from factoryops.contracts.http.parts import LINE, Finite, Received, Sent, example
from factoryops.domain.alarm_classes import DEFAULT_PHILOSOPHY, AlarmPhilosophy
from factoryops.domain.alarm_classes import AlarmClass as DomainClass
from factoryops.domain.alarm_classes import PriorityMatrix as DomainMatrix
from factoryops.domain.alarms import Priority
from factoryops.domain.performance.thresholds import DEFAULT, Thresholds

_Word = Annotated[str, Field(max_length=50, pattern=LINE)]
_DEFAULT: Final[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(DEFAULT_PHILOSOPHY))


class AlarmClass(Sent):
    """How alarms of one class are handled; `domain.alarm_classes.AlarmClass` says what each field means."""

    id: Annotated[str, Field(max_length=32, pattern=LINE)]
    name: Annotated[str, Field(max_length=100, pattern=LINE)]
    needs_comment: bool = False
    may_be_shelved: bool = True
    longest_shelving_s: Finite = 28_800.0
    re_alarm_s: Finite = 0.0
    is_latching: bool = False
    is_counted: bool = True


class PriorityMatrix(Sent):
    """Severity × time to respond -> priority: one row per severity, one column per bound and one for longer times."""

    severities: Annotated[list[_Word], Field(max_length=20)]
    response_times_s: Annotated[list[Finite], Field(max_length=20)]
    priorities: Annotated[list[list[Priority]], Field(max_length=20)]


class PhilosophyChange(Sent):
    """All of it anew; `version` is the one the change was made from, so that nobody overwrites another's."""

    model_config = example({"version": 0, **_DEFAULT})

    version: Annotated[int, Field(ge=0)]
    classes: Annotated[list[AlarmClass], Field(max_length=100)]
    matrix: PriorityMatrix
    thresholds: Thresholds = DEFAULT

    def philosophy(self) -> AlarmPhilosophy:
        """What is kept."""
        return AlarmPhilosophy(
            tuple(DomainClass(**one.model_dump()) for one in self.classes),
            DomainMatrix(
                tuple(self.matrix.severities),
                tuple(self.matrix.response_times_s),
                tuple(tuple(row) for row in self.matrix.priorities),
            ),
            self.thresholds,
        )


class Philosophy(Received):
    """What holds in the factory; the first class is the one of rules that name none."""

    version: int
    classes: list[AlarmClass]
    matrix: PriorityMatrix
    thresholds: Thresholds = DEFAULT
    changed_by: str = ""
    changed_at: datetime | None = None

    def philosophy(self) -> AlarmPhilosophy:
        """The same as the domain has it."""
        return PhilosophyChange(
            version=self.version, classes=self.classes, matrix=self.matrix, thresholds=self.thresholds
        ).philosophy()


FIRST_PHILOSOPHY: Final = Philosophy(version=0, **_DEFAULT)
"""What a factory has until it says otherwise."""


class ProposedPriority(Received):
    """What the matrix says; None where the severity or the time to respond is not stated."""

    priority: Priority | None
