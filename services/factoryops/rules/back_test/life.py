"""From what a condition and what suppresses its alarm did to events: the alarm's own life, as it goes on live."""

from __future__ import annotations

from collections.abc import Iterator

from factoryops.domain import alarm_life
from factoryops.domain.alarm_life import Outcome, Raise
from factoryops.domain.alarms import AlarmEventKind, AlarmFacts, Priority
from factoryops.rules.back_test.material import Event
from factoryops.rules.conditions.program import Purpose, Turned
from factoryops.rules.delays import Move

_HAPPENED = frozenset({AlarmEventKind.RAISED, AlarmEventKind.CLEARED})


class AlarmLife:
    """One alarm that nobody shelves, acknowledges or takes out of service."""

    def __init__(self) -> None:
        self._facts = AlarmFacts(Priority.LOW)

    def take(self, purpose: Purpose, turned: Turned) -> Iterator[Event]:
        """What comes of the next move, in the order of the engine (`order_of`)."""
        move = turned.move
        self._facts, happened = self._suppression(move) if purpose is Purpose.SUPPRESSION else self._condition(move)
        for number, one in enumerate(happened):
            value = move.value if one.kind in _HAPPENED else None
            yield Event(one.kind, one.at_us, value, one.is_annunciation, None if number else turned.why)

    def _condition(self, move: Move) -> Outcome:
        facts = self._facts
        if move.kind is AlarmEventKind.RAISED:
            return alarm_life.raised(facts, Raise(facts.annunciation + 1, move.at_us, facts.priority))
        return alarm_life.cleared(facts, facts.annunciation, move.at_us)

    def _suppression(self, move: Move) -> Outcome:
        if move.kind is AlarmEventKind.RAISED:
            return alarm_life.suppressed(self._facts, move.at_us)
        return alarm_life.unsuppressed(self._facts, move.at_us)
