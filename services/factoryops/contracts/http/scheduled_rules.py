"""Rules that the clock evaluates over a window of history."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, model_validator

from factoryops.contracts.http.parts import LINE, TEXT, Finite, Identifier, Key, Received, Sent, example
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.rule import RuleScope
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
            too; with none of the three every device of the factory that has the parameter.
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
    parameter: Key
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

    @model_validator(mode="after")
    def _names_its_shift(self) -> Self:
        if (self.window is ScheduledWindow.LAST_SHIFT) != (self.shift_id is not None):
            raise ValueError("the window of the last shift needs a shift, and no other window has one")
        return self


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
