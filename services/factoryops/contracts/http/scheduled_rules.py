"""Rules that the clock evaluates over a window of history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from factoryops.contracts.http.parts import LINE, TEXT, Finite, Identifier, Key, Received, Sent, example
from factoryops.domain.alarms import Priority
from factoryops.domain.calculations import unknown_parameter
from factoryops.domain.conditions.tree import DEFAULT_AGE_S, Comparison
from factoryops.domain.errors import ExpressionError, InvalidInputError
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.tree import Reference
from factoryops.domain.rule import RuleScope
from factoryops.domain.samples import SeriesKey
from factoryops.domain.scheduled_rules import Aggregate, ScheduledWindow
from factoryops.domain.schedules import EVERY_DAY

_EXAMPLE: Final[dict[str, Any]] = {
    "name": "Compressors use too much",
    "devices": ["compressor-1"],
    "parameter": "power",
    "aggregate": "total",
    "window": "yesterday",
    "comparison": "gt",
    "limit": 900,
    "local_time": "06:15",
    "priority": 4,
    "response": "Look for leaks.",
}


def _each_once(items: list[Any]) -> list[Any]:
    if len(set(items)) < len(items):
        raise ValueError("each may be named once")
    return items


Names = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100, pattern=LINE)]],
    Field(max_length=100),
    AfterValidator(_each_once),
]


class ScheduledRuleContent(Sent):
    """What a person decides about a scheduled rule; each device it is for has an alarm of its own.

    Attributes:
        devices / kinds / areas: the devices it is for: any that one of them names, future ones of the kinds and areas
            too; with none of the three every device of the factory that has the parameters.
        parameter: what it looks at on each device; or
        expression: what is calculated for each device, of its own parameters and of others'.
        maximum_age_s: of an expression, how long a sample of an input counts.
        shift_id: the shift of the window "last_shift".
        least_known: share of the window (0 to 1) for which good values must be there; with less nothing is decided.
        local_time / days: when it is due, on the factory's own clock; once per local date.
        response: what the operator is to do.
    """

    model_config = example(_EXAMPLE)

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=LINE)]
    devices: Annotated[list[Key], Field(max_length=100), AfterValidator(_each_once)] = []
    kinds: Names = []
    areas: Names = []
    parameter: Key | None = None
    expression: Annotated[str, Field(min_length=1, max_length=2_000, pattern=TEXT)] | None = None
    maximum_age_s: Annotated[Finite, Field(ge=1, le=86_400)] = DEFAULT_AGE_S
    aggregate: Aggregate
    window: ScheduledWindow
    shift_id: Identifier | None = None
    comparison: Comparison
    limit: Finite
    least_known: Annotated[float, Field(ge=0, le=1)] = 0.5
    local_time: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    days: Annotated[
        list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7), AfterValidator(_each_once)
    ] = [*EVERY_DAY]
    priority: Priority
    is_enabled: bool = True
    response: Annotated[str, Field(max_length=2_000, pattern=TEXT)] = ""

    @property
    def scope(self) -> RuleScope:
        """The devices it is for, as a live rule says it."""
        return RuleScope(tuple(self.devices), tuple(self.kinds), tuple(self.areas))

    @property
    def formula(self) -> Formula | None:
        """What is calculated; None where it looks at one parameter as it is."""
        return None if self.expression is None else Formula.of(self.expression)

    @property
    def references(self) -> tuple[Reference, ...]:
        """The parameters it looks at; a device of "" is each of those it is for."""
        formula = self.formula
        return formula.references if formula is not None else (Reference(self.parameter or ""),)

    @property
    def own_parameters(self) -> tuple[str, ...]:
        """The parameters it looks at on each device it is for, in its order."""
        return tuple(one.parameter for one in self.references if not one.device)

    @property
    def subject(self) -> str:
        """What it looks at: the parameter's key, or the expression."""
        return self.expression or self.parameter or ""

    @field_validator("expression")
    @classmethod
    def _is_understood(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                Formula.of(text)
            except ExpressionError as error:
                raise ValueError(str(error)) from error
        return text

    @model_validator(mode="after")
    def _looks_at_one_thing(self) -> Self:
        if (self.parameter is None) == (self.expression is None):
            raise ValueError("say which parameter it looks at, or which expression")
        return self

    @model_validator(mode="after")
    def _names_its_shift(self) -> Self:
        if (self.window is ScheduledWindow.LAST_SHIFT) != (self.shift_id is not None):
            raise ValueError("the window of the last shift needs a shift, and no other window has one")
        return self


def check_parameters(content: ScheduledRuleContent, has: Callable[[str, str], bool]) -> None:
    """That what a scheduled rule names is there.

    Args:
        content: the rule.
        has: whether the device of a key has the parameter of a key.

    Raises:
        InvalidInputError: a device it names has not what it looks at, or what it calculates with is nowhere.
    """
    for key in content.devices:
        for parameter in content.own_parameters:
            if not has(key, parameter):
                raise InvalidInputError(
                    f"The device {key} has no parameter {parameter}.",
                    fields={"devices": f"{key} has no such parameter"},
                )
    for one in content.references:
        if one.device and not has(one.device, one.parameter):
            raise unknown_parameter(SeriesKey("", one.device, one.parameter))


class ScheduledRuleUpdate(Sent):
    """A changed scheduled rule; `version` is the one the change was made from."""

    model_config = example({"version": 1, "content": _EXAMPLE})

    version: Annotated[int, Field(ge=1, le=2_147_483_647)]
    content: ScheduledRuleContent


class ScheduledRule(Received):
    """A scheduled rule as it holds."""

    id: Identifier
    version: int
    content: ScheduledRuleContent
    changed_by: str
    changed_at: datetime


class ScheduledRuleList(Received):
    """All scheduled rules of the factory, by name."""

    scheduled_rules: list[ScheduledRule]
