"""What a rule looks at, to be drawn: parameters with the limits it holds them against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from factoryops.domain.conditions.checking import references
from factoryops.domain.conditions.tree import Compare, Condition, Constant, Parameter, walk
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.rule import RuleScope
from factoryops_app.models.condition_draft import NodeDraft
from factoryops_app.models.plant import Measured, PlantStore
from factoryops_app.models.rule_draft import RuleDraft

MOST_PENS: Final = 4


@dataclass(frozen=True, slots=True)
class Watched:
    """A parameter and the limits drawn with it."""

    measured: Measured
    limits: tuple[float, ...]


def is_in(scope: RuleScope, measured: Measured) -> bool:
    """Whether a rule with this scope is evaluated for the parameter's device."""
    device = measured.device
    return (
        scope.is_whole_factory or device.key in scope.devices or device.kind in scope.kinds
        or device.area in scope.areas
    )  # fmt: skip


def watched(draft: RuleDraft, plant: PlantStore, *, most: int = MOST_PENS) -> Sequence[Watched]:
    """The first parameters that the rule looks at; none while its condition cannot be read yet."""
    condition = _readable(draft.shown_tree())
    if condition is None:
        return ()
    limits = _limits(condition)
    found: list[Watched] = []
    for reference in references(condition):
        for one in plant.parameters:
            is_meant = one.device.key == reference.device if reference.device else is_in(draft.scope.scope(), one)
            if one.parameter.key == reference.parameter and is_meant:
                found.append(Watched(one, limits.get((reference.parameter, reference.device), ())))
    return found[:most]


def _readable(tree: NodeDraft | None) -> Condition | None:
    if tree is None:
        return None
    try:
        return tree.condition()
    except (ValueError, FactoryOpsError):
        return None


def _limits(condition: Condition) -> dict[tuple[str, str], tuple[float, ...]]:
    found: dict[tuple[str, str], tuple[float, ...]] = {}
    for node in walk(condition):
        match node:
            case Compare(Parameter(key, device), _, Constant(value)):
                found[key, device] = (*found.get((key, device), ()), value)
    return found
