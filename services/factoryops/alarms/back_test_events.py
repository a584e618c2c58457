"""The events of a back-test, as people are told: what happened when, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from factoryops.alarms.condition_wording import plain
from factoryops.alarms.directory import Directory
from factoryops.alarms.why import describing, why
from factoryops.contracts import http
from factoryops.contracts.transitions import Why, WhyLeaf
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.rule import RuleDefinition
from factoryops.domain.time import from_us
from factoryops.rules.back_test.material import DeviceResult, Event
from factoryops.rules.conditions.signal import FALSE, STATE_NAMES, TRUE

_OF_SUPPRESSION: Final = frozenset({AlarmEventKind.SUPPRESSED, AlarmEventKind.UNSUPPRESSED})
_BEGINNINGS: Final = frozenset({AlarmEventKind.RAISED, AlarmEventKind.SUPPRESSED})


def told_events(
    results: Sequence[DeviceResult], span: tuple[int, int], definition: RuleDefinition, directory: Directory
) -> list[http.BackTestEvent]:
    """The first events of a rule on all devices, oldest first; one more than are shown where there are more.

    Args:
        results: by device.
        span: [start, end) in microseconds.
        definition: the rule.
        directory: what devices and parameters are called.
    """
    found = [(event, result) for result in results for event in result.in_span(0, span)]
    found.sort(key=lambda pair: (pair[0].at_us, pair[1].device))
    return [
        _told(event, result, definition, directory, is_explained=place < http.MOST_EXPLAINED)
        for place, (event, result) in enumerate(found[: http.MOST_BACK_TEST_EVENTS + 1])
    ]


def _told(
    event: Event, result: DeviceResult, definition: RuleDefinition, directory: Directory, *, is_explained: bool
) -> http.BackTestEvent:
    made = http.BackTestEvent(
        device_key=result.device, kind=event.kind, at=from_us(event.at_us), value=event.value, is_told=event.is_told
    )
    found = _why(event, result, definition, directory) if is_explained else None
    if found is None:
        return made
    return made.model_copy(
        update={
            "why": in_words(found, STATE_NAMES[TRUE if event.kind in _BEGINNINGS else FALSE]),
            "turned_at": from_us(found.at_us),
            "leaves": [http.DecidingLeaf.of(leaf) for leaf in found.leaves],
            "is_whole": found.is_whole,
        }
    )


def _why(event: Event, result: DeviceResult, definition: RuleDefinition, directory: Directory) -> Why | None:
    if event.why is None or not result.keys:
        return None
    condition = definition.condition
    if event.kind in _OF_SUPPRESSION and definition.suppress_while is not None:
        condition = definition.suppress_while
    factory = next(iter(result.keys.values())).factory
    return why(event.why, condition, result.keys, describing(directory, factory, result.device))


def in_words(found: Why, state: str) -> str:
    """The comparisons that say so, with their values, in one line."""
    return "; ".join(_leaf(leaf) for leaf in found.leaves if leaf.state == state)


def _leaf(leaf: WhyLeaf) -> str:
    text = leaf.text if leaf.state == STATE_NAMES[TRUE] else f"not ({leaf.text})"
    return text if leaf.value is None else f"{text}: {plain(leaf.value)}"
