"""Alarms that nobody was reached for, though somebody was to be."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

import sqlalchemy as sa

from factoryops.contracts.http import DeliveryState
from factoryops.database import notification_tables as tables
from factoryops.database import tables as plant
from factoryops.database.notification_rows import DONE, NO_POLICY, WITHDRAWN, Unreached
from factoryops.database.unit import Unit
from factoryops.domain.alarms import Priority
from factoryops.domain.identity import FactoryId
from factoryops.domain.notification_plan import QUIET, TOLD_ALREADY
from factoryops.domain.notification_repeats import REPEAT_US
from factoryops.domain.time import US_PER_S

_WITHIN_US: Final = 24 * 3_600 * US_PER_S
_COUNTED: Final = ("", DONE, "returned", WITHDRAWN, NO_POLICY)
"""How chains stand that were to reach somebody; others were ended by people, or go on in a later one."""


def unreached(unit: Unit, before_us: int, now_us: int) -> list[Unreached]:
    """Alarms that wait for an answer and nobody was reached for, by factory.

    Args:
        unit: over all factories.
        before_us: since when somebody should have heard of them.
        now_us: the clock; what was announced a day before is left out.
    """
    chain, alarm = tables.chain, plant.alarm
    query = (
        sa.select(chain.c.factory_id, chain.c.alarm_id, chain.c.began_us, alarm.c.rule_name)
        .join(alarm, sa.and_(alarm.c.factory_id == chain.c.factory_id, alarm.c.id == chain.c.alarm_id))
        .where(
            chain.c.began_us.between(now_us - _WITHIN_US, before_us),
            chain.c.reached_us.is_(None),
            chain.c.outcome.in_(_COUNTED),
            alarm.c.parameter_key.not_like("nobody_reached%"),
            _is_unanswered(chain),
            *_is_in_sight(),
            ~_is_known(),
            sa.or_(chain.c.outcome == WITHDRAWN, _was_to_be_told(before_us)),
        )
        .order_by(chain.c.began_us, chain.c.id)
        .limit(5_000)
    )
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for row in unit.rows(query, every_factory=True):
        found[row.factory_id].setdefault(row.alarm_id, row)
    return [
        Unreached(FactoryId(factory), len(rows), min(row.began_us for row in rows.values()), first.rule_name)
        for factory, rows in found.items()
        if (first := next(iter(rows.values())))
    ]


def _is_unanswered(chain: Any) -> sa.ColumnElement[bool]:
    """Nobody has acknowledged the announcement of a chain, or a later one."""
    alarm = plant.alarm
    return sa.or_(
        chain.c.annunciation > alarm.c.acknowledged_annunciation,
        sa.and_(
            chain.c.annunciation == alarm.c.acknowledged_annunciation,
            chain.c.renewal > alarm.c.acknowledged_renewal,
        ),
    )


def _is_in_sight() -> tuple[sa.ColumnElement[bool], ...]:
    alarm = plant.alarm
    return alarm.c.shelved_us.is_(None), alarm.c.out_us.is_(None), alarm.c.is_suppressed.is_(False)


def _is_known() -> sa.ColumnElement[bool]:
    """Somebody was reached for this alarm, lately enough that they did not have to hear of it again at once."""
    chain, other = tables.chain, tables.chain.alias("other")
    return sa.exists().where(
        other.c.factory_id == chain.c.factory_id,
        other.c.alarm_id == chain.c.alarm_id,
        other.c.reached_us >= chain.c.began_us - REPEAT_US,
        _is_unanswered(other),
    )


def _was_to_be_told(before_us: int) -> sa.ColumnElement[bool]:
    """The ledger has a line since before then that was to reach somebody: not one that people's quiet hours forbid."""
    chain, alarm, line = tables.chain, plant.alarm, tables.delivery
    is_quiet = sa.and_(line.c.reason == QUIET, alarm.c.priority != int(Priority.CRITICAL))
    is_left_out = sa.and_(
        line.c.state == DeliveryState.SKIPPED.value, sa.or_(is_quiet, line.c.reason == TOLD_ALREADY)
    )  # fmt: skip
    return sa.exists().where(
        line.c.factory_id == chain.c.factory_id,
        line.c.alarm_id == chain.c.alarm_id,
        line.c.created_us.between(chain.c.began_us, before_us),
        line.c.event.in_(("raised", "renewed")),
        ~is_left_out,
    )
