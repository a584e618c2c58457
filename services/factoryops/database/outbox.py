"""The outbox: what somebody may have to be told, written in the transaction of the event itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from factoryops.database import notification_tables as tables
from factoryops.database import tables as plant
from factoryops.database.unit import Unit, portions
from factoryops.domain.alarms import AlarmEventKind, EventCause

_FOLLOW_UPS: Final = (AlarmEventKind.CLEARED.value, AlarmEventKind.ACKNOWLEDGED.value)


def enqueue(unit: Unit, factory_id: str, events: Sequence[Mapping[str, Any]]) -> None:
    """Note the events of one factory that somebody may have to be told; call it where their rows are inserted.

    Those are annunciations, returns, acknowledgements, and that something unanswered became more urgent. A factory
    that has no policy pays a look or two: a rule may name one that is no more, and that is to be known.

    `events` are rows of `alarm_event` as they are inserted.
    """
    wanted = [event for event in events if _is_told(event)]
    table = tables.policy
    if wanted and unit.value(sa.select(table.c.id).where(table.c.factory_id == factory_id).limit(1)) is None:
        named = _naming(unit, factory_id, {event["alarm_id"] for event in wanted})
        wanted = [event for event in wanted if event["alarm_id"] in named]
    if not wanted:
        return
    unit.insert(
        tables.outbox,
        [
            {
                "factory_id": factory_id,
                "id": event["id"],
                "alarm_id": event["alarm_id"],
                "annunciation": event["annunciation"],
                "renewal": event.get("renewal", 0),
                "kind": event["kind"],
                "at_us": event["at_us"],
                "number": event["number"],
                "created_us": unit.now_us,
            }
            for event in wanted
        ],
    )


def _naming(unit: Unit, factory_id: str, alarm_ids: Collection[str]) -> set[str]:
    """Those of these alarms whose rules name policies."""
    alarm, version = plant.alarm, plant.rule_version
    of_alarm = sa.and_(
        version.c.factory_id == alarm.c.factory_id,
        version.c.rule_id == alarm.c.rule_id,
        version.c.version == alarm.c.rule_version,
    )
    query = sa.select(alarm.c.id).join(version, of_alarm)
    query = query.where(alarm.c.factory_id == factory_id, version.c.definition.contains('"notify":["', autoescape=True))
    return {row.id for portion in portions(alarm_ids) for row in unit.rows(query.where(alarm.c.id.in_(portion)))}


def _is_told(event: Mapping[str, Any]) -> bool:
    is_annunciation = event.get("is_annunciation", event["kind"] == AlarmEventKind.RAISED.value)
    is_more_urgent = (
        event["kind"] == AlarmEventKind.REPRIORITISED.value and event.get("cause") == EventCause.PRIORITY_ROSE.value
    )
    return bool(is_annunciation) or event["kind"] in _FOLLOW_UPS or is_more_urgent
