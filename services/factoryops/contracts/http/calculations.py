"""Calculated parameters as people write them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field

from factoryops.contracts.http.parts import LINE, TEXT, Finite, Identifier, Key, Received, Sent, example

_EXAMPLE: Final[dict[str, Any]] = {
    "device_key": "pump-1",
    "parameter_key": "hydraulic_power",
    "name": "Hydraulic power",
    "unit": "kW",
    "expression": "pressure * flow / 36",
    "maximum_age_s": 60,
}
_Expression = Annotated[str, Field(min_length=1, max_length=2_000, pattern=TEXT)]
_Age = Annotated[Finite, Field(ge=1, le=86_400)]
_Moment = Annotated[int, Field(ge=0, le=253_402_300_799_000_000)]


class CalculationContent(Sent):
    """What a person fills in for a calculated parameter.

    Attributes:
        device_key: the device it belongs to; one that is not there yet is made.
        maximum_age_s: how long a sample of an input counts.
    """

    model_config = example(_EXAMPLE)

    device_key: Key
    parameter_key: Key
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=LINE)]
    unit: Annotated[str, Field(max_length=50, pattern=LINE)] = ""
    expression: _Expression
    maximum_age_s: _Age = 60.0
    is_enabled: bool = True


class CalculationUpdate(Sent):
    """A changed calculation; `version` is the one the change was made from, so that nobody overwrites another's."""

    model_config = example({"version": 1, "content": _EXAMPLE})

    version: Annotated[int, Field(ge=1, le=2_147_483_647)]
    content: CalculationContent


class Calculation(Received):
    """A calculated parameter as it holds.

    Attributes:
        parameter_id: the parameter it makes.
        holds_from_seq: the journal sequence from which this version holds; None until the engine has taken it up.
        fault: why the engine has stopped it; None when it has not.
    """

    id: Identifier
    version: int
    content: CalculationContent
    parameter_id: Identifier
    changed_by: str
    changed_at: datetime
    holds_from_seq: int | None = None
    fault: str | None = None


class CalculationList(Received):
    """All calculated parameters of the factory."""

    calculations: list[Calculation]


class CalculationTrial(Sent):
    """An expression to be tried on a span of history; nothing is saved."""

    model_config = example(
        {
            "device_key": "pump-1",
            "expression": "pressure * flow / 36",
            "maximum_age_s": 60,
            "start_us": 1_767_225_600_000_000,
            "end_us": 1_767_229_200_000_000,
        }
    )

    device_key: Key
    expression: _Expression
    maximum_age_s: _Age = 60.0
    start_us: _Moment
    end_us: _Moment


class TriedCalculation(Received):
    """What the expression would have come to.

    Attributes:
        is_condition: it yields true (1) or false (0).
        count: moments with a value.
        without_value: moments without one: an input had none or was too old, or the result was not a number.
        time_us / value: the values; of more than 2,000, evenly chosen ones.
    """

    is_condition: bool
    count: int
    without_value: int
    time_us: list[int]
    value: list[float]
