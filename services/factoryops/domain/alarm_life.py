"""What can happen to an alarm, after the ISA-18.2 diagram: pure functions from facts to facts and events.

The engine's records, operators' transactions, the life-cycle clock, the live board and the client's stand-in all use
these, so that they cannot come to different states. Based on ISA-18.2 (docs/reference/alarms.md has the table).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from factoryops.domain.alarms import (
    AlarmEventKind,
    AlarmFacts,
    AlarmState,
    EventCause,
    Mark,
    OutOfService,
    Priority,
    Shelving,
)
from factoryops.domain.errors import ConflictError, UnavailableError
from factoryops.domain.time import US_PER_S


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of an alarm.

    Attributes:
        mark: the annunciation and renewal it belongs to.
        is_annunciation: whether it told somebody; only these are counted and notified.
        actor: who did it; None when nobody did it by hand.
        said: the comment or reason given.
        until_us: when what began will end.
    """

    kind: AlarmEventKind
    at_us: int
    mark: Mark
    is_annunciation: bool = False
    cause: EventCause | None = None
    actor: str | None = None
    said: str | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a person does: who, when and what they said about it."""

    actor: str
    at_us: int
    said: str | None = None


Outcome: TypeAlias = tuple[AlarmFacts, tuple[Happening, ...]]
"""The facts afterwards, and what is to be recorded; nothing when all was so before."""


# --- the condition: the engine says so -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Raise:
    """The condition has turned true; the rule's properties at that moment come with it."""

    annunciation: int
    at_us: int
    priority: Priority
    is_latching: bool = False
    is_shadow: bool = False


def raised(facts: AlarmFacts, move: Raise) -> Outcome:
    """A new annunciation; an older one than the present is recorded and moves nothing."""
    if move.annunciation > facts.annunciation:
        facts = replace(
            facts,
            is_active=True,
            annunciation=move.annunciation,
            raised_us=move.at_us,
            cleared_us=None,
            priority=move.priority,
            is_latching=move.is_latching,
            is_shadow=move.is_shadow,
        )
    is_told = facts.tells and not move.is_shadow
    return facts, (Happening(AlarmEventKind.RAISED, move.at_us, (move.annunciation, 0), is_annunciation=is_told),)


def cleared(facts: AlarmFacts, annunciation: int, at_us: int) -> Outcome:
    """The condition has turned false; a return of an older annunciation is recorded and moves nothing."""
    mark = (annunciation, facts.renewal if annunciation == facts.annunciation else 0)
    if annunciation > facts.annunciation or (annunciation == facts.annunciation and facts.is_active):
        facts = replace(facts, is_active=False, annunciation=annunciation, cleared_us=at_us)
    return facts, (Happening(AlarmEventKind.CLEARED, at_us, mark),)


def suppressed(facts: AlarmFacts, at_us: int) -> Outcome:
    """Suppression by design begins."""
    if at_us >= facts.suppression_us:
        facts = replace(facts, is_suppressed=True, suppression_us=at_us)
    return facts, (Happening(AlarmEventKind.SUPPRESSED, at_us, facts.mark),)


def unsuppressed(facts: AlarmFacts, at_us: int) -> Outcome:
    """Suppression by design ends."""
    happened = Happening(AlarmEventKind.UNSUPPRESSED, at_us, facts.mark)
    if at_us < facts.suppression_us or not facts.is_suppressed:
        return facts, (happened,)
    facts = replace(facts, is_suppressed=False, suppression_us=at_us)
    return _surfaced(facts, happened, EventCause.UNSUPPRESSED)


# --- people ----------------------------------------------------------------------------------------------------------


def acknowledged(facts: AlarmFacts, mark: Mark, deed: Deed) -> Outcome:
    """Answer an announcement; one older than the present is recorded and leaves the present one open.

    Raises:
        UnavailableError: that announcement is not recorded yet.
    """
    if mark > facts.mark:
        raise UnavailableError("An alarm is not recorded in the database yet; try again.", retry_after_s=1)
    if mark <= facts.acknowledged:
        return facts, ()
    facts = replace(facts, acknowledged=mark, acknowledged_us=deed.at_us, acknowledged_by=deed.actor, comment=deed.said)
    return facts, (_done(AlarmEventKind.ACKNOWLEDGED, mark, deed),)


def reset(facts: AlarmFacts, annunciation: int, deed: Deed) -> Outcome:
    """Release the latch of an annunciation.

    Raises:
        UnavailableError: the annunciation is not recorded yet.
        ConflictError: the condition still holds, or nobody has acknowledged.
    """
    if annunciation > facts.annunciation:
        raise UnavailableError("An alarm is not recorded in the database yet; try again.", retry_after_s=1)
    if annunciation <= facts.reset_annunciation or not facts.is_latching:
        return facts, ()
    if annunciation == facts.annunciation and facts.is_active:
        raise ConflictError("An alarm's condition still holds: it can be reset when it has returned to normal.")
    if annunciation == facts.annunciation and not facts.is_answered:
        raise ConflictError("An alarm is not acknowledged yet: acknowledge it first, then reset it.")
    mark = (annunciation, facts.renewal if annunciation == facts.annunciation else 0)
    return replace(facts, reset_annunciation=annunciation), (_done(AlarmEventKind.RESET, mark, deed),)


def shelved(facts: AlarmFacts, until_us: int, deed: Deed, *, is_one_shot: bool = False) -> Outcome:
    """Put aside until a moment; one-shot also ends when the condition next turns false."""
    ends_with = None if not is_one_shot else facts.annunciation + (not facts.is_active)
    shelving = Shelving(deed.at_us, until_us, deed.actor, deed.said or "", ends_with)
    return replace(facts, shelving=shelving), (_done(AlarmEventKind.SHELVED, facts.mark, deed, until_us),)


def unshelved(facts: AlarmFacts, deed: Deed) -> Outcome:
    """Take up again what was shelved."""
    if facts.shelving is None:
        return facts, ()
    happened = _done(AlarmEventKind.UNSHELVED, facts.mark, deed)
    return _surfaced(replace(facts, shelving=None), happened, EventCause.UNSHELVED)


def taken_out(facts: AlarmFacts, until_us: int | None, deed: Deed) -> Outcome:
    """Take out of service."""
    out = OutOfService(deed.at_us, deed.actor, deed.said or "", until_us)
    return replace(facts, out_of_service=out), (_done(AlarmEventKind.OUT_OF_SERVICE, facts.mark, deed, until_us),)


def returned(facts: AlarmFacts, deed: Deed) -> Outcome:
    """Return to service."""
    if facts.out_of_service is None:
        return facts, ()
    happened = _done(AlarmEventKind.IN_SERVICE, facts.mark, deed)
    return _surfaced(replace(facts, out_of_service=None), happened, EventCause.IN_SERVICE)


def withdrawn(facts: AlarmFacts, deed: Deed) -> Outcome:
    """Its rule is only being tried from now on: nobody has to answer, reset or take up again what it raised before."""
    is_standing = facts.underlying is not AlarmState.NORMAL or facts.shelving is not None
    if facts.is_shadow or not (is_standing or facts.out_of_service is not None):
        return facts, ()
    happened = _done(AlarmEventKind.WITHDRAWN, facts.mark, deed)
    facts = replace(facts, reset_annunciation=facts.annunciation, shelving=None, out_of_service=None)
    if not facts.is_answered:
        facts = replace(facts, acknowledged=facts.mark, acknowledged_us=None, acknowledged_by=None, comment=None)
    return facts, (happened,)


def promoted(facts: AlarmFacts) -> AlarmFacts:
    """Its rule is live: nobody has to answer or reset what it found while it was only being tried."""
    return replace(facts, is_shadow=False, acknowledged=facts.mark, reset_annunciation=facts.annunciation)


def _done(kind: AlarmEventKind, mark: Mark, deed: Deed, until_us: int | None = None) -> Happening:
    return Happening(kind, deed.at_us, mark, actor=deed.actor, said=deed.said, until_us=until_us)


# --- the clock -------------------------------------------------------------------------------------------------------


def due(facts: AlarmFacts, now_us: int, *, re_alarm_s: float = 0.0, priority: Priority | None = None) -> Outcome:
    """Everything that time brings by `now_us`; asking again at once brings nothing more.

    Args:
        facts: of the alarm.
        now_us: the clock.
        re_alarm_s: an acknowledged alarm that is still active is announced again after this time; 0 for never.
        priority: what the rule in force says now; None for "as before".
    """
    happened: tuple[Happening, ...] = ()
    for step in (_shelf_end, _outage_end):
        facts, more = step(facts, now_us)
        happened += more
    if priority is not None and priority is not facts.priority and facts.is_active:
        facts, more = _reprioritised(facts, priority, now_us)
        happened += more
    if re_alarm_s > 0 and _is_re_alarm_due(facts, now_us, re_alarm_s):
        facts, more = _renewed(facts, now_us, EventCause.RE_ALARM)
        happened += more
    return facts, happened


def _shelf_end(facts: AlarmFacts, now_us: int) -> Outcome:
    shelving = facts.shelving
    if shelving is None:
        return facts, ()
    if _is_one_shot_over(facts, shelving):
        cause = EventCause.CONDITION_GONE
    elif shelving.until_us <= now_us:
        cause = EventCause.TIME_OVER
    else:
        return facts, ()
    happened = Happening(AlarmEventKind.UNSHELVED, now_us, facts.mark, cause=cause)
    is_later = _is_raised_since(facts, shelving.until_us) or _is_raised_after(facts, shelving.ends_with)
    return _surfaced(replace(facts, shelving=None), happened, EventCause.UNSHELVED, is_later=is_later)


def _is_raised_since(facts: AlarmFacts, at_us: int) -> bool:
    return facts.raised_us is not None and facts.raised_us >= at_us


def _is_raised_after(facts: AlarmFacts, annunciation: int | None) -> bool:
    return annunciation is not None and facts.annunciation > annunciation


def _is_one_shot_over(facts: AlarmFacts, shelving: Shelving) -> bool:
    last = shelving.ends_with
    if last is None:
        return False
    return facts.annunciation > last or (facts.annunciation == last and not facts.is_active)


def _outage_end(facts: AlarmFacts, now_us: int) -> Outcome:
    out = facts.out_of_service
    if out is None or out.until_us is None or out.until_us > now_us:
        return facts, ()
    happened = Happening(AlarmEventKind.IN_SERVICE, now_us, facts.mark, cause=EventCause.TIME_OVER)
    is_later = _is_raised_since(facts, out.until_us)
    return _surfaced(replace(facts, out_of_service=None), happened, EventCause.IN_SERVICE, is_later=is_later)


def _reprioritised(facts: AlarmFacts, priority: Priority, now_us: int) -> Outcome:
    """Another priority; where it is more urgent and somebody has acknowledged, it is announced again.

    Where nobody has, the announcement stays the same one; the event's cause says that it became more urgent.
    """
    is_more_urgent = priority < facts.priority and facts.tells
    facts = replace(facts, priority=priority)
    cause = EventCause.PRIORITY_ROSE if is_more_urgent and not facts.is_answered else None
    happened = (Happening(AlarmEventKind.REPRIORITISED, now_us, facts.mark, cause=cause),)
    if not (is_more_urgent and facts.is_answered):
        return facts, happened
    facts, more = _renewed(facts, now_us, EventCause.PRIORITY_ROSE)
    return facts, happened + more


def _is_re_alarm_due(facts: AlarmFacts, now_us: int, re_alarm_s: float) -> bool:
    if not (facts.is_active and facts.is_answered and facts.tells) or facts.acknowledged_us is None:
        return False
    return facts.acknowledged_us + int(re_alarm_s * US_PER_S) <= now_us


# --- announcing again ------------------------------------------------------------------------------------------------


def _surfaced(facts: AlarmFacts, happened: Happening, cause: EventCause, *, is_later: bool = False) -> Outcome:
    """Something that put the alarm aside has ended.

    Unless something else still does: active, it is announced again; returned, nobody has to answer what nobody was
    told. A latch stays until it is reset.

    Args:
        facts: without what put it aside.
        happened: its end.
        cause: why the alarm is announced again.
        is_later: it was raised after that end was due, which was noticed late: it is announced, returned or not.
    """
    if facts.is_put_aside:
        return facts, (happened,)
    if facts.is_active or (is_later and not facts.is_answered):
        facts, more = _renewed(facts, happened.at_us, cause)
        return facts, (happened, *more)
    if not facts.is_answered:
        facts = replace(facts, acknowledged=facts.mark, acknowledged_us=None, acknowledged_by=None, comment=None)
    return facts, (happened,)


def _renewed(facts: AlarmFacts, at_us: int, cause: EventCause) -> Outcome:
    facts = replace(facts, renewed=(facts.annunciation, facts.renewal + 1))
    happened = Happening(AlarmEventKind.RENEWED, at_us, facts.mark, is_annunciation=facts.tells, cause=cause)
    return facts, (happened,)
