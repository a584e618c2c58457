"""An alarm: independent facts, from which the ISA-18.2 state is derived and never stored.

What can happen to the facts stands in `alarm_life`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, TypeAlias


class Priority(IntEnum):
    """The four alarm priorities, most urgent first (ISA-18.2)."""

    CRITICAL = 1
    HIGH = 2
    MEDIUM = 3
    LOW = 4


class AlarmState(StrEnum):
    """The states of the ISA-18.2 diagram."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    LATCHED_UNACKNOWLEDGED = "latched_unacknowledged"
    LATCHED_ACKNOWLEDGED = "latched_acknowledged"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out_of_service"


UNANSWERED: Final = frozenset(
    {AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED, AlarmState.LATCHED_UNACKNOWLEDGED}
)
"""The states that wait for an acknowledgement."""

PUT_ASIDE: Final = frozenset({AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE})
"""The states in which an alarm tells nobody; the condition goes on underneath."""


class AlarmEventKind(StrEnum):
    """What can happen to an alarm."""

    RAISED = "raised"
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"
    RESET = "reset"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    OUT_OF_SERVICE = "out_of_service"
    IN_SERVICE = "in_service"
    RENEWED = "renewed"
    REPRIORITISED = "reprioritised"
    WITHDRAWN = "withdrawn"
    """Its rule is only being tried from now on."""


class EventCause(StrEnum):
    """Why something happened that nobody did by hand at that moment."""

    TIME_OVER = "time_over"
    """The time of shelving or of being out of service was over."""
    CONDITION_GONE = "condition_gone"
    """One-shot shelving ends when the condition has gone."""
    UNSHELVED = "unshelved"
    UNSUPPRESSED = "unsuppressed"
    IN_SERVICE = "in_service"
    RE_ALARM = "re_alarm"
    PRIORITY_ROSE = "priority_rose"


Mark: TypeAlias = tuple[int, int]
"""Which annunciation, and which renewal of it: later ones compare larger."""


@dataclass(frozen=True, slots=True)
class Shelving:
    """Put aside by a person for a while.

    Attributes:
        ends_with: of one-shot shelving, the annunciation whose end ends it; None when only time does.
    """

    since_us: int
    until_us: int
    by: str
    reason: str
    ends_with: int | None = None


@dataclass(frozen=True, slots=True)
class OutOfService:
    """Taken out for maintenance; `until_us` is None until somebody returns it."""

    since_us: int
    by: str
    reason: str
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """The facts of a rule on a device.

    The engine writes those of the condition, operators' transactions and the life-cycle clock the others; neither
    reads the other's to decide.

    Attributes:
        annunciation: how often the alarm has been raised; an acknowledgement names the one it answers.
        raised_us / cleared_us: of the current annunciation, in the samples' own time.
        is_latching: it stays after its return until somebody resets it.
        is_shadow: it tells nobody, its rule is only being tried.
        is_suppressed / suppression_us: suppressed by design, and when that last changed.
        acknowledged: the newest annunciation and renewal that was answered.
        acknowledged_by: None also where its return from being put aside answered it.
        reset_annunciation: the newest annunciation whose latch was reset.
        renewed: the annunciation that was last announced again, and how often it was.
    """

    priority: Priority
    is_active: bool = False
    annunciation: int = 0
    raised_us: int | None = None
    cleared_us: int | None = None
    is_latching: bool = False
    is_shadow: bool = False
    is_suppressed: bool = False
    suppression_us: int = 0
    acknowledged: Mark = (0, 0)
    acknowledged_us: int | None = None
    acknowledged_by: str | None = None
    comment: str | None = None
    reset_annunciation: int = 0
    renewed: Mark = (0, 0)
    shelving: Shelving | None = None
    out_of_service: OutOfService | None = None

    @property
    def renewal(self) -> int:
        """How often the current annunciation was announced again."""
        annunciation, count = self.renewed
        return count if annunciation == self.annunciation else 0

    @property
    def mark(self) -> Mark:
        """What an acknowledgement must name to answer it."""
        return self.annunciation, self.renewal

    @property
    def is_answered(self) -> bool:
        """Whether the newest announcement is acknowledged."""
        return self.acknowledged >= self.mark

    @property
    def is_latched(self) -> bool:
        """Whether it has returned and waits for a reset."""
        return self.is_latching and not self.is_active and self.reset_annunciation < self.annunciation

    @property
    def is_put_aside(self) -> bool:
        """Whether something keeps it from telling anybody."""
        return self.is_suppressed or self.shelving is not None or self.out_of_service is not None

    @property
    def tells(self) -> bool:
        """Whether a raise or renewal now is an annunciation."""
        return not (self.is_put_aside or self.is_shadow)

    @property
    def underlying(self) -> AlarmState:
        """The state without what puts it aside."""
        if self.is_active:
            return AlarmState.ACKNOWLEDGED if self.is_answered else AlarmState.UNACKNOWLEDGED
        if self.is_latched:
            return AlarmState.LATCHED_ACKNOWLEDGED if self.is_answered else AlarmState.LATCHED_UNACKNOWLEDGED
        return AlarmState.NORMAL if self.is_answered else AlarmState.RETURNED_UNACKNOWLEDGED

    @property
    def state(self) -> AlarmState:
        """The ISA-18.2 state that the facts add up to; of what puts it aside the strongest shows."""
        if self.out_of_service is not None:
            return AlarmState.OUT_OF_SERVICE
        if self.is_suppressed:
            return AlarmState.SUPPRESSED
        if self.shelving is not None:
            return AlarmState.SHELVED
        return self.underlying
