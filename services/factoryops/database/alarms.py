"""Alarms of one factory as they are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.database import tables
from factoryops.database.alarm_rows import alarm_of, event_of, is_abnormal, select_alarms
from factoryops.database.rules import definition_of
from factoryops.database.unit import Unit, portions
from factoryops.domain.alarms import AlarmState
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import Scope
from factoryops.domain.rule import AlarmRecord
from factoryops.domain.time import to_us


class Alarms:
    """The factory's alarms and their history, without those of rules that are only being tried."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def list_abnormal(self) -> list[http.Alarm]:
        """Every alarm that is not normal, those that are put aside too; most urgent and newest first."""
        alarm = tables.alarm
        query = self._select().where(is_abnormal())
        rows = self._unit.rows(query.order_by(alarm.c.priority, alarm.c.raised_us.desc(), alarm.c.id))
        return [one for one in map(alarm_of, rows) if one.state is not AlarmState.NORMAL]

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

    def sheet(self, alarm_id: str) -> http.ResponseSheet:
        """What is to be known and done about an alarm, as the rule version that raised it says.

        Raises:
            NotFoundError: there is no such alarm.
        """
        (alarm,) = self.get_many([alarm_id])
        version = tables.rule_version
        row = self._unit.row(
            sa.select(version).where(
                version.c.factory_id == self._scope.factory_id,
                version.c.rule_id == alarm.rule_id,
                version.c.version == alarm.rule_version,
            )
        )
        record = AlarmRecord(action=alarm.response) if row is None else definition_of(row).record
        return http.ResponseSheet(
            alarm_id=alarm.id, rule_name=alarm.rule_name, rule_version=alarm.rule_version, priority=alarm.priority,
            alarm_class=alarm.alarm_class, cause=record.cause, consequence=record.consequence, action=record.action,
            severity=record.severity, time_to_respond_s=record.time_to_respond_s, owner=record.owner,
            review_on=record.review_on,
        )  # fmt: skip

    def events(
        self,
        before: str | None = None,
        most: int = 200,
        start: datetime | None = None,
        end: datetime | None = None,
        alarm_id: str | None = None,
        shadow_of: str | None = None,
    ) -> http.AlarmEventPage:
        """History, newest first, within [start, end); `before` is `next_before` of the page above.

        With `shadow_of`, a rule's id, it is what that rule found while it was only being tried.
        """
        event = tables.alarm_event
        query = sa.select(event).where(
            event.c.factory_id == self._scope.factory_id, event.c.is_shadow.is_(shadow_of is not None)
        )
        if shadow_of is not None:
            query = query.where(event.c.alarm_id.in_(self._alarms_of_rule(shadow_of)))
        if alarm_id is not None:
            query = query.where(event.c.alarm_id == alarm_id)
        if start is not None:
            query = query.where(event.c.at_us >= to_us(start))
        if end is not None:
            query = query.where(event.c.at_us < to_us(end))
        if before is not None:
            query = query.where(self._older_than(before))
        rows = self._unit.rows(query.order_by(event.c.at_us.desc(), event.c.number.desc()).limit(most + 1))
        page = [event_of(row) for row in rows[:most]]
        return http.AlarmEventPage(events=page, next_before=page[-1].id if len(rows) > most and page else None)

    def _alarms_of_rule(self, rule_id: str) -> sa.Select[Any]:
        alarm = tables.alarm
        return sa.select(alarm.c.id).where(alarm.c.factory_id == self._scope.factory_id, alarm.c.rule_id == rule_id)

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
        alarm = tables.alarm
        return select_alarms().where(alarm.c.factory_id == self._scope.factory_id, alarm.c.is_shadow.is_(False))
