"""What time brings to the alarms of every factory: shelving that is over, re-alarms, priorities that changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from factoryops.database import tables
from factoryops.database.alarm_rows import facts_of, record
from factoryops.database.unit import Unit, portions
from factoryops.domain import alarm_life
from factoryops.domain.alarm_life import Outcome
from factoryops.domain.alarms import Priority


class AlarmClock:
    """The life-cycle clock's transactions; it looks at facts alone, so that a restart repeats nothing."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    @property
    def now_us(self) -> int:
        """The clock as this unit of work has it."""
        return self._unit.now_us

    def due(self) -> Mapping[str, Sequence[str]]:
        """The alarms that time has brought something to, by factory."""
        alarm = tables.alarm
        may_be = sa.or_(
            alarm.c.shelved_us.is_not(None),
            alarm.c.out_until_us.is_not(None),
            sa.and_(alarm.c.is_active.is_(True), alarm.c.re_alarm_s > 0),
            sa.and_(alarm.c.is_active.is_(True), alarm.c.priority != tables.rule_version.c.priority),
        )
        found: defaultdict[str, list[str]] = defaultdict(list)
        for row in self._unit.rows(_select().where(may_be), every_factory=True):
            if self._outcome(row)[1]:
                found[row.factory_id].append(row.id)
        return found

    def pass_time(self, factory_id: str, alarm_ids: Sequence[str]) -> int:
        """Let time bring what is due to these alarms; answers to how many it did."""
        rows = [row for row in self._locked(factory_id, sorted(alarm_ids)) if self._outcome(row)[1]]
        if rows:
            outcomes = {row.id: self._outcome(row) for row in rows}
            record(self._unit, factory_id, rows, outcomes, has_priorities=True)
        return len(rows)

    def _outcome(self, row: sa.Row[Any]) -> Outcome:
        wanted = None if row.rule_priority is None else Priority(row.rule_priority)
        return alarm_life.due(facts_of(row), self._unit.now_us, re_alarm_s=row.re_alarm_s, priority=wanted)

    def _locked(self, factory_id: str, alarm_ids: Sequence[str]) -> list[sa.Row[Any]]:
        query = _select().where(tables.alarm.c.factory_id == factory_id)
        return [
            row
            for portion in portions(alarm_ids)
            for row in self._unit.rows(
                query.where(tables.alarm.c.id.in_(portion)).order_by(tables.alarm.c.id).with_for_update(of=tables.alarm)
            )
        ]


def _select() -> sa.Select[Any]:
    """Alarms with their devices' names and the priority that the version of their rule that holds now says."""
    alarm, device, rule, version = tables.alarm, tables.device, tables.rule, tables.rule_version
    holds = sa.and_(
        version.c.factory_id == rule.c.factory_id,
        version.c.rule_id == rule.c.id,
        version.c.version == rule.c.version,
        version.c.holds_from_seq.is_not(None),
    )
    return (
        sa.select(alarm, device.c.name.label("device_name"), version.c.priority.label("rule_priority"))
        .join(device, sa.and_(device.c.factory_id == alarm.c.factory_id, device.c.id == alarm.c.device_id))
        .join(rule, sa.and_(rule.c.factory_id == alarm.c.factory_id, rule.c.id == alarm.c.rule_id))
        .outerjoin(version, holds)
    )
