"""Rows of the tables of alarms: which columns hold which facts, and how events are added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.contracts.alarm_view import moment, shown_facts
from factoryops.database import tables
from factoryops.database.outbox import enqueue
from factoryops.database.unit import Unit
from factoryops.domain.alarm_life import Happening, Outcome
from factoryops.domain.alarms import (
    AlarmEventKind,
    AlarmFacts,
    EventCause,
    OutOfService,
    Priority,
    Shelving,
)
from factoryops.domain.identity import derived_id
from factoryops.domain.time import from_us

_ONCE: Final = frozenset({AlarmEventKind.RAISED, AlarmEventKind.CLEARED, AlarmEventKind.RESET})
"""What happens to an annunciation once."""
DATED: Final = frozenset({AlarmEventKind.SUPPRESSED, AlarmEventKind.UNSUPPRESSED})
"""What the engine says may be said again; its moment tells it apart."""
_RENEWABLE: Final = frozenset({AlarmEventKind.ACKNOWLEDGED, AlarmEventKind.RENEWED})
"""What happens once to each renewal of an annunciation."""


def facts_of(row: Any) -> AlarmFacts:
    """The facts of a row of the table of alarms."""
    return AlarmFacts(
        priority=Priority(row.priority),
        is_active=bool(row.is_active),
        annunciation=row.annunciation,
        raised_us=row.raised_us,
        cleared_us=row.cleared_us,
        is_latching=bool(row.is_latching),
        is_shadow=bool(row.is_shadow),
        is_suppressed=bool(row.is_suppressed),
        suppression_us=row.suppression_us,
        acknowledged=(row.acknowledged_annunciation, row.acknowledged_renewal),
        acknowledged_us=row.acknowledged_us,
        acknowledged_by=row.acknowledged_by,
        comment=row.comment,
        reset_annunciation=row.reset_annunciation,
        renewed=(row.renewed_annunciation, row.renewal),
        shelving=_shelving_of(row),
        out_of_service=_out_of_service_of(row),
    )


def _shelving_of(row: Any) -> Shelving | None:
    if row.shelved_us is None:
        return None
    return Shelving(
        row.shelved_us, row.shelved_until_us, row.shelved_by or "", row.shelved_reason or "", row.shelved_ends_with
    )


def _out_of_service_of(row: Any) -> OutOfService | None:
    if row.out_us is None:
        return None
    return OutOfService(row.out_us, row.out_by or "", row.out_reason or "", row.out_until_us)


def condition_columns(facts: AlarmFacts) -> dict[str, Any]:
    """What the engine alone writes."""
    return {
        "priority": facts.priority,
        "is_active": facts.is_active,
        "annunciation": facts.annunciation,
        "raised_us": facts.raised_us,
        "cleared_us": facts.cleared_us,
        "is_latching": facts.is_latching,
        "is_shadow": facts.is_shadow,
        "is_suppressed": facts.is_suppressed,
        "suppression_us": facts.suppression_us,
    }


def handling_columns(facts: AlarmFacts) -> dict[str, Any]:
    """What operators' transactions and the life-cycle clock write."""
    shelving, out = facts.shelving, facts.out_of_service
    return {
        "acknowledged_annunciation": facts.acknowledged[0],
        "acknowledged_renewal": facts.acknowledged[1],
        "acknowledged_us": facts.acknowledged_us,
        "acknowledged_by": facts.acknowledged_by,
        "comment": facts.comment,
        "reset_annunciation": facts.reset_annunciation,
        "renewed_annunciation": facts.renewed[0],
        "renewal": facts.renewed[1],
        "shelved_us": shelving and shelving.since_us,
        "shelved_until_us": shelving and shelving.until_us,
        "shelved_by": shelving and shelving.by,
        "shelved_reason": shelving and shelving.reason,
        "shelved_ends_with": shelving and shelving.ends_with,
        "out_us": out and out.since_us,
        "out_until_us": out and out.until_us,
        "out_by": out and out.by,
        "out_reason": out and out.reason,
    }


def write_alarms(unit: Unit, factory_id: str, columns: Mapping[str, Mapping[str, Any]]) -> None:
    """Change the same columns of many alarms, `columns` by alarm id."""
    if not columns:
        return
    table = tables.alarm
    names = next(iter(columns.values())).keys()
    statement = (
        sa.update(table)
        .where(table.c.factory_id == factory_id, table.c.id == sa.bindparam("of_alarm"))
        .values({name: sa.bindparam(f"new_{name}") for name in names})
    )
    unit.write_many(
        statement,
        [
            {"of_alarm": identity} | {f"new_{name}": value for name, value in row.items()}
            for identity, row in columns.items()
        ],
    )


def event_id(factory_id: str, alarm_id: str, happening: Happening, told_apart_by: object = "") -> str:
    """The id of an event: what identifies it, so that saying it twice is saying it once.

    Args:
        factory_id: of the alarm.
        alarm_id: whose event it is.
        happening: the event.
        told_apart_by: what tells it apart where its annunciation and kind do not.
    """
    annunciation, renewal = happening.mark
    parts = [alarm_id, str(annunciation), happening.kind.value]
    if happening.kind in DATED:
        parts.append(str(happening.at_us))
    elif happening.kind in _RENEWABLE:
        parts += [str(renewal)] if renewal else []
    elif happening.kind not in _ONCE:
        parts.append(str(told_apart_by))
    return derived_id(factory_id, "alarm_event", *parts)


def event_row(
    factory_id: str, alarm: Any, facts: AlarmFacts, happening: Happening, number: int, request_id: str | None = None
) -> dict[str, Any]:
    """The row of an event.

    Args:
        factory_id: of the alarm.
        alarm: its row: id, rule_name and device_name.
        facts: of the alarm then.
        happening: the event.
        number: of the change; it orders what happened at one moment.
        request_id: of the person's request, by which it is known again.
    """
    return {
        "factory_id": factory_id,
        "id": event_id(factory_id, alarm.id, happening, number),
        "alarm_id": alarm.id,
        "annunciation": happening.mark[0],
        "renewal": happening.mark[1],
        "kind": happening.kind.value,
        "at_us": happening.at_us,
        "value": None,
        "actor": happening.actor,
        "comment": happening.said,
        "rule_name": alarm.rule_name,
        "device_name": alarm.device_name,
        "priority": facts.priority,
        "number": number,
        "cause": None if happening.cause is None else happening.cause.value,
        "until_us": happening.until_us,
        "is_annunciation": happening.is_annunciation,
        "is_shadow": facts.is_shadow,
        "request_id": request_id,
    }


def record(
    unit: Unit,
    factory_id: str,
    rows: Sequence[Any],
    outcomes: Mapping[str, Outcome],
    *,
    request_id: str | None = None,
    has_priorities: bool = False,
) -> None:
    """Write what became of alarms that people or the clock handled, and the events of it.

    Args:
        unit: the transaction.
        factory_id: of the alarms.
        rows: theirs, locked; each with an outcome in which something happened.
        outcomes: by alarm id.
        request_id: of the person's request.
        has_priorities: whether priorities may have changed as well.
    """
    happened = [(row, one) for row in rows for one in outcomes[row.id][1]]
    first = unit.advance("alarms", len(happened)) - len(happened) + 1
    numbered = [*enumerate(happened, first)]
    changes = {row.id: number for number, (row, _) in numbered}
    columns: dict[str, dict[str, Any]] = {}
    for row in rows:
        facts = outcomes[row.id][0]
        columns[row.id] = handling_columns(facts) | {"change": changes[row.id]}
        if has_priorities:
            columns[row.id]["priority"] = facts.priority
    write_alarms(unit, factory_id, columns)
    add_events(
        unit,
        factory_id,
        [event_row(factory_id, row, outcomes[row.id][0], one, number, request_id) for number, (row, one) in numbered],
    )


def add_events(unit: Unit, factory_id: str, events: Sequence[dict[str, Any]]) -> None:
    """Add rows of events of one factory, and to the outbox those that somebody may have to be told.

    It is the one place where alarms' events are written.
    """
    unit.insert(tables.alarm_event, events)
    enqueue(unit, factory_id, [event for event in events if not event["is_shadow"]])


def select_alarms() -> sa.Select[Any]:
    """Alarms with the names of their devices; the caller adds the factory."""
    alarm, device = tables.alarm, tables.device
    return sa.select(
        alarm,
        device.c.key.label("device_key"),
        device.c.name.label("device_name"),
        device.c.area.label("area"),
        device.c.line.label("line"),
    ).join(device, sa.and_(device.c.factory_id == alarm.c.factory_id, device.c.id == alarm.c.device_id))


def is_abnormal() -> sa.ColumnElement[bool]:
    """Holds for every alarm that is not normal, and for few others."""
    alarm = tables.alarm
    is_open = sa.or_(
        alarm.c.acknowledged_annunciation < alarm.c.annunciation,
        sa.and_(
            alarm.c.renewed_annunciation == alarm.c.annunciation,
            alarm.c.acknowledged_renewal < alarm.c.renewal,
        ),
        sa.and_(alarm.c.is_latching.is_(True), alarm.c.reset_annunciation < alarm.c.annunciation),
    )
    is_aside = sa.or_(alarm.c.shelved_us.is_not(None), alarm.c.out_us.is_not(None), alarm.c.is_suppressed.is_(True))
    return sa.or_(alarm.c.is_active.is_(True), is_open, is_aside)


def alarm_of(row: sa.Row[Any]) -> http.Alarm:
    """The alarm of a row of `select_alarms`."""
    return http.Alarm(
        id=row.id,
        rule_id=row.rule_id,
        rule_name=row.rule_name,
        rule_version=row.rule_version,
        device_id=row.device_id,
        device_key=row.device_key,
        device_name=row.device_name,
        area=row.area,
        line=row.line,
        parameter_key=row.parameter_key,
        series_id=row.series_id,
        value=row.value,
        unit=row.unit,
        message=row.message,
        response=row.response,
        order=row.raised_order,
        alarm_class=row.alarm_class,
        change=row.change,
        **shown_facts(facts_of(row)),
    )


def event_of(row: sa.Row[Any]) -> http.AlarmEvent:
    """The event of a row."""
    return http.AlarmEvent(
        id=row.id,
        alarm_id=row.alarm_id,
        annunciation=row.annunciation,
        renewal=row.renewal,
        kind=AlarmEventKind(row.kind),
        at=from_us(row.at_us),
        value=row.value,
        actor=row.actor,
        comment=row.comment,
        rule_name=row.rule_name,
        device_name=row.device_name,
        priority=Priority(row.priority),
        cause=None if row.cause is None else EventCause(row.cause),
        until=moment(row.until_us),
        is_annunciation=bool(row.is_annunciation),
        is_shadow=bool(row.is_shadow),
    )
