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
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import Scope
from factoryops.domain.performance.history import HistoryLine
from factoryops.domain.system_alarms import SERVICE_KIND

_PORTION: Final = 20_000
_OF_LINE: Final = len(HistoryLine._fields)


class Place(NamedTuple):
    """Of an event among all of the factory."""

    at_us: int
    number: int


class Portion(NamedTuple):
    """Some of the history.

    Attributes:
        last: where to go on; None where there is no more.
    """

    lines: list[HistoryLine]
    last: Place | None


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

    def portion(self, span: tuple[int, int], after: Place | None = None, *, without_rule: str = "") -> Portion:
        """The first some thousand events of [start, end) behind a place, or from the beginning, but for a rule's."""
        event = tables.alarm_event
        inside = self._others(without_rule).where(event.c.at_us >= span[0], event.c.at_us < span[1])
        if after is not None:
            later = sa.and_(event.c.at_us == after.at_us, event.c.number > after.number)
            inside = inside.where(event.c.at_us >= after.at_us, sa.or_(event.c.at_us > after.at_us, later))
        rows = self._unit.rows(inside.limit(_PORTION))
        is_last = len(rows) < _PORTION
        return Portion(_lines(rows), None if is_last else Place(rows[-1].at_us, rows[-1].number))

    def announced(self, start_us: int, end_us: int) -> list[HistoryLine]:
        """What was announced in [start, end), in order; of more than 20,000 the newest."""
        event = tables.alarm_event
        inside = self._select().where(
            event.c.is_annunciation.is_(True), event.c.at_us >= start_us, event.c.at_us < end_us
        )
        newest = inside.order_by(None).order_by(event.c.at_us.desc(), event.c.number.desc()).limit(MOST_ANNOUNCED)
        return _lines(self._unit.rows(newest))[::-1]

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

    def begun_before(self, lines: Iterable[HistoryLine], start_us: int, *, without_rule: str = "") -> list[HistoryLine]:
        """The raises before `start_us` of what `lines` are about, and of whatever was active then; see `portion`."""
        query = self._others(without_rule)
        begun = {(one.alarm_id, one.annunciation) for one in lines}
        begun |= self._active_since_before(start_us)
        raised = {(one.alarm_id, one.annunciation) for one in lines if one.kind == AlarmEventKind.RAISED.value}
        event = tables.alarm_event
        found: list[HistoryLine] = []
        for portion in portions(self._raise_id(*one) for one in begun - raised):
            found += _lines(self._unit.rows(query.where(event.c.id.in_(portion), event.c.at_us < start_us)))
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
                event.c.is_annunciation, event.c.rule_name, event.c.device_name, device.c.area, event.c.number,
            )
            .join(alarm, of_alarm)
            .join(device, of_device)
            .where(event.c.factory_id == self._scope.factory_id, event.c.is_shadow.is_(False))
            .where(device.c.kind != SERVICE_KIND, self._is_counted())
            .order_by(event.c.at_us, event.c.number)
        )  # fmt: skip

    def _others(self, rule_id: str) -> sa.Select[Any]:
        """What happened to the alarms of all rules but one; none is left out where that is ""."""
        return self._select().where(tables.alarm.c.rule_id != rule_id)

    def _is_counted(self) -> sa.ColumnElement[bool]:
        """Whether an alarm is of a class that counts; one whose class is gone is of the first."""
        first, *others = Philosophies(self._unit, self._scope).get().classes
        named = tables.alarm.c.alarm_class
        if first.is_counted:
            return named.not_in([one.id for one in others if not one.is_counted])
        return named.in_([one.id for one in others if one.is_counted])


def _lines(rows: Iterable[sa.Row[Any]]) -> list[HistoryLine]:
    """Events, each name and id of them held once however often it comes."""
    held: dict[str, str] = {}
    return [
        HistoryLine._make(held.setdefault(one, one) if isinstance(one, str) else one for one in row[:_OF_LINE])
        for row in rows
    ]
