"""Conditions as the product wrote them that this one replaces: groups of AND and OR over a message's metrics.

A group has `operator` ("AND" when it is missing) and `conditions`; a leaf has `parameter`, `operator` and `value`. What
was false there whatever the metrics said (an empty group, an operator that does not exist) is left out here, or makes
everything false that it was joined to by AND. Groups nested in their own kind become one, so that depth hardly matters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from factoryops.domain.conditions.tree import AllOf, AnyOf, Compare, Comparison, Condition, Constant, Parameter
from factoryops.domain.plant import is_key

_OPERATORS: Final[Mapping[str, Comparison]] = {one.value: one for one in Comparison}
_Known: TypeAlias = dict[int, Condition | None]


class UnreadableConditionError(ValueError):
    """Something in the tree is no condition at all; there it made the whole tree false."""


def read_condition(tree: object) -> Condition | None:
    """The condition that a tree amounts to; None when it can never be true.

    Raises:
        UnreadableConditionError: a part is neither a group nor a leaf that can be compared.
    """
    if not isinstance(tree, Mapping) or not _is_group(tree):
        raise UnreadableConditionError("its root is not a group")
    made: _Known = {}
    for part in _from_the_leaves(tree):
        made[id(part)] = _group(part, made) if _is_group(part) else _leaf(part)
    return made[id(tree)]


def _from_the_leaves(root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every part, each behind its own parts; without recursion, since depth has no limit there."""
    waiting, found = [root], []
    while waiting:
        part = waiting.pop()
        found.append(part)
        if _is_group(part):
            waiting += _parts_of(part)
    return found[::-1]


def _is_group(part: Mapping[str, Any]) -> bool:
    return "conditions" in part


def _parts_of(group: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    parts = group["conditions"]
    if not isinstance(parts, Sequence) or isinstance(parts, str) or not all(isinstance(one, Mapping) for one in parts):
        raise UnreadableConditionError("a group's conditions are no list of groups and comparisons")
    return parts


def _group(group: Mapping[str, Any], made: _Known) -> Condition | None:
    operator = str(group.get("operator") or "AND").upper()
    parts = [made[id(one)] for one in _parts_of(group)]
    if operator not in {"AND", "OR"}:
        return None
    kind: type[AllOf | AnyOf] = AllOf if operator == "AND" else AnyOf
    known = [one for one in parts if one is not None]
    if not known or (kind is AllOf and len(known) < len(parts)):
        return None
    of = [inner for one in known for inner in (one.of if isinstance(one, kind) else (one,))]
    return of[0] if len(of) == 1 else kind(tuple(of))


def _leaf(leaf: Mapping[str, Any]) -> Condition | None:
    comparison = _OPERATORS.get(str(leaf.get("operator")))
    key, value = leaf.get("parameter"), leaf.get("value")
    if comparison is None or not isinstance(key, str) or not is_key(key):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise UnreadableConditionError(f"{key} is compared with something that is no number")
    return Compare(Parameter(key), comparison, Constant(float(value)))
