"""Why an alarm was raised or cleared, as it is recorded with the event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from factoryops.alarms.condition_wording import Describe, phrase
from factoryops.alarms.directory import Description, Directory
from factoryops.contracts.transitions import Why, WhyLeaf, WhySample
from factoryops.domain.conditions.tree import Condition, Parameter, children
from factoryops.domain.samples import SeriesKey
from factoryops.rules.conditions.explanation import Evidence, Explanation, crossed
from factoryops.rules.conditions.program import ProgramMoved, Purpose
from factoryops.rules.conditions.signal import STATE_NAMES
from factoryops.rules.evaluator import Moved

_LONGEST_TEXT: Final = 500


def describing(directory: Directory, factory: str, device: str) -> Describe:
    """How parameters are shown in the sentences of one device's alarms."""

    def describe(one: Parameter) -> Description:
        return directory.describe(SeriesKey(factory, one.device or device, one.key))

    return describe


def why_of_limit(moved: Moved, describe: Describe) -> Why | None:
    """Why a plain limit turned: the one sample that crossed it."""
    found = crossed(moved.watch.series, moved.watching.threshold.limit, moved.move)
    if moved.is_withdrawn or found is None:
        return None
    condition = moved.watching.rule.definition.condition
    return why(found, condition, {moved.watch.series: moved.watch.key}, describe)


def why_of_program(moved: ProgramMoved, describe: Describe) -> Why | None:
    """Why a condition turned."""
    return None if moved.why is None else why(moved.why, condition_of(moved), moved.keys, describe)


def condition_of(moved: ProgramMoved) -> Condition:
    """What turned: the rule's condition, or what suppresses its alarm."""
    definition = moved.in_force.rule.definition
    if moved.purpose is Purpose.SUPPRESSION and definition.suppress_while is not None:
        return definition.suppress_while
    return definition.condition


def node_at(condition: Condition, path: str) -> Condition:
    """The part of a condition at a path such as "0.2"."""
    for place in path.split(".") if path else ():
        condition = children(condition)[int(place)]
    return condition


def why(explanation: Explanation, condition: Condition, keys: Mapping[int, SeriesKey], describe: Describe) -> Why:
    """An explanation in words.

    Args:
        explanation: what was found.
        condition: of which it speaks.
        keys: what its series stand for.
        describe: how they are shown.
    """
    leaves = tuple(
        WhyLeaf(
            path=said.path,
            text=phrase(node_at(condition, said.path), describe)[:_LONGEST_TEXT],
            state=STATE_NAMES[said.state],
            value=said.value,
            limit=said.limit,
            samples=tuple(_sample(one, keys[one.series]) for one in said.samples),
        )
        for said in explanation.leaves
    )
    return Why(explanation.at_us, leaves, explanation.is_whole)


def _sample(evidence: Evidence, key: SeriesKey) -> WhySample:
    return WhySample(key.device, key.parameter, evidence.time_us, evidence.value, evidence.flags)
