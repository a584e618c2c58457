"""Threshold rules as people write them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field

from factoryops.contracts.http.parts import LINE, TEXT, Finite, Identifier, Key, Received, Sent, example
from factoryops.domain.rules import Comparison, Priority

_RULE_EXAMPLE: Final[dict[str, Any]] = {
    "name": "Pressure high",
    "parameter_key": "pressure",
    "comparison": "gt",
    "limit": 5.0,
    "priority": 2,
    "deadband": 0.1,
    "on_delay_s": 5,
}


class RuleContent(Sent):
    """What a person fills in for a threshold rule.

    Attributes:
        device_ids: the devices it watches; empty means every device that has the parameter, future ones too.
        response: what the operator is to do; printed on the alarm.
    """

    model_config = example(_RULE_EXAMPLE)

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=LINE)]
    parameter_key: Key
    comparison: Comparison
    limit: Finite
    priority: Priority
    device_ids: Annotated[list[Identifier], Field(max_length=10_000)] = []
    deadband: Annotated[Finite, Field(ge=0)] = 0.0
    on_delay_s: Annotated[Finite, Field(ge=0, le=86_400)] = 0.0
    off_delay_s: Annotated[Finite, Field(ge=0, le=86_400)] = 0.0
    is_enabled: bool = True
    response: Annotated[str, Field(max_length=4_000, pattern=TEXT)] = ""


class RuleUpdate(Sent):
    """A changed rule; `version` is the one the change was made from, so that nobody overwrites another's."""

    model_config = example({"version": 1, "content": _RULE_EXAMPLE})

    version: Annotated[int, Field(ge=1, le=2_147_483_647)]
    content: RuleContent


class Rule(Received):
    """A rule as it holds.

    Attributes:
        holds_from_seq: the journal sequence from which this version holds; None until the engine has taken it up.
    """

    id: Identifier
    version: int
    content: RuleContent
    changed_by: str
    changed_at: datetime
    holds_from_seq: int | None = None


class RuleList(Received):
    """All rules of the factory."""

    rules: list[Rule]
