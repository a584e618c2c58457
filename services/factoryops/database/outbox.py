"""The outbox: what somebody may have to be told, written in the transaction of the event itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from factoryops.database import notification_tables as tables
from factoryops.database.unit import Unit
from factoryops.domain.alarms import AlarmEventKind

_FOLLOW_UPS: Final = (AlarmEventKind.CLEARED.value, AlarmEventKind.ACKNOWLEDGED.value)


def enqueue(unit: Unit, factory_id: str, events: Sequence[Mapping[str, Any]]) -> None:
    """Note the events of one factory that somebody may have to be told; call it where their rows are inserted.

    Those are annunciations, returns and acknowledgements. A factory that tells nobody anything pays one look.

    `events` are rows of `alarm_event` as they are inserted.
    """
    wanted = [event for event in events if _is_told(event)]
    table = tables.policy
    if not wanted or unit.value(sa.select(table.c.id).where(table.c.factory_id == factory_id).limit(1)) is None:
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


def _is_told(event: Mapping[str, Any]) -> bool:
    is_annunciation = event.get("is_annunciation", event["kind"] == AlarmEventKind.RAISED.value)
    return bool(is_annunciation) or event["kind"] in _FOLLOW_UPS
