"""The conditions most rules are made of, as short forms; a condition that one of them makes opens in it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from factoryops.domain.conditions.tree import (
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Condition,
    Constant,
    Direction,
    Frozen,
    Held,
    NoData,
    Outside,
    Parameter,
    Rate,
)
from factoryops_app.models.condition_draft import office_hours
from factoryops_app.models.condition_fields import FieldSpec, FieldType, faults_of, number, seconds
from factoryops_app.models.schedule_draft import ScheduleDraft
from factoryops_app.models.typed import plain, span_text
from factoryops_resources.words import say


class Template(StrEnum):
    """The short forms."""

    HIGH = "high"
    LOW = "low"
    BAND = "band"
    OUTSIDE_HOURS = "outside_hours"
    IDLE = "idle"
    NO_DATA = "no_data"
    FROZEN = "frozen"
    FAST = "fast"


def template_names() -> dict[Template, str]:
    """What they are called, in order."""
    return {
        Template.HIGH: say("High limit"),
        Template.LOW: say("Low limit"),
        Template.BAND: say("Band (high and low)"),
        Template.OUTSIDE_HOURS: say("Running outside hours"),
        Template.IDLE: say("Idle too long"),
        Template.NO_DATA: say("Offline / no data"),
        Template.FROZEN: say("Frozen value"),
        Template.FAST: say("Changes too fast"),
    }


def template_hints() -> dict[Template, str]:
    """What each is for."""
    return {
        Template.HIGH: say("Alarms when a value is too high."),
        Template.LOW: say("Alarms when a value is too low."),
        Template.BAND: say("Alarms when a value leaves its normal band on either side."),
        Template.OUTSIDE_HOURS: say("Alarms when a machine runs although nobody should be working."),
        Template.IDLE: say("Alarms when a machine has stood idle for long."),
        Template.NO_DATA: say("Alarms when a device, or one of its parameters, sends nothing any more."),
        Template.FROZEN: say("Alarms when a sensor keeps sending and never moves: it may be stuck."),
        Template.FAST: say("Alarms when a value rises or falls faster than it should."),
    }


_PARAMETER: Final = FieldSpec("parameter", FieldType.PARAMETER)
_LIMIT: Final = FieldSpec("limit", FieldType.NUMBER)
_DEADBAND: Final = FieldSpec("deadband", FieldType.AMOUNT, "0")

FIELDS: Final[dict[Template, tuple[FieldSpec, ...]]] = {
    Template.HIGH: (_PARAMETER, _LIMIT, _DEADBAND),
    Template.LOW: (_PARAMETER, _LIMIT, _DEADBAND),
    Template.BAND: (_PARAMETER, FieldSpec("high", FieldType.NUMBER), FieldSpec("low", FieldType.NUMBER), _DEADBAND),
    Template.OUTSIDE_HOURS: (_PARAMETER, _LIMIT),
    Template.IDLE: (_PARAMETER, _LIMIT, FieldSpec("for_s", FieldType.SPAN, "30 min")),
    Template.NO_DATA: (
        FieldSpec("parameter", FieldType.PARAMETER, is_optional=True),
        FieldSpec("for_s", FieldType.SPAN, "1 min"),
    ),
    Template.FROZEN: (
        _PARAMETER, FieldSpec("for_s", FieldType.SPAN, "10 min"), FieldSpec("tolerance", FieldType.AMOUNT, "0"),
    ),
    Template.FAST: (
        _PARAMETER, FieldSpec("change", FieldType.NUMBER), FieldSpec("window_s", FieldType.SPAN, "1 min"),
        FieldSpec("direction", FieldType.DIRECTION, Direction.EITHER.value),
    ),
}  # fmt: skip
"""What is typed, in the order of the form."""


@dataclass(frozen=True, slots=True)
class TemplateDraft:
    """A short form as it is being filled in.

    Attributes:
        hours: of "running outside hours": when running is all right.
    """

    template: Template = Template.HIGH
    texts: Mapping[str, str] = field(default_factory=lambda: _defaults(Template.HIGH))
    hours: ScheduleDraft = field(default_factory=office_hours)

    @classmethod
    def new(cls, template: Template, like: TemplateDraft | None = None) -> TemplateDraft:
        """An empty form; it keeps what `like` has of the same name."""
        old = like.texts if like is not None else {}
        return cls(template, {key: old.get(key, "") or text for key, text in _defaults(template).items()})

    def errors(self) -> dict[str, str]:
        """Why fields cannot be used."""
        found = faults_of(FIELDS[self.template], self.texts)
        if self.template is Template.OUTSIDE_HOURS:
            found |= {f"hours.{key}": fault for key, fault in self.hours.errors().items()}
        if not found and self.template is Template.BAND and number(self.texts, "low") >= number(self.texts, "high"):
            found["low"] = say("The low limit must lie below the high one.")
        if not found and self.template is Template.FAST and number(self.texts, "change") <= 0:
            found["change"] = say("Enter a number above zero.")
        return found

    def condition(self) -> Condition:
        """What it says; only for a form without errors."""
        return _MAKERS[self.template](self)

    def with_(self, **changes: object) -> TemplateDraft:
        """The form with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # the form's field names are the draft's


def recognised(condition: Condition) -> TemplateDraft | None:
    """The short form that makes exactly this condition; None when there is none."""
    read = _read(condition)
    if read is None:
        return None
    draft = read.with_(texts=_defaults(read.template) | dict(read.texts))
    return draft if not draft.errors() and draft.condition() == condition else None


def _defaults(template: Template) -> dict[str, str]:
    return {one.key: one.default for one in FIELDS[template]}


# --- from form to condition -------------------------------------------------------------------------------------------


def _own(draft: TemplateDraft) -> Parameter:
    return Parameter(draft.texts["parameter"])


def _beyond(draft: TemplateDraft, comparison: Comparison, key: str = "limit") -> Compare:
    deadband = number(draft.texts, "deadband") if "deadband" in draft.texts else 0.0
    return Compare(_own(draft), comparison, Constant(number(draft.texts, key)), deadband)


def _fast(draft: TemplateDraft) -> Condition:
    window_s = seconds(draft.texts, "window_s")
    rate = number(draft.texts, "change") / window_s
    rising = Rate(_own(draft), Comparison.ABOVE, rate, window_s)
    falling = Rate(_own(draft), Comparison.BELOW, -rate, window_s)
    match Direction(draft.texts["direction"]):
        case Direction.ABOVE:
            return rising
        case Direction.BELOW:
            return falling
        case Direction.EITHER:
            return AnyOf((rising, falling))


def _no_data(draft: TemplateDraft) -> Condition:
    return NoData(seconds(draft.texts, "for_s"), _own(draft) if draft.texts["parameter"] else None)


_MAKERS: Final[dict[Template, Callable[[TemplateDraft], Condition]]] = {
    Template.HIGH: lambda draft: _beyond(draft, Comparison.ABOVE),
    Template.LOW: lambda draft: _beyond(draft, Comparison.BELOW),
    Template.BAND: lambda draft: AnyOf((_beyond(draft, Comparison.ABOVE, "high"),
                                        _beyond(draft, Comparison.BELOW, "low"))),
    Template.OUTSIDE_HOURS: lambda draft: AllOf((_beyond(draft, Comparison.ABOVE), Outside(draft.hours.schedule()))),
    Template.IDLE: lambda draft: Held(_beyond(draft, Comparison.BELOW), seconds(draft.texts, "for_s")),
    Template.NO_DATA: _no_data,
    Template.FROZEN: lambda draft: Frozen(
        _own(draft), seconds(draft.texts, "for_s"), number(draft.texts, "tolerance")
    ),
    Template.FAST: _fast,
}  # fmt: skip


# --- from condition to form -------------------------------------------------------------------------------------------


def _read(condition: Condition) -> TemplateDraft | None:
    """The form that may have made it; whether it did is for the caller to see."""
    match condition:
        case Compare(Parameter(key), comparison, Constant(limit), deadband):
            template = Template.HIGH if comparison.is_high else Template.LOW
            return TemplateDraft(template, _texts(parameter=key, limit=limit, deadband=deadband))
        case AnyOf((Compare(Parameter(key), _, Constant(high), deadband), Compare(_, _, Constant(low)))):
            return TemplateDraft(Template.BAND, _texts(parameter=key, high=high, low=low, deadband=deadband))
        case AllOf((Compare(Parameter(key), _, Constant(limit)), Outside(schedule))):
            texts = _texts(parameter=key, limit=limit)
            return TemplateDraft(Template.OUTSIDE_HOURS, texts, ScheduleDraft.of(schedule))
        case Held(Compare(Parameter(key), _, Constant(limit)), for_s):
            return TemplateDraft(Template.IDLE, _texts(parameter=key, limit=limit) | {"for_s": span_text(for_s)})
        case NoData(for_s, of):
            key = of.key if of is not None else ""
            return TemplateDraft(Template.NO_DATA, {"parameter": key, "for_s": span_text(for_s)})
        case Frozen(Parameter(key), for_s, tolerance):
            texts = _texts(parameter=key, tolerance=tolerance) | {"for_s": span_text(for_s)}
            return TemplateDraft(Template.FROZEN, texts)
        case _:
            return _read_fast(condition)


def _read_fast(condition: Condition) -> TemplateDraft | None:
    match condition:
        case AnyOf((Rate(Parameter(key), _, limit, window_s), Rate())):
            direction = Direction.EITHER
        case Rate(Parameter(key), comparison, limit, window_s):
            direction = Direction.ABOVE if comparison.is_high else Direction.BELOW
        case _:
            return None
    texts = _texts(parameter=key, change=abs(limit) * window_s, direction=direction.value)
    return TemplateDraft(Template.FAST, texts | {"window_s": span_text(window_s)})


def _texts(**values: str | float) -> dict[str, str]:
    return {key: value if isinstance(value, str) else plain(value) for key, value in values.items()}
