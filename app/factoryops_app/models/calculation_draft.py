"""A calculated parameter while a person edits it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from factoryops.contracts import http
from factoryops.domain.calculations import LONGEST_AGE_S, SHORTEST_AGE_S
from factoryops.domain.errors import ExpressionError
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.functions import FUNCTIONS
from factoryops.domain.expressions.printer import quoted
from factoryops.domain.plant import is_key
from factoryops_app.models.plant import Measured
from factoryops_app.models.typed import number_fault, parsed, plain
from factoryops_resources.words import say


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an expression; `at` is where, in characters from 0, when that can be told."""

    sentence: str
    at: int | None = None


@dataclass(frozen=True, slots=True)
class CalculationDraft:
    """What is filled in, as text.

    Attributes:
        calculation_id / version: of the one being changed; None and 0 for a new one.
    """

    device_key: str = ""
    parameter_key: str = ""
    name: str = ""
    unit: str = ""
    expression: str = ""
    maximum_age_s: str = "60"
    is_enabled: bool = True
    calculation_id: str | None = None
    version: int = 0

    @classmethod
    def of(cls, held: http.Calculation) -> CalculationDraft:
        """The draft that changes `held`."""
        content = held.content
        return cls(
            device_key=content.device_key,
            parameter_key=content.parameter_key,
            name=content.name,
            unit=content.unit,
            expression=content.expression,
            maximum_age_s=plain(content.maximum_age_s),
            is_enabled=content.is_enabled,
            calculation_id=held.id,
            version=held.version,
        )

    def content(self) -> http.CalculationContent:
        """What is sent; only for a draft without errors."""
        return http.CalculationContent(
            device_key=self.device_key,
            parameter_key=self.parameter_key,
            name=self.name.strip(),
            unit=self.unit.strip(),
            expression=self.expression.strip(),
            maximum_age_s=parsed(self.maximum_age_s) or 0.0,
            is_enabled=self.is_enabled,
        )

    def errors(self, known: Iterable[Measured]) -> dict[str, str]:
        """What cannot be saved, by field."""
        found: dict[str, str] = {}
        if not is_key(self.device_key):
            found["device_key"] = say("Choose a device, or give a new one a name.")
        if not is_key(self.parameter_key):
            found["parameter_key"] = say("Give it a key, such as power_total.")
        if not self.name.strip():
            found["name"] = say("Give it a name.")
        age_s = parsed(self.maximum_age_s)
        if age_s is None or not SHORTEST_AGE_S <= age_s <= LONGEST_AGE_S:
            found["maximum_age_s"] = number_fault(self.maximum_age_s, say("Between 1 s and 24 h."))
        fault = self.fault(known)
        if fault is not None:
            found["expression"] = fault.sentence
        return found

    def fault(self, known: Iterable[Measured]) -> Fault | None:
        """What is wrong with the expression; None when it can be calculated from the parameters that are `known`."""
        try:
            formula = Formula.of(self.expression)
        except ExpressionError as error:
            return Fault(str(error), error.at)
        there = {(one.device.key, one.parameter.key) for one in known}
        for reference in formula.references:
            device = reference.device or self.device_key
            if (device, reference.parameter) not in there:
                sentence = say("{device} has no parameter {parameter}.", device=device, parameter=reference.parameter)
                return Fault(sentence, reference.at)
        return None


def completions(known: Iterable[Measured], device_key: str) -> list[str]:
    """What the editor offers: the device's own parameters first, then functions, then those of others."""
    own: list[str] = []
    others: list[str] = []
    for one in known:
        key = quoted(one.parameter.key)
        if one.device.key == device_key:
            own.append(key)
        else:
            others.append(f"{quoted(one.device.key)}.{key}")
    return [*sorted(own), *(f"{name}(" for name in FUNCTIONS), *sorted(others)]
