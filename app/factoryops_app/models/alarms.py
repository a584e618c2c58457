"""The alarms as this session knows them: the newest copy of each wins, whichever way it came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from factoryops.contracts import http
from factoryops.domain.alarms import PUT_ASIDE, UNANSWERED, AlarmState, Priority
from factoryops.domain.flood import FloodAlarm, FloodGroup, FloodState, FloodWatch, arrange
from factoryops.domain.performance.thresholds import Thresholds
from factoryops.domain.time import to_us
from factoryops_app.models.events import GatheredEvent

PUT_ASIDE_STATES: Final = (AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE)
"""In the order in which they are listed."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many alarms of one priority wait for an answer, and how many have one."""

    unacknowledged: int = 0
    acknowledged: int = 0


class AlarmStore:
    """Alarms by id.

    Attributes:
        changed: some alarm is different now; told together when many are.
        is_known: False until the first complete picture came; an empty list before that means nothing.
    """

    def __init__(self) -> None:
        self.changed = GatheredEvent()
        self.is_known = False
        self._alarms: dict[str, http.Alarm] = {}
        self._touched: dict[str, int] = {}
        self._turn = 0
        self._flood = FloodWatch()
        self._announced: dict[str, int] = {}

    def begin_picture(self) -> int:
        """Call before asking for all alarms; hand the answer to `replace`."""
        self._turn += 1
        return self._turn

    def replace(self, alarms: Iterable[http.Alarm], turn: int) -> None:
        """Take a complete picture; what came live since `begin_picture` is newer than it where it says so."""
        fetched = {alarm.id: alarm for alarm in alarms}
        kept = {
            one.id: one for one in self._alarms.values() if one.id in fetched or self._touched.get(one.id, 0) >= turn
        }
        self._alarms = kept
        for alarm in fetched.values():
            self._keep(alarm)
        self._touched = {key: at for key, at in self._touched.items() if at >= turn}
        self.is_known = True
        self.changed.emit(None)

    def merge(self, alarm: http.Alarm) -> bool:
        """Take one alarm; False when a newer copy is held already."""
        if not self._keep(alarm):
            return False
        self._touched[alarm.id] = self._turn
        self.changed.emit(None)
        return True

    def _keep(self, alarm: http.Alarm) -> bool:
        held = self._alarms.get(alarm.id)
        if held is not None and (held.change > alarm.change or held == alarm):
            return False
        self._alarms[alarm.id] = alarm
        self._note_announced(alarm)
        return True

    def _note_announced(self, alarm: http.Alarm) -> None:
        if alarm.state in PUT_ASIDE or self._announced.get(alarm.id, 0) >= alarm.annunciation:
            return
        self._announced[alarm.id] = alarm.annunciation
        if alarm.raised_at is not None:
            self._flood.announce(to_us(alarm.raised_at))

    def judge_floods(self, limits: Thresholds) -> None:
        """Take the factory's own thresholds of a flood."""
        self._flood.judge_by(entry=limits.flood_entry, leave=limits.flood_exit)

    def flood(self, now_us: int) -> FloodState:
        """Whether so much is announced that the list must be worked through area by area."""
        return self._flood.look(now_us)

    @property
    def active(self) -> Sequence[http.Alarm]:
        """Every alarm that is neither normal nor put aside: unanswered first, then by priority, then the newest."""
        told = (one for one in self._alarms.values() if one.state not in PUT_ASIDE | {AlarmState.NORMAL})
        return sorted(told, key=urgency)

    def put_aside(self, state: AlarmState) -> list[http.Alarm]:
        """Those shelved, suppressed or out of service, by name."""
        return sorted((one for one in self._alarms.values() if one.state is state), key=lambda one: one.rule_name)

    def get(self, alarm_id: str) -> http.Alarm | None:
        """One alarm."""
        return self._alarms.get(alarm_id)

    def unanswered(self) -> list[http.Alarm]:
        """What waits for an operator, most urgent first."""
        return [alarm for alarm in self.active if alarm.state in UNANSWERED]

    def tallies(self) -> Mapping[Priority, Tally]:
        """Counts by priority."""
        counted = {priority: [0, 0] for priority in Priority}
        for alarm in self.active:
            counted[alarm.priority][0 if alarm.state in UNANSWERED else 1] += 1
        return {priority: Tally(*pair) for priority, pair in counted.items()}

    def worst_by_device(self) -> Mapping[str, http.Alarm]:
        """The most urgent alarm of each device that has one."""
        worst: dict[str, http.Alarm] = {}
        for alarm in self.active:
            worst.setdefault(alarm.device_id, alarm)
        return worst

    def worst_by_series(self) -> Mapping[int, http.Alarm]:
        """The most urgent alarm of each series that has one."""
        worst: dict[int, http.Alarm] = {}
        for alarm in self.active:
            worst.setdefault(alarm.series_id, alarm)
        return worst

    def of_device(self, device_id: str) -> list[http.Alarm]:
        """The alarms of one device, most urgent first."""
        return [alarm for alarm in self.active if alarm.device_id == device_id]

    def by_rule(self, device_id: str) -> Mapping[str, http.Alarm]:
        """What is known of one device's alarms, by the ids of their rules; those that are put aside, too."""
        return {alarm.rule_id: alarm for alarm in self._alarms.values() if alarm.device_id == device_id}

    def clear(self) -> None:
        """Forget everything."""
        self._alarms.clear()
        self._touched.clear()
        self._flood, self._announced = FloodWatch(), {}
        self.is_known = False
        self.changed.emit(None)


def urgency(alarm: http.Alarm) -> tuple[bool, int, float, int]:
    """Sort key: unanswered first, then by priority, then the newest."""
    raised_s = alarm.raised_at.timestamp() if alarm.raised_at else 0.0
    return alarm.state not in UNANSWERED, int(alarm.priority), -raised_s, -alarm.order


def by_area(alarms: Iterable[http.Alarm], parents: Mapping[str, str]) -> list[FloodGroup]:
    """The arrangement for a flood; `parents` gives a rule's parent rule, by id."""
    return arrange(
        (
            FloodAlarm(
                id=one.id, rule_id=one.rule_id, device_id=one.device_id, area=one.area, priority=int(one.priority),
                raised_us=to_us(one.raised_at) if one.raised_at else 0, order=one.order,
            )
            for one in alarms
        ),
        parents,
    )  # fmt: skip


def answer_to(alarms: Iterable[http.Alarm], comment: str = "") -> http.AcknowledgeRequest | None:
    """The acknowledgement of those of `alarms` that wait for one; None when none does."""
    items = [
        http.AcknowledgeItem(alarm_id=alarm.id, annunciation=alarm.annunciation, renewal=alarm.renewal)
        for alarm in alarms
        if alarm.state in UNANSWERED and alarm.annunciation > 0
    ]
    if not items:
        return None
    return http.AcknowledgeRequest(items=items[:1_000], comment=comment.strip() or None)


def reset_of(alarms: Iterable[http.Alarm]) -> http.ResetRequest | None:
    """The reset of those of `alarms` that have returned, are acknowledged and are latched; None when none is."""
    items = [
        http.ResetItem(alarm_id=alarm.id, annunciation=alarm.annunciation)
        for alarm in alarms
        if alarm.underlying is AlarmState.LATCHED_ACKNOWLEDGED
    ]
    return http.ResetRequest(items=items[:1_000]) if items else None
