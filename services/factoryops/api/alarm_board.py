"""Every alarm of every factory as operators see it now: the database's rows merged with what the engine says live.

The database is the truth; a transition of the engine runs ahead of it by milliseconds, or by the length of an outage.
What is ahead of a row is put onto it by the same functions by which the database will (`domain.alarm_life`), so that
the two end at the same. Copies leave with change numbers of the board's own, so that a client can always tell the
newer of two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from factoryops.contracts import http
from factoryops.contracts.alarm_view import facts_behind, listed, shown_facts
from factoryops.contracts.transitions import AlarmTransition
from factoryops.domain import alarm_life
from factoryops.domain.alarm_life import Deed
from factoryops.domain.alarms import AlarmEventKind, AlarmFacts, AlarmState, Priority
from factoryops.domain.identity import FactoryId
from factoryops.domain.time import now_us

_OWN: Final = {"change", "is_recorded"}


class AlarmBoard:
    """Alarms by factory and id; used on the event loop alone."""

    def __init__(self, clock: Callable[[], int] = now_us) -> None:
        self._clock = clock
        self._alarms: dict[FactoryId, dict[str, http.Alarm]] = {}
        self._row_changes: dict[str, int] = {}
        self._ahead: dict[str, dict[str, AlarmTransition]] = {}
        self._change = 0

    def abnormal(self, factory: FactoryId) -> list[http.Alarm]:
        """Every alarm of a factory that is not normal: unanswered first, then by priority, newest first."""
        return listed([*self._alarms.get(factory, {}).values()], None).alarms

    def named(self, factory: FactoryId, alarm_ids: Iterable[str]) -> list[http.Alarm]:
        """Alarms of a factory by their ids; unknown ones are left out."""
        held = self._alarms.get(factory, {})
        return [held[identity] for identity in alarm_ids if identity in held]

    def unrecorded(self, factory: FactoryId) -> list[http.Alarm]:
        """Alarms of a factory that the database does not know yet as they are."""
        return [alarm for alarm in self._alarms.get(factory, {}).values() if not alarm.is_recorded]

    def active_count(self) -> int:
        """How many alarms of all factories are not normal."""
        return sum(alarm.state is not AlarmState.NORMAL for held in self._alarms.values() for alarm in held.values())

    def take_transitions(self, transitions: Iterable[AlarmTransition]) -> list[tuple[FactoryId, http.Alarm]]:
        """Merge what the engine says; answers the alarms that changed."""
        changed: list[tuple[FactoryId, http.Alarm]] = []
        for transition in transitions:
            factory = FactoryId(transition.factory_id)
            moved = _moved(self._alarms.get(factory, {}).get(transition.alarm_id), transition)
            if moved is None:
                continue
            # One of each kind is enough: a newer one of a kind makes the older one of no account.
            ahead = self._ahead.setdefault(transition.alarm_id, {})
            ahead.pop(transition.kind, None)
            ahead[transition.kind] = transition
            changed.append((factory, self._keep(factory, moved)))
        return changed

    def take_rows(self, rows: Iterable[tuple[FactoryId, http.Alarm]]) -> list[tuple[FactoryId, http.Alarm]]:
        """Merge rows of the database; answers the alarms that changed. A row older than one seen before is passed."""
        changed: list[tuple[FactoryId, http.Alarm]] = []
        for factory, row in rows:
            if row.change < self._row_changes.get(row.id, 0):
                continue
            self._row_changes[row.id] = row.change
            held = self._alarms.get(factory, {}).get(row.id)
            merged = self._with_what_is_ahead(row)
            if held is None or _differ(merged, held):
                changed.append((factory, self._keep(factory, merged)))
        return changed

    def _with_what_is_ahead(self, row: http.Alarm) -> http.Alarm:
        merged = row
        for kind, transition in [*self._ahead.get(row.id, {}).items()]:
            moved = _moved(merged, transition)
            if moved is None:
                del self._ahead[row.id][kind]
            else:
                merged = moved
        if not self._ahead.get(row.id):
            self._ahead.pop(row.id, None)
        return merged

    def _keep(self, factory: FactoryId, alarm: http.Alarm) -> http.Alarm:
        self._change = max(self._change + 1, self._clock())
        kept = alarm.model_copy(update={"change": self._change})
        self._alarms.setdefault(factory, {})[alarm.id] = kept
        return kept


def _differ(one: http.Alarm, other: http.Alarm) -> bool:
    return one.is_recorded != other.is_recorded or one.model_dump(exclude=_OWN) != other.model_dump(exclude=_OWN)


def _moved(held: http.Alarm | None, transition: AlarmTransition) -> http.Alarm | None:
    """The alarm after a transition; None where that is no news."""
    if transition.is_shadow:
        return None if held is None else _taken_over(held, transition)
    before = AlarmFacts(Priority(transition.priority)) if held is None else facts_behind(held)
    facts, _ = transition.moved(before)
    if facts == before:
        return None
    is_raise = transition.kind == AlarmEventKind.RAISED.value
    told = _told(transition) if held is None or is_raise else held
    return told.model_copy(update={**shown_facts(facts), "is_recorded": transition.is_recorded})


def _taken_over(held: http.Alarm, transition: AlarmTransition) -> http.Alarm | None:
    """A shadow's raise ends what its rule raised while it was live; nothing else that a shadow says is anybody's."""
    is_raise = transition.kind == AlarmEventKind.RAISED.value and transition.annunciation > held.annunciation
    if not is_raise or held.state is AlarmState.NORMAL:
        return None
    facts, _ = alarm_life.withdrawn(facts_behind(held), Deed("", transition.at_us))
    facts = replace(facts, is_active=False, is_suppressed=False)
    return held.model_copy(update={**shown_facts(facts), "is_recorded": transition.is_recorded})


def _told(transition: AlarmTransition) -> http.Alarm:
    return http.Alarm(
        id=transition.alarm_id, rule_id=transition.rule_id, rule_name=transition.rule_name,
        rule_version=transition.rule_version, device_id=transition.device_id, device_key=transition.device_key,
        device_name=transition.device_name, area=transition.area, line=transition.line,
        parameter_key=transition.parameter_key, series_id=transition.series_id,
        priority=Priority(transition.priority), state=AlarmState.NORMAL, annunciation=0, raised_at=None,
        cleared_at=None, value=transition.value, unit=transition.unit, message=transition.message,
        response=transition.response, order=transition.order, alarm_class=transition.alarm_class,
    )  # fmt: skip
