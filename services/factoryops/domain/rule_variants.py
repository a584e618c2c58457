"""The rules of a sweep: the one that is tried, with other limits, deadbands and delays."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import msgspec

from factoryops.domain.conditions.limits import PlainLimit, plain_limit
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.rule import RuleDefinition


def variants(
    definition: RuleDefinition,
    *,
    limits: Sequence[float] = (),
    deadbands: Sequence[float] = (),
    on_delays_s: Sequence[float] = (),
    off_delays_s: Sequence[float] = (),
) -> list[RuleDefinition]:
    """Every combination; where a sequence is empty, what the rule says is kept. None without any.

    Raises:
        InvalidInputError: limits or deadbands are to be varied of a rule that is no plain limit.
    """
    if not (limits or deadbands or on_delays_s or off_delays_s):
        return []
    plain = plain_limit(definition.condition)
    if plain is None and (limits or deadbands):
        raise InvalidInputError(
            "Limits and deadbands can only be tried for a rule that compares one parameter with a number. "
            "Try other delays, or change the condition itself.",
            fields={"sweep": "the rule has no single limit"},
        )
    return [
        _variant(definition, plain, *values)
        for values in product(limits or (None,), deadbands or (None,), on_delays_s or (None,), off_delays_s or (None,))
    ]


def _variant(
    definition: RuleDefinition,
    plain: PlainLimit | None,
    limit: float | None,
    deadband: float | None,
    on_delay_s: float | None,
    off_delay_s: float | None,
) -> RuleDefinition:
    condition = definition.condition
    if plain is not None and not (limit is None and deadband is None):
        changed = {"limit": limit, "deadband": deadband}
        condition = msgspec.structs.replace(
            plain, **{name: value for name, value in changed.items() if value is not None}
        ).condition
    return msgspec.structs.replace(
        definition,
        condition=condition,
        on_delay_s=definition.on_delay_s if on_delay_s is None else on_delay_s,
        off_delay_s=definition.off_delay_s if off_delay_s is None else off_delay_s,
    )
