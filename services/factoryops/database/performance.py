"""The alarm history of one factory as figures are made from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from factoryops.database import tables
from factoryops.database.alarm_rows import event_id
from factoryops.database.philosophy import Philosophies
from factoryops.database.unit import Unit, portions
from factoryops.domain.alarm_life import Happening
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.errors import InvalidInputError, NotFoundError
from factoryops.domain.identity import Scope
from factoryops.domain.performance.history import HistoryLine
from factoryops.domain.system_alarms import SERVICE_KIND

MOST_EVENTS: Final = 200_000
"""Events of one question: about 150 MB while it is answered."""

MOST_ANNOUNCED: Final = 20_000
"""Annunciations that say whether there is a flood: 33 a second for ten minutes."""


class AlarmOrigin(NamedTuple):
    """Where an alarm belongs: its rule, by the name it had last, and its device."""

    alarm_id: str
    rule_id: str
    rule_name: str
    priority: int
    device_key: str
    device_name: str
    area: str


class PerformanceRecords:
    """What happened to the factory's alarms.

    Those about the service itself are no load of an operator and left out, and so are those of classes that do not
    count.
    """

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def lines(self, start_us: int, end_us: int, *, without_rule: str = "") -> list[HistoryLine]:
        """Events of [start, end) and the raise of whatever was active when the span began, but for those of a rule.

        Raises:
            InvalidInputError: these are too many.
        """
        event = tables.alarm_event
        others = self._select().where(tables.alarm.c.rule_id != without_rule)
        inside = others.where(event.c.at_us >= start_us, event.c.at_us < end_us)
        lines = self._read(inside.limit(MOST_EVENTS + 1))
        if len(lines) > MOST_EVENTS:
            raise InvalidInputError(
                f"The span holds more than {MOST_EVENTS:,} alarm events: ask for a shorter one.",
                fields={"start": "too early"},
            )
        return [*self._begun_before(others, lines, start_us), *lines]

    def announced(self, start_us: int, end_us: int) -> list[HistoryLine]:
        """What was announced in [start, end), in order; of more than 20,000 the newest."""
        event = tables.alarm_event
        inside = self._select().where(
            event.c.is_annunciation.is_(True), event.c.at_us >= start_us, event.c.at_us < end_us
        )
        newest = inside.order_by(None).order_by(event.c.at_us.desc(), event.c.number.desc()).limit(MOST_ANNOUNCED)
        return self._read(newest)[::-1]

    def places(self, alarm_ids: Sequence[str]) -> list[AlarmOrigin]:
        """Which rule and device each of some alarms belongs to, in the order asked for.

        What is not there is left out, and so is what is only being tried now, whatever its history says.
        """
        alarm, device = tables.alarm, tables.device
        of_device = sa.and_(device.c.factory_id == alarm.c.factory_id, device.c.id == alarm.c.device_id)
        query = (
            sa.select(
                alarm.c.id, alarm.c.rule_id, alarm.c.rule_name, alarm.c.priority, device.c.key, device.c.name,
                device.c.area,
            )
            .join(device, of_device)
            .where(
                alarm.c.factory_id == self._scope.factory_id, alarm.c.id.in_(alarm_ids), alarm.c.is_shadow.is_(False)
            )
        )  # fmt: skip
        found = {row.id: AlarmOrigin._make(row) for row in self._unit.rows(query)}
        return [found[one] for one in dict.fromkeys(alarm_ids) if one in found]

    def check_there(self, alarm_ids: Sequence[str]) -> None:
        """Raise NotFoundError unless each of some alarms is there and not only being tried."""
        if len(self.places(alarm_ids)) < len({*alarm_ids}):
            raise NotFoundError("There is no such alarm.")

    def _begun_before(self, query: sa.Select[Any], lines: Iterable[HistoryLine], start_us: int) -> list[HistoryLine]:
        begun = {(one.alarm_id, one.annunciation) for one in lines}
        begun |= self._active_since_before(start_us)
        raised = {(one.alarm_id, one.annunciation) for one in lines if one.kind == AlarmEventKind.RAISED.value}
        event = tables.alarm_event
        found: list[HistoryLine] = []
        for portion in portions(self._raise_id(*one) for one in begun - raised):
            found += self._read(query.where(event.c.id.in_(portion), event.c.at_us < start_us))
        return found

    def _raise_id(self, alarm_id: str, annunciation: int) -> str:
        """The id of the event that began an annunciation."""
        return event_id(self._scope.factory_id, alarm_id, Happening(AlarmEventKind.RAISED, 0, (annunciation, 0)))

    def _active_since_before(self, start_us: int) -> set[tuple[str, int]]:
        alarm = tables.alarm
        query = sa.select(alarm.c.id, alarm.c.annunciation).where(
            alarm.c.factory_id == self._scope.factory_id, alarm.c.is_active.is_(True), alarm.c.raised_us < start_us
        )
        return {(row.id, row.annunciation) for row in self._unit.rows(query)}

    def _select(self) -> sa.Select[Any]:
        event, alarm, device = tables.alarm_event, tables.alarm, tables.device
        of_alarm = sa.and_(alarm.c.factory_id == event.c.factory_id, alarm.c.id == event.c.alarm_id)
        of_device = sa.and_(device.c.factory_id == alarm.c.factory_id, device.c.id == alarm.c.device_id)
        return (
            sa.select(
                event.c.alarm_id, event.c.annunciation, event.c.kind, event.c.at_us, event.c.priority,
                event.c.is_annunciation, event.c.rule_name, event.c.device_name, device.c.area,
            )
            .join(alarm, of_alarm)
            .join(device, of_device)
            .where(event.c.factory_id == self._scope.factory_id, event.c.is_shadow.is_(False))
            .where(device.c.kind != SERVICE_KIND, self._is_counted())
            .order_by(event.c.at_us, event.c.number)
        )  # fmt: skip

    def _is_counted(self) -> sa.ColumnElement[bool]:
        """Whether an alarm is of a class that counts; one whose class is gone is of the first."""
        first, *others = Philosophies(self._unit, self._scope).get().classes
        named = tables.alarm.c.alarm_class
        if first.is_counted:
            return named.not_in([one.id for one in others if not one.is_counted])
        return named.in_([one.id for one in others if one.is_counted])

    def _read(self, query: sa.Select[Any]) -> list[HistoryLine]:
        return [
            HistoryLine(
                row.alarm_id, row.annunciation, row.kind, row.at_us, row.priority,
                bool(row.is_annunciation), row.rule_name, row.device_name, row.area,
            )
            for row in self._unit.rows(query)
        ]  # fmt: skip
