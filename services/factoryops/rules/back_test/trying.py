"""A rule and its variants tried on the devices of its scope, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from factoryops.domain.rule import RuleDefinition, RuleInForce
from factoryops.rules.back_test.limit_run import run_limits
from factoryops.rules.back_test.material import WARM_UP_US, DeviceResult, Material
from factoryops.rules.back_test.program_run import run_programs
from factoryops.rules.back_test.shown import Shown
from factoryops.rules.immediate import immediate

Tell = Callable[[float], None]
"""Told which share (0 to 1) is done; it may raise AbandonedError."""


def try_rule(
    in_force: RuleInForce,
    variants: Sequence[RuleDefinition],
    devices: Sequence[str],
    material: Material,
    tell: Tell,
    *,
    most_shown: int,
) -> list[DeviceResult]:
    """What the rule and then each variant would have done, by device.

    The events are those that the engine would have made in the span of `material`, had the rule been in force since a
    day before it; samples are read once for all variants.

    Args:
        in_force: the rule.
        variants: the same rule with other limits or delays.
        devices: keys of those of its scope.
        material: history.
        tell: told how far it is.
        most_shown: of so many events of the rule, the first of all devices, it is found out why.
    """
    done: list[DeviceResult] = []
    shown = Shown(material.span, most_shown)
    whole_us = material.span[1] - material.span[0] + WARM_UP_US
    for number, device in enumerate(devices):

        def reached(until_us: int, number: int = number) -> None:
            tell((number + min(1.0, (until_us - material.begin_us) / whole_us)) / len(devices))

        done.append(_try_on(in_force, variants, device, material, reached, shown))
    return done


def _try_on(
    in_force: RuleInForce,
    variants: Sequence[RuleDefinition],
    device: str,
    material: Material,
    reached: Callable[[int], None],
    shown: Shown,
) -> DeviceResult:
    definitions = [in_force.rule.definition, *variants]
    thresholds = [threshold for one in definitions if (threshold := immediate(one)) is not None]
    if len(thresholds) == len(definitions):
        return run_limits(device, thresholds, material, reached, shown)
    return run_programs(device, in_force, definitions, material, reached, shown)
