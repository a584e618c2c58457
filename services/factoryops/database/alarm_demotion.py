"""What a live rule raised ends where everybody sees it when the rule becomes a shadow."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from factoryops.database import tables
from factoryops.database.alarm_rows import facts_of, is_abnormal, record, select_alarms
from factoryops.database.unit import Unit
from factoryops.domain import alarm_life
from factoryops.domain.alarm_life import Deed


class Demotions:
    """Ends one factory's alarms in the name of whoever made their rules shadows."""

    def __init__(self, unit: Unit, factory_id: str) -> None:
        self._unit = unit
        self._factory_id = factory_id
        self._deeds: dict[tuple[str, int], Deed] = {}

    def deed(self, rule_id: str, version: int) -> Deed:
        """Who put that version in force and why; by nobody where it is not there any more."""
        if (rule_id, version) not in self._deeds:
            self._deeds[rule_id, version] = self._read(rule_id, version)
        return self._deeds[rule_id, version]

    def end(self, rule_id: str, version: int) -> None:
        """End what of the rule still stands, now that its `version` holds, which is a shadow; again changes nothing."""
        rows = self._standing(rule_id)
        deed = self.deed(rule_id, version)
        outcomes = {row.id: alarm_life.withdrawn(facts_of(row), deed) for row in rows}
        ended = [row for row in rows if outcomes[row.id][1]]
        if ended:
            record(self._unit, self._factory_id, ended, outcomes)

    def _standing(self, rule_id: str) -> list[sa.Row[Any]]:
        alarm = tables.alarm
        mine = sa.and_(alarm.c.factory_id == self._factory_id, alarm.c.rule_id == rule_id, alarm.c.is_shadow.is_(False))
        return [
            *self._unit.rows(select_alarms().where(mine, is_abnormal()).order_by(alarm.c.id).with_for_update(of=alarm))
        ]

    def _read(self, rule_id: str, version: int) -> Deed:
        table = tables.rule_version
        query = sa.select(table.c.changed_by, table.c.reason).where(
            table.c.factory_id == self._factory_id, table.c.rule_id == rule_id, table.c.version == version
        )
        row = self._unit.row(query)
        return Deed("", self._unit.now_us) if row is None else Deed(row.changed_by, self._unit.now_us, row.reason)
