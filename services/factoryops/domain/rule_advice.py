"""What the author of a rule should know before it is saved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from factoryops.domain.conditions.tree import NoData, Parameter, walk
from factoryops.domain.rule import RuleDefinition


class Sifted(NamedTuple):
    """A parameter with a deadband, which holds samples back.

    Attributes:
        device / kind / area: of its device.
        longest_s: a sample is kept after this time whatever it is.
    """

    device: str
    kind: str
    area: str
    parameter: str
    longest_s: float


def mistaken_for_silence(definition: RuleDefinition, sifted: Iterable[Sifted]) -> list[Sifted]:
    """The parameters of which a part "no data" of the rule takes what their deadband holds back for silence."""
    parts = [*_silences(definition)]
    return [
        one for one in sifted
        if any(_is_meant(of, one, definition) and for_s <= one.longest_s for of, for_s in parts)
    ]  # fmt: skip


def _silences(definition: RuleDefinition) -> Iterator[tuple[Parameter, float]]:
    for condition in definition.conditions:
        for node in walk(condition):
            if isinstance(node, NoData) and node.of is not None:
                yield node.of, node.for_s


def _is_meant(of: Parameter, one: Sifted, definition: RuleDefinition) -> bool:
    if of.key != one.parameter:
        return False
    return of.device == one.device if of.device else definition.scope.covers(one.device, one.kind, one.area)
