"""What each request of an operator does to each alarm it names: the one meaning that service and stand-in share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from factoryops.contracts import http
from factoryops.domain import alarm_life
from factoryops.domain.alarm_classes import AlarmClass
from factoryops.domain.alarm_life import Deed, Outcome
from factoryops.domain.alarms import AlarmFacts, Mark
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.time import US_PER_S, to_us

Step: TypeAlias = Callable[[AlarmFacts, AlarmClass], Outcome]
Orders: TypeAlias = Mapping[str, Step]
"""What to do with each alarm, by its id, given its facts and class; raises what `domain.errors` says."""


def acknowledging(request: http.AcknowledgeRequest, deed: Deed) -> Orders:
    """Answer the newest announcement named of each alarm; some classes ask for a comment."""
    marks: dict[str, Mark] = {}
    for item in request.items:
        marks[item.alarm_id] = max((item.annunciation, item.renewal), marks.get(item.alarm_id, (0, 0)))

    def step(mark: Mark) -> Step:
        def acknowledge(facts: AlarmFacts, of_class: AlarmClass) -> Outcome:
            outcome = alarm_life.acknowledged(facts, mark, deed)
            if outcome[1]:
                of_class.check_comment(deed.said)
            return outcome

        return acknowledge

    return {identity: step(mark) for identity, mark in marks.items()}


def resetting(request: http.ResetRequest, deed: Deed) -> Orders:
    """Release latches."""
    newest: dict[str, int] = {}
    for item in request.items:
        newest[item.alarm_id] = max(item.annunciation, newest.get(item.alarm_id, 0))

    def step(annunciation: int) -> Step:
        return lambda facts, _: alarm_life.reset(facts, annunciation, deed)

    return {identity: step(annunciation) for identity, annunciation in newest.items()}


def shelving(request: http.ShelveRequest, deed: Deed) -> Orders:
    """Put aside, each for as long as its class permits."""
    if request.for_s is not None and request.until is not None:
        raise InvalidInputError(
            "Say for how long or until when, not both.", fields={"until": "leave it out, or leave out for_s"}
        )
    wanted_us = None if request.until is None else to_us(request.until)
    if request.for_s is not None:
        wanted_us = deed.at_us + int(request.for_s * US_PER_S)

    def shelve(facts: AlarmFacts, of_class: AlarmClass) -> Outcome:
        until_us = of_class.shelf_end_us(deed.at_us, wanted_us)
        return alarm_life.shelved(facts, until_us, deed, is_one_shot=request.is_one_shot)

    return dict.fromkeys(request.alarm_ids, shelve)


def unshelving(request: http.TakeUpRequest, deed: Deed) -> Orders:
    """Take up what was shelved."""
    return dict.fromkeys(request.alarm_ids, lambda facts, _: alarm_life.unshelved(facts, deed))


def taking_out(request: http.TakeOutRequest, deed: Deed) -> Orders:
    """Take out of service."""
    until_us = None if request.until is None else to_us(request.until)
    if until_us is not None and until_us <= deed.at_us:
        raise InvalidInputError(
            "The end of being out of service has passed already: choose a later one, or none.",
            fields={"until": "choose another end"},
        )
    return dict.fromkeys(request.alarm_ids, lambda facts, _: alarm_life.taken_out(facts, until_us, deed))


def returning(request: http.TakeUpRequest, deed: Deed) -> Orders:
    """Return to service."""
    return dict.fromkeys(request.alarm_ids, lambda facts, _: alarm_life.returned(facts, deed))
