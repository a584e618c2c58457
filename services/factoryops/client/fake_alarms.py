"""The alarms of the imagined plant: one in each state that starts from the condition and its acknowledgement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from factoryops.client.fake_whys import why_of
from factoryops.client.imagined import FACTORY_ID, StarterRule
from factoryops.contracts import http
from factoryops.contracts.alarm_view import moment, shown_facts
from factoryops.domain import alarm_life
from factoryops.domain.alarm_life import Deed, Happening, Outcome, Raise
from factoryops.domain.alarms import AlarmEventKind, AlarmFacts, AlarmState
from factoryops.domain.conditions.checking import own_parameters
from factoryops.domain.conditions.limits import plain_limit
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import alarm_id
from factoryops.domain.rule import RuleMode
from factoryops.domain.time import from_us

_MINUTE_US = 60_000_000
_REPEATED = (AlarmEventKind.SUPPRESSED, AlarmEventKind.UNSUPPRESSED)
_EXPLAINED = (AlarmEventKind.RAISED, AlarmEventKind.CLEARED, *_REPEATED)
_WORDS = {
    Comparison.ABOVE: "above",
    Comparison.AT_OR_ABOVE: "at or above",
    Comparison.BELOW: "below",
    Comparison.AT_OR_BELOW: "at or below",
}


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
        self._facts: dict[str, AlarmFacts] = {}
        self._rules: dict[str, http.Rule] = {}
        self._events: list[http.AlarmEvent] = []
        self._requests: set[str] = set()
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
            facts = self._facts[identity]
            return self.take(identity, alarm_life.acknowledged(facts, facts.mark, Deed("operator", at_us)))

        planned: list[tuple[int | None, Callable[[int], object]]] = [
            (starter.raised_min, lambda at_us: self._raise(rule, starter.machine, starter.value, at_us)),
            (starter.cleared_min, lambda at_us: self._clear(identity, at_us)),
            (starter.acknowledged_min, answer),
        ]
        return [(now - minutes * _MINUTE_US, happen) for minutes, happen in planned if minutes is not None]

    def all(self) -> list[http.Alarm]:
        """Every alarm; those of rules that are only being tried are nobody's."""
        return [alarm for identity, alarm in self._alarms.items() if not self._facts[identity].is_shadow]

    def get(self, identity: str) -> http.Alarm:
        """One alarm; NotFoundError when there is none."""
        if identity not in self._alarms:
            raise NotFoundError("There is no such alarm.")
        return self._alarms[identity]

    def facts(self, identity: str) -> AlarmFacts:
        """The facts of an alarm; NotFoundError when there is none."""
        self.get(identity)
        return self._facts[identity]

    def why(self, identity: str, annunciation: int, kind: AlarmEventKind, at: datetime | None) -> http.AlarmWhy:
        """Why an annunciation began or ended, or a suppression; NotFoundError when it is not known."""
        wanted = (identity, annunciation, kind)
        for event in reversed(self._events):
            is_then = at is None or kind not in _REPEATED or event.at == at
            if is_then and (event.alarm_id, event.annunciation, event.kind) == wanted and kind in _EXPLAINED:
                return why_of(self.get(identity), self._rules[identity], event)
        raise NotFoundError("Why this happened was not recorded.")

    def sheet(self, identity: str) -> http.ResponseSheet:
        """What is to be known and done about an alarm."""
        alarm = self.get(identity)
        return http.ResponseSheet(
            alarm_id=alarm.id, rule_name=alarm.rule_name, rule_version=alarm.rule_version, priority=alarm.priority,
            alarm_class=alarm.alarm_class, action=alarm.response,
        )  # fmt: skip

    def is_new(self, request_id: str) -> bool:
        """Whether a request was not seen before; one without an id is always new."""
        is_known = request_id in self._requests
        self._requests |= {request_id} - {""}
        return not is_known

    def raise_now(self, rule: http.Rule, device_key: str, value: float) -> http.Alarm:
        """Raise the rule's alarm on a device."""
        return self._raise(rule, device_key, value, self._clock())

    def clear_now(self, identity: str) -> http.Alarm:
        """Clear an alarm."""
        self.get(identity)
        return self._clear(identity, self._clock())

    def end_demoted(self, rule: http.Rule) -> list[http.Alarm]:
        """End what the rule raised while it was live, if it is a shadow now; answers the alarms that ended."""
        if rule.content.mode is not RuleMode.SHADOW:
            return []
        deed = Deed(rule.changed_by, self._clock(), rule.reason)
        ended = []
        for identity in [identity for identity, one in self._rules.items() if one.id == rule.id]:
            self._clear(identity, deed.at_us)
            outcome = alarm_life.withdrawn(self._facts[identity], deed)
            ended += [self.take(identity, outcome)] if outcome[1] else []
        return ended

    def prepare(self, rule: http.Rule, device_ids: Sequence[str]) -> list[http.Alarm]:
        """The rule's alarms on devices, never raised ones too."""
        definition = rule.content.definition()
        definition.check_is_live()
        if any(identity not in self._devices for identity in device_ids):
            raise NotFoundError("There is no such device.")
        devices = [self._devices[identity] for identity in dict.fromkeys(device_ids)]
        for device in devices:
            keys = {one.key for one in device.parameters}
            definition.check_is_about(device.key, device.kind, device.area, keys)
        ids = {alarm_id(FACTORY_ID, rule.id, device.key): device for device in devices}
        for identity, device in ids.items():
            if identity not in self._alarms:
                self._change += 1
                quiet = _quiet_alarm(identity, rule, device)
                self._alarms[identity] = quiet.model_copy(update={"change": self._change})
                self._facts[identity] = AlarmFacts(rule.content.priority, is_latching=rule.content.is_latching)
                self._rules[identity] = rule
        return [self._alarms[identity] for identity in ids]

    def let_time_bring(self) -> list[http.Alarm]:
        """What the life-cycle clock would do now; answers the alarms that changed."""
        now = self._clock()
        outcomes = {
            identity: alarm_life.due(facts, now, re_alarm_s=_re_alarm_s(self._rules[identity]))
            for identity, facts in self._facts.items()
        }
        return [self.take(identity, outcome) for identity, outcome in outcomes.items() if outcome[1]]

    def events(
        self,
        before: str | None,
        most: int,
        start: datetime | None,
        end: datetime | None,
        identity: str | None,
        shadow_of: str | None = None,
    ) -> http.AlarmEventPage:
        """A page of events, newest first."""
        listed = [
            event
            for event in reversed(self._events)
            if (start is None or event.at >= start)
            and (end is None or event.at < end)
            and (identity is None or event.alarm_id == identity)
            and event.is_shadow == (shadow_of is not None)
            and (shadow_of is None or self._alarms[event.alarm_id].rule_id == shadow_of)
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
        message = _sentence(rule.content, held, value)
        told = {
            "value": value,
            "message": message,
            "rule_version": rule.version,
            "order": self._change + 1,
            "alarm_class": rule.content.alarm_class,
        }
        self._alarms[identity] = held.model_copy(update=told)
        self._rules[identity] = rule
        facts = self._facts.get(identity) or AlarmFacts(rule.content.priority)
        return self.take(identity, alarm_life.raised(facts, _raise_of(rule, facts.annunciation + 1, at_us)))

    def _clear(self, identity: str, at_us: int) -> http.Alarm:
        facts = self._facts[identity]
        if not facts.is_active:
            return self._alarms[identity]
        return self.take(identity, alarm_life.cleared(facts, facts.annunciation, at_us))

    def take(self, identity: str, outcome: Outcome) -> http.Alarm:
        """Keep what became of an alarm."""
        facts, happened = outcome
        self._facts[identity] = facts
        for one in happened:
            self._change += 1
            self._events.append(self._event(identity, one))
        update = shown_facts(facts) | {"change": self._change}
        self._alarms[identity] = self._alarms[identity].model_copy(update=update)
        return self._alarms[identity]

    def _event(self, identity: str, one: Happening) -> http.AlarmEvent:
        alarm, facts = self._alarms[identity], self._facts[identity]
        return http.AlarmEvent(
            id=f"{self._change:032x}", alarm_id=identity, annunciation=one.mark[0], renewal=one.mark[1],
            kind=one.kind, at=from_us(one.at_us), value=alarm.value, actor=one.actor, comment=one.said,
            rule_name=alarm.rule_name, device_name=alarm.device_name, priority=facts.priority, cause=one.cause,
            until=moment(one.until_us), is_annunciation=one.is_annunciation, is_shadow=facts.is_shadow,
        )  # fmt: skip


def _raise_of(rule: http.Rule, annunciation: int, at_us: int) -> Raise:
    content = rule.content
    is_shadow = content.mode is RuleMode.SHADOW
    return Raise(annunciation, at_us, content.priority, is_latching=content.is_latching, is_shadow=is_shadow)


def _re_alarm_s(rule: http.Rule) -> float:
    return rule.content.re_alarm_s


def _quiet_alarm(identity: str, rule: http.Rule, device: http.Device) -> http.Alarm:
    watched = own_parameters(rule.content.condition)
    parameter = next((one for one in device.parameters if one.key in watched), None)
    key, series, unit = (parameter.key, parameter.series_id, parameter.unit) if parameter else ("", 0, "")
    return http.Alarm(
        id=identity, rule_id=rule.id, rule_name=rule.content.name, device_id=device.id, device_key=device.key,
        device_name=device.name, area=device.area, parameter_key=key, series_id=series, priority=rule.content.priority,
        state=AlarmState.NORMAL, annunciation=0, raised_at=None, cleared_at=None, value=None, unit=unit, message="",
        response=rule.content.record.action,
    )  # fmt: skip


def _sentence(content: http.RuleContent, alarm: http.Alarm, value: float) -> str:
    name = alarm.parameter_key.replace("_", " ").capitalize()
    limit = plain_limit(content.condition)
    if limit is None:
        return f"{content.name}: {name} is {value:g} {alarm.unit}"
    return f"{name} is {value:g} {alarm.unit}, {_WORDS[limit.comparison]} the limit of {limit.limit:g} {alarm.unit}"
