"""Calculated parameters: what each is called, where it belongs, and what it is calculated from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Final, NewType

from factoryops.domain.errors import ExpressionError, InvalidInputError
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.tree import Reference
from factoryops.domain.identity import FactoryId, derived_id
from factoryops.domain.plant import is_key
from factoryops.domain.samples import SeriesId, SeriesKey, series_id

CalculationId = NewType("CalculationId", str)

VIRTUAL_KIND: Final = "calculated"
"""The kind of a device that only holds calculated parameters."""

SHORTEST_AGE_S: Final = 1.0
LONGEST_AGE_S: Final = 86_400.0


def calculation_id(factory_id: str, device_key: str, parameter_key: str) -> CalculationId:
    """The id of a calculation: a parameter is calculated in one way only."""
    return CalculationId(derived_id(factory_id, "calculation", device_key, parameter_key))


@dataclass(frozen=True, slots=True)
class Calculation:
    """A parameter that is calculated from others.

    Attributes:
        version: grows by one with each change.
        device_key: the device it belongs to, and whose parameters its expression may name without a device.
        maximum_age_s: how long a sample of an input counts.
    """

    id: CalculationId
    factory_id: FactoryId
    version: int
    device_key: str
    parameter_key: str
    name: str
    unit: str
    expression: str
    maximum_age_s: float = 60.0
    is_enabled: bool = True

    @property
    def key(self) -> SeriesKey:
        """The series it makes."""
        return SeriesKey(self.factory_id, self.device_key, self.parameter_key)

    @property
    def series(self) -> SeriesId:
        """The id of that series."""
        return series_id(self.key)

    def key_of(self, reference: Reference) -> SeriesKey:
        """The series that a name in its expression stands for."""
        return SeriesKey(self.factory_id, reference.device or self.device_key, reference.parameter)

    @property
    def inputs(self) -> list[SeriesKey]:
        """The series it is calculated from; none when its expression is not understood."""
        try:
            return [self.key_of(reference) for reference in Formula.of(self.expression).references]
        except ExpressionError:
            return []

    def check(self) -> Formula:
        """Its formula.

        Raises:
            InvalidInputError: names each field that cannot be used.
        """
        faults: dict[str, str] = {}
        formula = None
        if not is_key(self.device_key) or not is_key(self.parameter_key):
            faults["parameter_key"] = "device and parameter need a key of 1 to 100 printable characters"
        if not self.name.strip():
            faults["name"] = "give it a name"
        if not SHORTEST_AGE_S <= self.maximum_age_s <= LONGEST_AGE_S:
            faults["maximum_age_s"] = "inputs may be 1 s to 24 h old"
        try:
            formula = Formula.of(self.expression)
        except ExpressionError as error:
            faults["expression"] = str(error)
        if formula is None or faults:
            raise InvalidInputError("The calculation cannot be saved: " + "; ".join(faults.values()), fields=faults)
        return formula


def check_among(wanted: Calculation, others: Iterable[Calculation], has_parameter: Callable[[SeriesKey], bool]) -> None:
    """That it can be calculated, from parameters that exist, and not from itself.

    Args:
        wanted: the calculation that is to be saved.
        others: the factory's calculations; a version of `wanted` among them is passed over.
        has_parameter: whether there is a parameter of a key.

    Raises:
        InvalidInputError: it cannot.
    """
    for reference in wanted.check().references:
        key = wanted.key_of(reference)
        if key != wanted.key and not has_parameter(key):
            raise unknown_parameter(key)
    formulas = {one.key: one for one in others} | {wanted.key: wanted}
    circle = circle_in({key: one.inputs for key, one in formulas.items()})
    if wanted.key in circle:
        raise InvalidInputError(told_of(circle), fields={"expression": told_of(circle)})


def unknown_parameter(key: SeriesKey) -> InvalidInputError:
    """What is said of a name that stands for nothing."""
    message = f"There is no parameter {key.parameter!r} of the device {key.device!r}."
    return InvalidInputError(message, fields={"expression": message})


def in_order(wanted: Mapping[SeriesKey, Iterable[SeriesKey]]) -> list[SeriesKey]:
    """The keys of `wanted` so that each comes after those it is calculated from; there must be no circle.

    Args:
        wanted: of each calculated series, its inputs; those that are not calculated themselves are passed over.
    """
    return [*_sorter(wanted).static_order()]


def circle_in(wanted: Mapping[SeriesKey, Iterable[SeriesKey]]) -> list[SeriesKey]:
    """Some series of `wanted` that are calculated from one another in a circle, in its order; none when none are."""
    try:
        _sorter(wanted).prepare()
    except CycleError as error:
        return [*reversed(error.args[1][1:])]
    return []


def told_of(circle: Iterable[SeriesKey]) -> str:
    """The sentence about a circle."""
    names = [f"{key.device}.{key.parameter}" for key in circle]
    return f"It would be calculated from itself: {' → '.join([*names, names[0]])}. Change one of them."


def _sorter(wanted: Mapping[SeriesKey, Iterable[SeriesKey]]) -> TopologicalSorter[SeriesKey]:
    return TopologicalSorter({key: [one for one in inputs if one in wanted] for key, inputs in sorted(wanted.items())})
