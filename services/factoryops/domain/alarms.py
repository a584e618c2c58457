"""An alarm: independent facts, from which the ISA-18.2 state is derived and never stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from factoryops.domain.identity import AlarmId, DeviceId, FactoryId, RuleId
from factoryops.domain.rules import Priority


class AlarmState(StrEnum):
    """The states of the ISA-18.2 diagram that are reached without shelving or latching."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"


class AlarmEventKind(StrEnum):
    """What can happen to an alarm."""

    RAISED = "raised"
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class Alarm:
    """A rule on a device.

    The engine alone writes the condition's facts, an operator's transaction alone writes the acknowledgement's;
    neither reads the other's.

    Attributes:
        annunciation: how often the alarm has been raised; an acknowledgement names the one it answers.
        acknowledged_annunciation: the newest annunciation that was answered, 0 for none.
        raised_at / cleared_at: of the current annunciation, in the samples' own time.
        value: the value that raised it.
    """

    id: AlarmId
    factory_id: FactoryId
    rule_id: RuleId
    device_id: DeviceId
    priority: Priority
    is_active: bool
    annunciation: int
    acknowledged_annunciation: int = 0
    raised_at: datetime | None = None
    cleared_at: datetime | None = None
    value: float | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    comment: str | None = None

    @property
    def state(self) -> AlarmState:
        """The ISA-18.2 state that the facts add up to."""
        is_answered = self.acknowledged_annunciation >= self.annunciation
        if self.is_active:
            return AlarmState.ACKNOWLEDGED if is_answered else AlarmState.UNACKNOWLEDGED
        return AlarmState.NORMAL if is_answered else AlarmState.RETURNED_UNACKNOWLEDGED
