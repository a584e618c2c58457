"""How alarms stand, as far as it decides who is told of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa

from factoryops.database import tables
from factoryops.database.alarm_rows import select_alarms
from factoryops.database.notification_rows import AlarmFacts, AlarmStanding
from factoryops.database.unit import Unit, portions
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Compare, Condition, Constant
from factoryops.domain.identity import FactoryId
from factoryops.domain.notifying import Told
from factoryops.domain.rule import AlarmRecord, RuleDefinition, RuleMode
from factoryops.domain.system_alarms import system_rule_id


def standing_of(unit: Unit, factory_id: FactoryId, alarm_ids: Iterable[str]) -> dict[str, AlarmStanding]:
    """How alarms of one factory stand, by id."""
    version = tables.rule_version
    of_alarm = sa.and_(
        version.c.factory_id == tables.alarm.c.factory_id,
        version.c.rule_id == tables.alarm.c.rule_id,
        version.c.version == tables.alarm.c.rule_version,
    )
    query = select_alarms().add_columns(version.c.definition.label("definition")).outerjoin(version, of_alarm)
    query = query.where(tables.alarm.c.factory_id == factory_id)
    return {
        row.id: _standing(row)
        for portion in portions(set(alarm_ids))
        for row in unit.rows(query.where(tables.alarm.c.id.in_(portion)))
    }


def told_of(definition: RuleDefinition, area: str) -> Told:
    """What of a rule decides who is told of its alarms in an area."""
    return Told(definition.priority, area, definition.alarm_class, definition.notify)


def _standing(row: sa.Row[Any]) -> AlarmStanding:
    definition = msgspec.json.decode(row.definition, type=RuleDefinition) if row.definition else None
    is_service = row.rule_id == system_rule_id(row.factory_id, row.parameter_key)
    told = Told(Priority(row.priority), row.area, is_service=is_service)
    if definition is not None:
        told = msgspec.structs.replace(told_of(definition, row.area), priority=Priority(row.priority))
    return AlarmStanding(
        facts=_facts(row, definition),
        told=told,
        is_active=bool(row.is_active),
        annunciation=row.annunciation,
        acknowledged=(row.acknowledged_annunciation, row.acknowledged_renewal),
        out_of_sight=_out_of_sight(row, definition),
    )


def _out_of_sight(row: sa.Row[Any], definition: RuleDefinition | None) -> str:
    """Why nobody is told of an alarm at the moment."""
    reasons = {
        "shadow": definition is not None and definition.mode is RuleMode.SHADOW,
        "out of service": row.out_us is not None,
        "suppressed": bool(row.is_suppressed),
        "shelved": row.shelved_us is not None,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _facts(row: sa.Row[Any], definition: RuleDefinition | None) -> AlarmFacts:
    is_answered = row.acknowledged_annunciation >= row.annunciation
    record = AlarmRecord() if definition is None else definition.record
    return AlarmFacts(
        rule_id=row.rule_id,
        rule_name=row.rule_name,
        device_key=row.device_key,
        device_name=row.device_name,
        area=row.area,
        parameter_key=row.parameter_key,
        series_id=row.series_id,
        unit=row.unit,
        priority=row.priority,
        message=row.message,
        response=row.response,
        raised_us=row.raised_us or 0,
        value=row.value,
        limit=None if definition is None else _limit(definition.condition),
        cleared_us=row.cleared_us or 0,
        acknowledged_us=(row.acknowledged_us or 0) if is_answered else 0,
        acknowledged_by=(row.acknowledged_by or "") if is_answered else "",
        comment=(row.comment or "") if is_answered else "",
        cause=record.cause,
        consequence=record.consequence,
        time_to_respond_s=record.time_to_respond_s,
        owner=record.owner,
    )


def _limit(condition: Condition) -> float | None:
    """The limit of a condition that is one comparison with a number."""
    if isinstance(condition, Compare) and isinstance(condition.right, Constant):
        return condition.right.value
    return None
