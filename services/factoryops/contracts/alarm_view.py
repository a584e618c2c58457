"""An alarm's facts as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from factoryops.contracts import http
from factoryops.domain.alarms import PUT_ASIDE, UNANSWERED, AlarmFacts, AlarmState, OutOfService, Shelving
from factoryops.domain.time import from_us, to_us

_TABS = {
    AlarmState.SHELVED: http.AlarmTab.SHELVED,
    AlarmState.SUPPRESSED: http.AlarmTab.SUPPRESSED,
    AlarmState.OUT_OF_SERVICE: http.AlarmTab.OUT_OF_SERVICE,
}


def shown_facts(facts: AlarmFacts) -> dict[str, Any]:
    """The fields of `http.Alarm` that follow from its facts; who acknowledged is told of the present mark only."""
    is_answered = facts.is_answered
    return {
        "priority": facts.priority,
        "state": facts.state,
        "underlying": facts.underlying,
        "is_active": facts.is_active,
        "is_latching": facts.is_latching,
        "annunciation": facts.annunciation,
        "renewal": facts.renewal,
        "raised_at": moment(facts.raised_us),
        "cleared_at": moment(facts.cleared_us),
        "acknowledged_at": moment(facts.acknowledged_us) if is_answered else None,
        "acknowledged_by": facts.acknowledged_by if is_answered else None,
        "comment": facts.comment if is_answered else None,
        "suppressed_at": from_us(facts.suppression_us) if facts.is_suppressed else None,
        "suppression_us": facts.suppression_us,
        "shelved": _shelved(facts),
        "out_of_service": _taken_out(facts),
    }


def facts_behind(alarm: http.Alarm) -> AlarmFacts:
    """The facts that an alarm as it is shown follows from, as far as they matter to what happens next."""
    mark = (alarm.annunciation, alarm.renewal)
    is_open = alarm.underlying in UNANSWERED
    is_latched = alarm.underlying in (AlarmState.LATCHED_ACKNOWLEDGED, AlarmState.LATCHED_UNACKNOWLEDGED)
    return AlarmFacts(
        priority=alarm.priority,
        is_active=alarm.is_active,
        annunciation=alarm.annunciation,
        raised_us=_us(alarm.raised_at),
        cleared_us=_us(alarm.cleared_at),
        is_latching=alarm.is_latching,
        is_suppressed=alarm.suppressed_at is not None,
        suppression_us=alarm.suppression_us,
        acknowledged=(0, 0) if is_open else mark,
        acknowledged_us=_us(alarm.acknowledged_at),
        acknowledged_by=alarm.acknowledged_by,
        comment=alarm.comment,
        reset_annunciation=alarm.annunciation - (is_latched or alarm.is_active),
        renewed=mark,
        shelving=_shelving(alarm),
        out_of_service=_outage(alarm),
    )


def _shelving(alarm: http.Alarm) -> Shelving | None:
    held = alarm.shelved
    if held is None:
        return None
    ends_with = alarm.annunciation + (not alarm.is_active) if held.is_one_shot else None
    return Shelving(to_us(held.since), to_us(held.until), held.by, held.reason, ends_with)


def _outage(alarm: http.Alarm) -> OutOfService | None:
    held = alarm.out_of_service
    return None if held is None else OutOfService(to_us(held.since), held.by, held.reason, _us(held.until))


def _us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)


def moment(time_us: int | None) -> datetime | None:
    """A moment that may not be known."""
    return None if time_us is None else from_us(time_us)


def _shelved(facts: AlarmFacts) -> http.Shelved | None:
    held = facts.shelving
    if held is None:
        return None
    return http.Shelved(
        since=from_us(held.since_us), until=from_us(held.until_us), by=held.by, reason=held.reason,
        is_one_shot=held.ends_with is not None,
    )  # fmt: skip


def _taken_out(facts: AlarmFacts) -> http.TakenOut | None:
    held = facts.out_of_service
    if held is None:
        return None
    return http.TakenOut(
        since=from_us(held.since_us), by=held.by, reason=held.reason, until=moment(held.until_us)
    )  # fmt: skip


def tab_of(state: AlarmState) -> http.AlarmTab | None:
    """The list in which alarms of a state are; None for normal ones."""
    if state is AlarmState.NORMAL:
        return None
    return _TABS.get(state, http.AlarmTab.ACTIVE)


def listed(alarms: list[http.Alarm], tab: http.AlarmTab | None) -> http.AlarmList:
    """One list, or all that are not normal: unanswered first, then by priority, then the newest; with all counts."""
    shown = [alarm for alarm in alarms if alarm.state is not AlarmState.NORMAL]
    shown.sort(key=_newest, reverse=True)
    shown.sort(key=lambda alarm: (alarm.state in PUT_ASIDE, alarm.state not in UNANSWERED, alarm.priority))
    tabs = [tab_of(alarm.state) for alarm in shown]
    counts = http.AlarmCounts(
        **{one.value: tabs.count(one) for one in http.AlarmTab},
        unacknowledged=sum(alarm.state in UNANSWERED for alarm in shown),
    )
    wanted = [alarm for alarm, where in zip(shown, tabs, strict=True) if tab is None or where is tab]
    return http.AlarmList(alarms=wanted, counts=counts)


def _newest(alarm: http.Alarm) -> tuple[float, int]:
    return (alarm.raised_at.timestamp() if alarm.raised_at else 0.0), alarm.order
