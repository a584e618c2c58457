"""The alarms as this session knows them: the newest copy of each wins, whichever way it came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from factoryops.contracts import http
from factoryops.domain.alarms import AlarmState, Priority
from factoryops_app.models.events import Event

UNANSWERED = (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many alarms of one priority wait for an answer, and how many have one."""

    unacknowledged: int = 0
    acknowledged: int = 0


class AlarmStore:
    """Alarms by id.

    Attributes:
        changed: some alarm is different now.
        is_known: False until the first complete picture came; an empty list before that means nothing.
    """

    def __init__(self) -> None:
        self.changed: Event[None] = Event()
        self.is_known = False
        self._alarms: dict[str, http.Alarm] = {}
        self._touched: dict[str, int] = {}
        self._turn = 0

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
        return True

    @property
    def active(self) -> Sequence[http.Alarm]:
        """Every alarm that is not normal: unanswered first, then by priority, then the newest."""
        return sorted((one for one in self._alarms.values() if one.state is not AlarmState.NORMAL), key=urgency)

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

    def clear(self) -> None:
        """Forget everything."""
        self._alarms.clear()
        self._touched.clear()
        self.is_known = False
        self.changed.emit(None)


def urgency(alarm: http.Alarm) -> tuple[bool, int, float]:
    """Sort key: unanswered first, then by priority, then the newest."""
    raised_s = alarm.raised_at.timestamp() if alarm.raised_at else 0.0
    return alarm.state not in UNANSWERED, int(alarm.priority), -raised_s


def answer_to(alarms: Iterable[http.Alarm], comment: str = "") -> http.AcknowledgeRequest | None:
    """The acknowledgement of those of `alarms` that wait for one; None when none does."""
    items = [
        http.AcknowledgeItem(alarm_id=alarm.id, annunciation=alarm.annunciation)
        for alarm in alarms
        if alarm.state in UNANSWERED and alarm.annunciation > 0
    ]
    if not items:
        return None
    return http.AcknowledgeRequest(items=items[:1_000], comment=comment.strip() or None)
