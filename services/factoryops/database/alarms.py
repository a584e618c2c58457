"""Alarms of one factory as an operator handles them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.contracts.alarm_view import shown_facts
from factoryops.database import tables
from factoryops.database.outbox import enqueue
from factoryops.database.unit import Unit, portions
from factoryops.domain.alarms import AlarmEventKind, AlarmFacts, Priority
from factoryops.domain.errors import NotFoundError, UnavailableError
from factoryops.domain.identity import Scope, derived_id
from factoryops.domain.time import from_us, to_us


class Alarms:
    """The factory's alarms. Writes acknowledgement facts only; the condition's facts are the engine's."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def list_abnormal(self) -> list[http.Alarm]:
        """Every alarm that is not normal, most urgent and newest first."""
        alarm = tables.alarm
        not_normal = sa.or_(alarm.c.is_active.is_(True), alarm.c.acknowledged_annunciation < alarm.c.annunciation)
        query = self._select().where(not_normal).order_by(alarm.c.priority, alarm.c.raised_us.desc(), alarm.c.id)
        return [alarm_of(row) for row in self._unit.rows(query)]

    def get_many(self, alarm_ids: Sequence[str]) -> list[http.Alarm]:
        """In the order asked for; NotFoundError when any is unknown."""
        found = {
            row.id: alarm_of(row)
            for portion in portions(alarm_ids)
            for row in self._unit.rows(self._select().where(tables.alarm.c.id.in_(portion)))
        }
        if not found.keys() >= set(alarm_ids):
            raise NotFoundError("There is no such alarm.")
        return [found[alarm_id] for alarm_id in alarm_ids]

    def acknowledge(
        self, items: Sequence[http.AcknowledgeItem], actor: str, comment: str | None, at: datetime
    ) -> list[http.Alarm]:
        """Acknowledge all of `items` or none; answers the alarms named, as they now are.

        Answering an older annunciation than the present one is recorded and leaves the present one unacknowledged;
        repeating an acknowledgement changes nothing.

        Raises:
            NotFoundError: one of them is not an alarm of this factory.
            UnavailableError: an annunciation is not recorded yet; try again in a moment.
        """
        answered: dict[str, int] = {}
        for item in items:
            answered[item.alarm_id] = max(item.annunciation, answered.get(item.alarm_id, 0))
        rows = self._locked(sorted(answered))
        if len(rows) < len(answered):
            raise NotFoundError("There is no such alarm.")
        if any(answered[row.id] > row.annunciation for row in rows):
            raise UnavailableError("An alarm is not recorded in the database yet; try again.", retry_after_s=1)
        new = [row for row in rows if answered[row.id] > row.acknowledged_annunciation]
        if new:
            said = {"actor": actor, "comment": comment, "at_us": to_us(at)}
            first = self._unit.advance("alarms", len(new)) - len(new) + 1
            numbered = {row.id: number for number, row in enumerate(new, first)}
            self._answer(answered, numbered, said)
            events = [self._event_row(row, answered[row.id], numbered[row.id]) | said for row in new]
            self._unit.insert(tables.alarm_event, events)
            enqueue(self._unit, self._scope.factory_id, events)
        return self.get_many([*answered])

    def _locked(self, alarm_ids: Sequence[str]) -> list[sa.Row[Any]]:
        query = self._select().with_for_update(of=tables.alarm)
        return [
            row
            for portion in portions(alarm_ids)
            for row in self._unit.rows(query.where(tables.alarm.c.id.in_(portion)).order_by(tables.alarm.c.id))
        ]

    def _answer(self, answered: Mapping[str, int], numbered: Mapping[str, int], said: Mapping[str, object]) -> None:
        alarm = tables.alarm
        statement = (
            sa.update(alarm)
            .where(alarm.c.factory_id == self._scope.factory_id, alarm.c.id == sa.bindparam("alarm"))
            .values(
                acknowledged_annunciation=sa.bindparam("answered"),
                acknowledged_us=said["at_us"],
                acknowledged_by=said["actor"],
                comment=said["comment"],
                change=sa.bindparam("number"),
            )
        )
        rows = [{"alarm": row, "answered": answered[row], "number": number} for row, number in numbered.items()]
        self._unit.write_many(statement, rows)

    def _event_row(self, row: sa.Row[Any], annunciation: int, number: int) -> dict[str, Any]:
        kind = AlarmEventKind.ACKNOWLEDGED
        return {
            "factory_id": self._scope.factory_id,
            "id": event_id(self._scope.factory_id, row.id, annunciation, kind),
            "alarm_id": row.id,
            "annunciation": annunciation,
            "kind": kind.value,
            "value": None,
            "rule_name": row.rule_name,
            "device_name": row.device_name,
            "priority": row.priority,
            "number": number,
        }

    def events(
        self, before: str | None = None, most: int = 200, start: datetime | None = None, end: datetime | None = None
    ) -> http.AlarmEventPage:
        """History, newest first, within [start, end); `before` is `next_before` of the page above."""
        event = tables.alarm_event
        query = sa.select(event).where(event.c.factory_id == self._scope.factory_id)
        if start is not None:
            query = query.where(event.c.at_us >= to_us(start))
        if end is not None:
            query = query.where(event.c.at_us < to_us(end))
        if before is not None:
            query = query.where(self._older_than(before))
        rows = self._unit.rows(query.order_by(event.c.at_us.desc(), event.c.number.desc()).limit(most + 1))
        page = [_event_of(row) for row in rows[:most]]
        return http.AlarmEventPage(events=page, next_before=page[-1].id if len(rows) > most and page else None)

    def _older_than(self, event_id: str) -> sa.ColumnElement[bool]:
        event = tables.alarm_event
        row = self._unit.row(
            sa.select(event.c.at_us, event.c.number).where(
                event.c.factory_id == self._scope.factory_id, event.c.id == event_id
            )
        )
        if row is None:
            raise NotFoundError("There is no such alarm event.")
        same_moment = sa.and_(event.c.at_us == row.at_us, event.c.number < row.number)
        return sa.or_(event.c.at_us < row.at_us, same_moment)

    def _select(self) -> sa.Select[Any]:
        return select_alarms().where(tables.alarm.c.factory_id == self._scope.factory_id)


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


def event_id(factory_id: str, alarm_id: str, annunciation: int, kind: AlarmEventKind) -> str:
    """The id of an event: what identifies it, so that saying it twice is saying it once."""
    return derived_id(factory_id, "alarm_event", alarm_id, str(annunciation), kind.value)


def alarm_of(row: sa.Row[Any]) -> http.Alarm:
    """The alarm of a row of `select_alarms`; who acknowledged is told of the present annunciation only."""
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
        change=row.change,
        **shown_facts(facts_of(row)),
    )


def facts_of(row: sa.Row[Any]) -> AlarmFacts:
    """The facts of a row of the table of alarms."""
    return AlarmFacts(
        priority=Priority(row.priority),
        is_active=bool(row.is_active),
        annunciation=row.annunciation,
        raised_us=row.raised_us,
        cleared_us=row.cleared_us,
        acknowledged=(row.acknowledged_annunciation, 0),
        acknowledged_us=row.acknowledged_us,
        acknowledged_by=row.acknowledged_by,
        comment=row.comment,
    )


def _event_of(row: sa.Row[Any]) -> http.AlarmEvent:
    return http.AlarmEvent(
        id=row.id,
        alarm_id=row.alarm_id,
        annunciation=row.annunciation,
        kind=AlarmEventKind(row.kind),
        at=from_us(row.at_us),
        value=row.value,
        actor=row.actor,
        comment=row.comment,
        rule_name=row.rule_name,
        device_name=row.device_name,
        priority=Priority(row.priority),
    )
