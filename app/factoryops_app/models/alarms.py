"""The alarms as this session knows them: the newest copy of each wins, whichever way it came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from factoryops.contracts import http
from factoryops.domain.alarms import PUT_ASIDE, UNANSWERED, AlarmState, Priority
from factoryops.domain.flood import FloodAlarm, FloodGroup, FloodState, arrange
from factoryops.domain.time import to_us
from factoryops_app.models.events import GatheredEvent

PUT_ASIDE_STATES: Final = (AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE)
"""In the order in which they are listed."""

MOST_IN_ONE_REQUEST: Final = 1_000

Item = TypeVar("Item")


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
        self._floods: Sequence[http.PositionFlood] = ()
        self._floods_turn = 0

    def begin_picture(self) -> int:
        """Call before asking for all alarms; hand the answer to `replace`."""
        self._turn += 1
        return self._turn

    def replace(self, alarms: Iterable[http.Alarm], turn: int, floods: Sequence[http.PositionFlood] = ()) -> None:
        """Take a complete picture; what came live since `begin_picture` is newer than it where it says so."""
        if self._floods_turn < turn:
            self._floods = floods
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
        return True

    def take_floods(self, floods: Sequence[http.PositionFlood]) -> None:
        """Take what the service says of floods: the whole factory first, then each operating position."""
        self._floods, self._floods_turn = floods, self._turn
        self.changed.emit(None)

    @property
    def flood(self) -> FloodState:
        """Whether so much is announced that the list must be worked through area by area, as the service told last."""
        whole = next((one for one in self._floods if not one.position_id), None)
        if whole is None or whole.since is None:
            return FloodState(None, whole.count if whole is not None else 0)
        return FloodState(to_us(whole.since), whole.count)

    @property
    def flooded_positions(self) -> Mapping[str, int]:
        """How many alarms came within ten minutes at each operating position that is in a flood, by name."""
        return {one.position_name: one.count for one in self._floods if one.position_id and one.is_flood}

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
        self._floods = ()
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


def answers_to(alarms: Iterable[http.Alarm], comment: str = "") -> list[http.AcknowledgeRequest]:
    """The acknowledgement of those of `alarms` that wait for one, in portions that one request may hold."""
    items = [
        http.AcknowledgeItem(alarm_id=alarm.id, annunciation=alarm.annunciation, renewal=alarm.renewal)
        for alarm in alarms
        if alarm.state in UNANSWERED and alarm.annunciation > 0
    ]
    said = comment.strip() or None
    return [http.AcknowledgeRequest(items=portion, comment=said) for portion in _portions(items)]


def resets_of(alarms: Iterable[http.Alarm]) -> list[http.ResetRequest]:
    """The reset of those of `alarms` that have returned, are acknowledged and are latched, in portions as above."""
    items = [
        http.ResetItem(alarm_id=alarm.id, annunciation=alarm.annunciation)
        for alarm in alarms
        if alarm.underlying is AlarmState.LATCHED_ACKNOWLEDGED
    ]
    return [http.ResetRequest(items=portion) for portion in _portions(items)]


def _portions(items: Sequence[Item]) -> Iterator[list[Item]]:
    for start in range(0, len(items), MOST_IN_ONE_REQUEST):
        yield [*items[start : start + MOST_IN_ONE_REQUEST]]
