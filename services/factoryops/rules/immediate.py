"""Which rules are evaluated on each sample as it comes: a fixed limit on one parameter, at any time.

One whose alarm something suppresses is not among them: both are judged with the watermark, so that an alarm that is
suppressed at the moment it is raised has told nobody before.
"""

from __future__ import annotations

import msgspec

from factoryops.domain.conditions.limits import plain_limit
from factoryops.domain.conditions.tree import DEFAULT_AGE_S, Compare, Comparison
from factoryops.domain.rule import RuleDefinition


class Threshold(msgspec.Struct, frozen=True):
    """A limit on one parameter, and how long it must be crossed.

    The condition turns true when the value compares so with `limit`, and false again when it no longer compares so
    with the limit moved back by `deadband` (so that without a deadband it is the comparison itself). It raises after
    `on_delay_s` of staying true, clears after `off_delay_s` of staying false, both counted on the samples' own time.

    Attributes:
        deadband: at or above 0, in the parameter's unit.
        maximum_age_s: how long a sample counts; a delay that is due later waits for the next one.
    """

    parameter_key: str
    comparison: Comparison
    limit: float
    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    maximum_age_s: float = DEFAULT_AGE_S


def immediate(definition: RuleDefinition) -> Threshold | None:
    """What a rule watches sample by sample; None for one that is evaluated as a program with the watermark."""
    condition = definition.condition
    plain = plain_limit(condition)
    if plain is None or not isinstance(condition, Compare):
        return None
    if not definition.schedule.is_always or definition.suppress_while is not None:
        return None
    return Threshold(
        plain.parameter_key, plain.comparison, plain.limit, plain.deadband, definition.on_delay_s,
        definition.off_delay_s, condition.maximum_age_s,
    )  # fmt: skip
