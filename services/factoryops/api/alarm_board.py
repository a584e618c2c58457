"""Every alarm of every factory as operators see it now: the database's rows merged with what the engine says live.

The database is the truth; a transition of the engine runs ahead of it by milliseconds, or by the length of an outage.
Copies leave with change numbers of the board's own, so that a client can always tell the newer of two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from factoryops.contracts import http
from factoryops.contracts.transitions import AlarmTransition
from factoryops.domain.alarms import AlarmState, Priority
from factoryops.domain.identity import FactoryId
from factoryops.domain.time import from_us, now_us

_ANSWERED: Final = (AlarmState.ACKNOWLEDGED, AlarmState.NORMAL)
_ACTIVE: Final = (AlarmState.ACKNOWLEDGED, AlarmState.UNACKNOWLEDGED)
_OWN: Final = {"change", "is_recorded"}


def _place(alarm: http.Alarm) -> tuple[int, bool]:
    """How far the condition has come: later places compare larger."""
    return alarm.annunciation, alarm.state not in _ACTIVE


class AlarmBoard:
    """Alarms by factory and id; used on the event loop alone."""

    def __init__(self, clock: Callable[[], int] = now_us) -> None:
        self._clock = clock
        self._alarms: dict[FactoryId, dict[str, http.Alarm]] = {}
        self._change = 0

    def abnormal(self, factory: FactoryId) -> list[http.Alarm]:
        """Every alarm of a factory that is not normal: unanswered first, then by priority, newest first."""
        shown = [alarm for alarm in self._alarms.get(factory, {}).values() if alarm.state is not AlarmState.NORMAL]
        shown.sort(key=lambda alarm: alarm.raised_at.timestamp() if alarm.raised_at else 0.0, reverse=True)
        return sorted(shown, key=lambda alarm: (alarm.state in _ANSWERED, alarm.priority))

    def named(self, factory: FactoryId, alarm_ids: Iterable[str]) -> list[http.Alarm]:
        """Alarms of a factory by their ids; unknown ones are left out."""
        held = self._alarms.get(factory, {})
        return [held[identity] for identity in alarm_ids if identity in held]

    def active_count(self) -> int:
        """How many alarms of all factories are not normal."""
        return sum(alarm.state is not AlarmState.NORMAL for held in self._alarms.values() for alarm in held.values())

    def take_transitions(self, transitions: Iterable[AlarmTransition]) -> list[tuple[FactoryId, http.Alarm]]:
        """Merge what the engine says; answers the alarms that changed."""
        changed: list[tuple[FactoryId, http.Alarm]] = []
        for transition in transitions:
            factory = FactoryId(transition.factory_id)
            held = self._alarms.get(factory, {}).get(transition.alarm_id)
            moved = _moved(held, transition)
            if held is None or _place(moved) > _place(held):
                changed.append((factory, self._keep(factory, moved)))
        return changed

    def take_rows(self, rows: Iterable[tuple[FactoryId, http.Alarm]]) -> list[tuple[FactoryId, http.Alarm]]:
        """Merge rows of the database; answers the alarms that changed."""
        changed: list[tuple[FactoryId, http.Alarm]] = []
        for factory, row in rows:
            held = self._alarms.get(factory, {}).get(row.id)
            merged = row if held is None or _place(row) >= _place(held) else _answered_by(held, row)
            if held is None or _differ(merged, held):
                changed.append((factory, self._keep(factory, merged)))
        return changed

    def _keep(self, factory: FactoryId, alarm: http.Alarm) -> http.Alarm:
        self._change = max(self._change + 1, self._clock())
        kept = alarm.model_copy(update={"change": self._change})
        self._alarms.setdefault(factory, {})[alarm.id] = kept
        return kept


def _differ(one: http.Alarm, other: http.Alarm) -> bool:
    return one.is_recorded != other.is_recorded or one.model_dump(exclude=_OWN) != other.model_dump(exclude=_OWN)


def _moved(held: http.Alarm | None, transition: AlarmTransition) -> http.Alarm:
    """The alarm after a transition that may be news."""
    is_raise = transition.kind == "raised"
    is_same = held is not None and held.annunciation == transition.annunciation
    is_answered = held is not None and is_same and held.state in _ANSWERED
    if is_raise:
        state = AlarmState.ACKNOWLEDGED if is_answered else AlarmState.UNACKNOWLEDGED
    else:
        state = AlarmState.NORMAL if is_answered else AlarmState.RETURNED_UNACKNOWLEDGED
    at = from_us(transition.at_us)
    told = _told(transition, state)
    if held is not None and is_same and not is_raise:
        kept = ("raised_at", "value", "message", "acknowledged_at", "acknowledged_by", "comment")
        return told.model_copy(update={name: getattr(held, name) for name in kept} | {"cleared_at": at})
    return told.model_copy(update={"raised_at": at} if is_raise else {"cleared_at": at})


def _told(transition: AlarmTransition, state: AlarmState) -> http.Alarm:
    return http.Alarm(
        id=transition.alarm_id, rule_id=transition.rule_id, rule_name=transition.rule_name,
        device_id=transition.device_id, device_key=transition.device_key, device_name=transition.device_name,
        area=transition.area, parameter_key=transition.parameter_key, series_id=transition.series_id,
        priority=Priority(transition.priority), state=state, annunciation=transition.annunciation, raised_at=None,
        cleared_at=None, value=transition.value, unit=transition.unit, message=transition.message,
        response=transition.response, is_recorded=transition.is_recorded,
    )  # fmt: skip


def _answered_by(held: http.Alarm, row: http.Alarm) -> http.Alarm:
    """An alarm whose condition is ahead of the database, with the database's acknowledgement where it answers it."""
    if row.annunciation != held.annunciation:
        return held
    is_answered = row.state in _ANSWERED
    state = AlarmState.NORMAL if is_answered else AlarmState.RETURNED_UNACKNOWLEDGED
    facts = {name: getattr(row, name) for name in ("acknowledged_at", "acknowledged_by", "comment")}
    return held.model_copy(update={"state": state, **facts})
