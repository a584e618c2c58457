"""Shifts, operating positions and scheduled rules while a person edits them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import DEFAULT_AGE_S, Comparison
from factoryops.domain.errors import ExpressionError
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.scheduled_rules import Aggregate, ScheduledWindow
from factoryops.domain.schedules import EVERY_DAY
from factoryops_app.models.drafts import (
    NOT_A_NUMBER,
    as_read,
    content_faults,
    window_bodies,
    window_drafts,
    window_faults,
)
from factoryops_app.models.schedule_draft import WindowDraft, days_text, parsed_days
from factoryops_app.models.typed import number_fault, parsed, plain
from factoryops_app.models.wording import comparison_name
from factoryops_resources.words import say

PARAMETER: Final = "parameter"
EXPRESSION: Final = "expression"


@dataclass(frozen=True, slots=True)
class ShiftDraft:
    """What is filled in of a shift."""

    name: str = ""
    windows: tuple[WindowDraft, ...] = ()
    identity: str | None = None
    version: int = 0
    held: http.ShiftContent | None = field(default=None, compare=False)

    @classmethod
    def of(cls, kept: http.Shift) -> ShiftDraft:
        """The draft that changes a shift."""
        return cls(kept.content.name, window_drafts(kept.content.windows), kept.id, kept.version, kept.content)

    def content(self) -> http.ShiftContent:
        """What is sent; raises ValidationError for a draft with errors."""
        told = {"name": self.name.strip(), "windows": window_bodies(self.windows)}
        return http.ShiftContent.model_validate(as_read(self.held) | told)

    def errors(self) -> dict[str, str]:
        """What cannot be saved, by field."""
        sentences = {
            "name": say("Give it a name."),
            "windows": say("Say when it works: add a row.")
            if not self.windows
            else say("Write days as Mon-Fri or Sat, Sun."),
        }
        return {**content_faults(self.content, sentences), **window_faults(self.windows, "windows")}


@dataclass(frozen=True, slots=True)
class PositionDraft:
    """What is filled in of an operating position."""

    name: str = ""
    areas: frozenset[str] = frozenset()
    identity: str | None = None
    version: int = 0
    held: http.PositionContent | None = field(default=None, compare=False)

    @classmethod
    def of(cls, kept: http.Position) -> PositionDraft:
        """The draft that changes an operating position."""
        return cls(kept.content.name, frozenset(kept.content.areas), kept.id, kept.version, kept.content)

    def content(self) -> http.PositionContent:
        """What is sent; raises ValidationError for a draft with errors."""
        told = {"name": self.name.strip(), "areas": sorted(self.areas)}
        return http.PositionContent.model_validate(as_read(self.held) | told)

    def errors(self) -> dict[str, str]:
        """What cannot be saved, by field."""
        sentences = {"name": say("Give it a name."), "areas": say("Choose the areas it watches.")}
        return content_faults(self.content, sentences)


@dataclass(frozen=True, slots=True)
class ScheduledRuleDraft:
    """What is filled in of a scheduled rule.

    Attributes:
        looks_at: PARAMETER or EXPRESSION; the other one is then only remembered.
        is_everywhere: for every device that has the parameter; what else is chosen is then only remembered.
        least_known: in per cent, as typed.
    """

    name: str = ""
    devices: frozenset[str] = frozenset()
    parameter: str = ""
    aggregate: str = Aggregate.MEAN.value
    window: str = ScheduledWindow.YESTERDAY.value
    shift_id: str = ""
    comparison: str = Comparison.ABOVE.value
    limit: str = ""
    least_known: str = "50"
    local_time: str = "06:15"
    days: str = ""
    priority: str = str(int(Priority.LOW))
    response: str = ""
    is_enabled: bool = True
    identity: str | None = None
    version: int = 0
    held: http.ScheduledRuleContent | None = field(default=None, compare=False)
    is_everywhere: bool = False
    kinds: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    looks_at: str = PARAMETER
    expression: str = ""
    maximum_age_s: str = plain(DEFAULT_AGE_S)

    @classmethod
    def of(cls, kept: http.ScheduledRule) -> ScheduledRuleDraft:
        """The draft that changes a scheduled rule."""
        content = kept.content
        return cls(
            content.name, frozenset(content.devices), content.parameter or "", content.aggregate.value,
            content.window.value, content.shift_id or "", content.comparison.value, plain(content.limit),
            plain(content.least_known * 100), content.local_time, days_text(content.days),
            str(int(content.priority)), content.response, content.is_enabled, kept.id, kept.version, content,
            content.scope.is_whole_factory, frozenset(content.kinds), frozenset(content.areas),
            PARAMETER if content.expression is None else EXPRESSION, content.expression or "",
            plain(content.maximum_age_s),
        )  # fmt: skip

    @classmethod
    def new(cls) -> ScheduledRuleDraft:
        """Nothing filled in: every day."""
        return cls(days=days_text(EVERY_DAY))

    def content(self) -> http.ScheduledRuleContent:
        """What is sent; raises ValidationError for a draft with errors."""
        least_percent = parsed(self.least_known)
        is_calculated = self.looks_at == EXPRESSION
        is_of_a_shift = self.window == ScheduledWindow.LAST_SHIFT.value
        return http.ScheduledRuleContent.model_validate(
            as_read(self.held)
            | {
                "name": self.name.strip(),
                "devices": [] if self.is_everywhere else sorted(self.devices),
                "kinds": [] if self.is_everywhere else sorted(self.kinds),
                "areas": [] if self.is_everywhere else sorted(self.areas),
                "parameter": None if is_calculated else self.parameter,
                "expression": self.expression.strip() if is_calculated else None,
                "maximum_age_s": (parsed(self.maximum_age_s) or NOT_A_NUMBER) if is_calculated else DEFAULT_AGE_S,
                "aggregate": self.aggregate,
                "window": self.window,
                "shift_id": self.shift_id or None if is_of_a_shift else None,
                "comparison": self.comparison,
                "limit": parsed(self.limit),
                "least_known": NOT_A_NUMBER if least_percent is None else least_percent / 100,
                "local_time": self.local_time.strip(),
                "days": [*parsed_days(self.days)],
                "priority": int(self.priority),
                "response": self.response,
                "is_enabled": self.is_enabled,
            }
        )

    def errors(self) -> dict[str, str]:
        """What cannot be saved, by field."""
        sentences = {
            "name": say("Give it a name."),
            "parameter": say("Choose a parameter."),
            "expression": str(self.expression_fault or say("Write an expression.")),
            "maximum_age_s": number_fault(self.maximum_age_s, say("Between 1 s and 24 h.")),
            "limit": number_fault(self.limit, say("Enter a number.")),
            "least_known": say("Between 0 and 100 per cent."),
            "local_time": say("Write a time as 06:30."),
            "days": say("Write days as Mon-Fri or Sat, Sun."),
        }
        found = content_faults(self.content, sentences)
        if self.window == ScheduledWindow.LAST_SHIFT.value and not self.shift_id:
            found = {key: text for key, text in found.items() if key} | {"shift_id": say("Choose the shift.")}
        if not (self.is_everywhere or self.devices or self.kinds or self.areas):
            found["devices"] = say("Choose the devices it is for.")
        return found

    @property
    def expression_fault(self) -> ExpressionError | None:
        """What is wrong with the expression; None while nothing is written or nothing is wrong."""
        try:
            Formula.of(self.expression)
        except ExpressionError as error:
            return error if self.expression.strip() else None
        return None


def aggregate_name(aggregate: Aggregate) -> str:
    """The figure of a window."""
    names = {
        Aggregate.MEAN: say("Mean"),
        Aggregate.MIN: say("Smallest value"),
        Aggregate.MAX: say("Largest value"),
        Aggregate.TOTAL: say("Value times hours"),
    }
    return names[aggregate]


def window_name(window: ScheduledWindow) -> str:
    """What a scheduled rule looks at."""
    names = {
        ScheduledWindow.LAST_24_HOURS: say("the last 24 hours"),
        ScheduledWindow.YESTERDAY: say("yesterday"),
        ScheduledWindow.LAST_7_DAYS: say("the last 7 days"),
        ScheduledWindow.LAST_SHIFT: say("the last shift"),
    }
    return names[window]


def scheduled_words(content: http.ScheduledRuleContent) -> str:
    """Such as "Mean of power, yesterday, is above 900"."""
    return say(
        "{figure} of {parameter}, {window}, {comparison} {limit}", figure=aggregate_name(content.aggregate),
        parameter=content.subject, window=window_name(content.window),
        comparison=comparison_name(content.comparison), limit=plain(content.limit),
    )  # fmt: skip
