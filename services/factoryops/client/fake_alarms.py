"""The alarms of the imagined plant: one in each state at the start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from factoryops.client.imagined import FACTORY_ID, StarterRule
from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind, AlarmState
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import alarm_id
from factoryops.domain.rules import Comparison
from factoryops.domain.time import from_us

_MINUTE_US = 60_000_000
_WORDS = {
    Comparison.ABOVE: "above",
    Comparison.AT_OR_ABOVE: "at or above",
    Comparison.BELOW: "below",
    Comparison.AT_OR_BELOW: "at or below",
}
_RAISED_AGAIN = {"cleared_at": None, "acknowledged_at": None, "acknowledged_by": None, "comment": None}


class FakeAlarms:
    """Alarms and their events in memory."""

    def __init__(
        self,
        devices: Mapping[str, http.Device],
        starters: Sequence[tuple[http.Rule, StarterRule]],
        clock: Callable[[], int],
    ) -> None:
        self._devices = devices
        self._clock = clock
        self._change = 0
        self._alarms: dict[str, http.Alarm] = {}
        self._events: list[http.AlarmEvent] = []
        now = clock()
        happenings = [
            happening for rule, starter in starters for happening in self._starting(rule, starter, now) if happening
        ]
        for at_us, happen in sorted(happenings, key=lambda pair: pair[0]):
            happen(at_us)

    def _starting(
        self, rule: http.Rule, starter: StarterRule, now: int
    ) -> list[tuple[int, Callable[[int], object]] | None]:
        identity = alarm_id(FACTORY_ID, rule.id, starter.machine)

        def answer(at_us: int) -> object:
            return self._answer(identity, 1, "operator", None, at_us)

        planned: list[tuple[int | None, Callable[[int], object]]] = [
            (starter.raised_min, lambda at_us: self._raise(rule, starter.machine, starter.value, at_us)),
            (starter.cleared_min, lambda at_us: self._clear(identity, at_us)),
            (starter.acknowledged_min, answer),
        ]
        return [(now - minutes * _MINUTE_US, happen) for minutes, happen in planned if minutes is not None]

    def abnormal(self) -> list[http.Alarm]:
        """Every alarm that is not normal."""
        return [alarm for alarm in self._alarms.values() if alarm.state is not AlarmState.NORMAL]

    def raise_now(self, rule: http.Rule, device_key: str, value: float) -> http.Alarm:
        """Raise the rule's alarm on a device."""
        return self._raise(rule, device_key, value, self._clock())

    def clear_now(self, identity: str) -> http.Alarm:
        """Clear an alarm."""
        return self._clear(identity, self._clock())

    def acknowledge(self, request: http.AcknowledgeRequest, actor: str) -> list[http.Alarm]:
        """Acknowledge all or none; answers the alarms named, as they now are."""
        if any(item.alarm_id not in self._alarms for item in request.items):
            raise NotFoundError("There is no such alarm.")
        now = self._clock()
        for item in request.items:
            self._answer(item.alarm_id, item.annunciation, actor, request.comment, now)
        return [self._alarms[identity] for identity in dict.fromkeys(item.alarm_id for item in request.items)]

    def events(
        self, before: str | None, most: int, start: datetime | None, end: datetime | None
    ) -> http.AlarmEventPage:
        """A page of events, newest first."""
        listed = [
            event
            for event in reversed(self._events)
            if (start is None or event.at >= start) and (end is None or event.at < end)
        ]
        if before is not None:
            listed = [event for event in listed if event.id < before]
        page = listed[:most]
        return http.AlarmEventPage(events=page, next_before=page[-1].id if len(listed) > most else None)

    def _raise(self, rule: http.Rule, device_key: str, value: float, at_us: int) -> http.Alarm:
        device = next((one for one in self._devices.values() if one.key == device_key), None)
        if device is None:
            raise NotFoundError("There is no such device.")
        identity = alarm_id(FACTORY_ID, rule.id, device_key)
        held = self._alarms.get(identity) or _quiet_alarm(identity, rule, device)
        changed = held.model_copy(
            update={
                "state": AlarmState.UNACKNOWLEDGED,
                "annunciation": held.annunciation + 1,
                "raised_at": from_us(at_us),
                "value": value,
                "message": _sentence(rule.content, held, value),
                **_RAISED_AGAIN,
            }
        )
        return self._keep(changed, AlarmEventKind.RAISED, at_us, value, None)

    def _clear(self, identity: str, at_us: int) -> http.Alarm:
        held = self._alarms.get(identity)
        if held is None:
            raise NotFoundError("There is no such alarm.")
        if held.cleared_at is not None:
            return held
        is_answered = held.state is AlarmState.ACKNOWLEDGED
        state = AlarmState.NORMAL if is_answered else AlarmState.RETURNED_UNACKNOWLEDGED
        changed = held.model_copy(update={"state": state, "cleared_at": from_us(at_us)})
        return self._keep(changed, AlarmEventKind.CLEARED, at_us, held.value, None)

    def _answer(
        self, identity: str, annunciation: int, actor: str, comment: str | None, at_us: int
    ) -> http.Alarm | None:
        held = self._alarms[identity]
        is_open = held.state in (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED)
        if not is_open or annunciation < held.annunciation:
            return None
        state = AlarmState.ACKNOWLEDGED if held.cleared_at is None else AlarmState.NORMAL
        changed = held.model_copy(
            update={
                "state": state,
                "acknowledged_at": from_us(at_us),
                "acknowledged_by": actor,
                "comment": comment,
            }
        )
        return self._keep(changed, AlarmEventKind.ACKNOWLEDGED, at_us, held.value, actor)

    def _keep(
        self, alarm: http.Alarm, kind: AlarmEventKind, at_us: int, value: float | None, actor: str | None
    ) -> http.Alarm:
        self._change += 1
        self._alarms[alarm.id] = alarm.model_copy(update={"change": self._change})
        self._events.append(
            http.AlarmEvent(
                id=f"{self._change:032x}", alarm_id=alarm.id, annunciation=alarm.annunciation, kind=kind,
                at=from_us(at_us), value=value, actor=actor, comment=alarm.comment if actor else None,
                rule_name=alarm.rule_name, device_name=alarm.device_name, priority=alarm.priority,
            )
        )  # fmt: skip
        return self._alarms[alarm.id]


def _quiet_alarm(identity: str, rule: http.Rule, device: http.Device) -> http.Alarm:
    parameter = next((one for one in device.parameters if one.key == rule.content.parameter_key), None)
    if parameter is None:
        raise NotFoundError("The device has no such parameter.")
    return http.Alarm(
        id=identity, rule_id=rule.id, rule_name=rule.content.name, device_id=device.id, device_key=device.key,
        device_name=device.name, area=device.area, parameter_key=parameter.key, series_id=parameter.series_id,
        priority=rule.content.priority, state=AlarmState.NORMAL, annunciation=0, raised_at=None, cleared_at=None,
        value=None, unit=parameter.unit, message="", response=rule.content.response,
    )  # fmt: skip


def _sentence(content: http.RuleContent, alarm: http.Alarm, value: float) -> str:
    name = content.parameter_key.replace("_", " ").capitalize()
    return f"{name} is {value:g} {alarm.unit}, {_WORDS[content.comparison]} the limit of {content.limit:g} {alarm.unit}"
