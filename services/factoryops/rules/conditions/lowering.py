"""From a condition as data to the parts that are evaluated for one device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, assert_never

from factoryops.domain.conditions.tree import (
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Condition,
    Constant,
    Count,
    Deviation,
    Direction,
    Expression,
    Frozen,
    Held,
    NoData,
    Not,
    Operand,
    Outside,
    Parameter,
    Rate,
    Window,
    WindowFunction,
)
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.tree import Binary, Call, Duration, Node, Reference, references
from factoryops.domain.rule import RuleInForce
from factoryops.domain.samples import SeriesKey, series_id
from factoryops.domain.schedules import Schedule
from factoryops.domain.time import US_PER_S
from factoryops.rules.conditions.leaves import Compared, Scheduled, Silent, Unmoved
from factoryops.rules.conditions.parts import All, Any, Counted, Inverted, Lasting, Part
from factoryops.rules.conditions.quantity import Calculated, Fixed, Newest, Quantity
from factoryops.rules.conditions.schedule_clock import ScheduleClock

ANYTHING: Final = ""
"""The parameter of the series in which every sample of a device counts as a sign of life."""

_FUNCTIONS: Final[Mapping[WindowFunction, str]] = {
    WindowFunction.MEAN: "mean",
    WindowFunction.MIN: "min",
    WindowFunction.MAX: "max",
    WindowFunction.SUM: "total",
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf at work.

    Attributes:
        path: the places of it and the groups above it, from the root: "0.2" is the third part of the first.
        node: what it says.
        part: what evaluates it.
    """

    path: str
    node: Condition
    part: Part


@dataclass(frozen=True, slots=True)
class Compiled:
    """A condition for one device.

    Attributes:
        root: what evaluates it.
        leaves: from the left; the rule's schedule is none.
        keys: what the series it looks at stand for, by id.
    """

    root: Part
    leaves: tuple[Leaf, ...]
    keys: Mapping[int, SeriesKey]


class Recipe:
    """Compiles one rule for device after device; they share what is the same for all."""

    def __init__(self, in_force: RuleInForce) -> None:
        self.in_force = in_force
        self._factory = in_force.rule.factory_id
        self._clocks: dict[Schedule, ScheduleClock] = {}

    def compiled(self, device: str, *, is_suppression: bool) -> Compiled:
        """The rule's condition, which outside its schedule is false; or what suppresses its alarm."""
        definition = self.in_force.rule.definition
        build = _Build(self, device)
        if is_suppression and definition.suppress_while is not None:
            return Compiled(build.part(definition.suppress_while, ""), tuple(build.leaves), build.keys)
        root = build.part(definition.condition, "")
        if not definition.schedule.is_always:
            root = All(root, Scheduled(self.clock(definition.schedule)))
        return Compiled(root, tuple(build.leaves), build.keys)

    def clock(self, schedule: Schedule) -> ScheduleClock:
        """The clock of a schedule."""
        if schedule not in self._clocks:
            self._clocks[schedule] = ScheduleClock(schedule, self.in_force.shifts, self.in_force.timezone)
        return self._clocks[schedule]

    def key(self, device: str, parameter: str) -> SeriesKey:
        """The series of a parameter of this factory."""
        return SeriesKey(self._factory, device, parameter)


class _Build:
    """Makes the parts of one condition for one device."""

    def __init__(self, recipe: Recipe, device: str) -> None:
        self.leaves: list[Leaf] = []
        self.keys: dict[int, SeriesKey] = {}
        self._recipe = recipe
        self._device = device

    def part(self, node: Condition, path: str) -> Part:
        match node:
            case AllOf() | AnyOf():
                parts = [self.part(child, _below(path, place)) for place, child in enumerate(node.of)]
                return All(*parts) if isinstance(node, AllOf) else Any(*parts)
            case Not():
                return Inverted(self.part(node.of, _below(path, 0)))
            case Held():
                return Lasting(self.part(node.of, _below(path, 0)), _us(node.for_s))
            case Count():
                return Counted(self.part(node.of, _below(path, 0)), node.at_least, _us(node.window_s))
            case Outside():
                clock = Scheduled(self._recipe.clock(node.schedule))
                self.leaves.append(Leaf(path, node, clock))
                return Inverted(clock)
            case _:
                part = self._leaf(node)
                self.leaves.append(Leaf(path, node, part))
                return part

    def _leaf(self, node: Compare | Rate | Deviation | Window | Frozen | NoData) -> Part:
        match node:
            case Compare():
                age_us = _us(node.maximum_age_s)
                left, right = self._quantity(node.left, age_us), self._quantity(node.right, age_us)
                return Compared(left, node.comparison, right, node.deadband)
            case Rate() | Window():
                return Compared(self._timed(node), node.comparison, Fixed(node.limit), node.deadband)
            case Deviation():
                return Compared(self._timed(node), Comparison.ABOVE, Fixed(node.limit), node.deadband)
            case Frozen():
                return Unmoved(self._series(node.of.device, node.of.key), _us(node.for_s), node.tolerance)
            case NoData():
                of = node.of or Parameter(ANYTHING)
                return Silent(self._series(of.device, of.key), _us(node.for_s))
            case _:
                assert_never(node)

    def _quantity(self, operand: Operand, age_us: int) -> Quantity:
        match operand:
            case Constant():
                return Fixed(operand.value)
            case Parameter():
                return Newest(self._series(operand.device, operand.key), age_us)
            case Expression():
                return self._calculated(formula_of(operand.text), age_us)

    def _timed(self, node: Rate | Deviation | Window) -> Quantity:
        return self._calculated(lowered(node), _us(node.maximum_age_s))

    def _calculated(self, formula: Formula, age_us: int) -> Quantity:
        series = {one: self._series(one.device, one.parameter) for one in formula.references}
        return Calculated(formula, series, age_us)

    def _series(self, device: str, parameter: str) -> int:
        key = self._recipe.key(device or self._device, parameter)
        series = int(series_id(key))
        self.keys[series] = key
        return series


@lru_cache(maxsize=4_096)
def formula_of(text: str) -> Formula:
    """The formula of an expression; raises ExpressionError."""
    return Formula.of(text)


@lru_cache(maxsize=4_096)
def lowered(node: Rate | Deviation | Window) -> Formula:
    """A rate, deviation or window as an expression, which is evaluated on columns; raises ExpressionError."""
    of: Node = (
        Reference(node.of.key, node.of.device) if isinstance(node.of, Parameter) else formula_of(node.of.text).tree
    )
    window = Duration(_us(node.window_s))
    tree = _tree(node, of, window)
    return Formula(tree, references(tree), is_condition=False)


def _tree(node: Rate | Deviation | Window, of: Node, window: Duration) -> Node:
    match node:
        case Rate():
            return Call("rate", (of, window))
        case Window():
            return Call(_FUNCTIONS[node.function], (of, window))
        case Deviation():
            mean = Call("mean", (of, window))
            match node.direction:
                case Direction.ABOVE:
                    return Binary("-", of, mean)
                case Direction.BELOW:
                    return Binary("-", mean, of)
                case Direction.EITHER:
                    return Call("abs", (Binary("-", of, mean),))


def _below(path: str, place: int) -> str:
    return f"{path}.{place}" if path else str(place)


def _us(seconds: float) -> int:
    return round(seconds * US_PER_S)
