"""Why alarms were raised and cleared: the samples and what each comparison said, recorded with the event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.contracts.transitions import AlarmTransition, Why
from factoryops.database import tables
from factoryops.database.alarm_rows import DATED
from factoryops.database.unit import Unit, portions
from factoryops.database.why_tables import alarm_why
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import Scope, derived_id


class WhyRecords:
    """The engine's side, over all factories."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def record(self, transitions: Iterable[AlarmTransition]) -> None:
        """Record what is new; repetitions change nothing."""
        by_factory: defaultdict[str, dict[str, AlarmTransition]] = defaultdict(dict)
        for item in transitions:
            if item.why is not None:
                kind = AlarmEventKind(item.kind)
                identity = _id(item.factory_id, item.alarm_id, item.annunciation, kind, item.at_us)
                by_factory[item.factory_id].setdefault(identity, item)
        for factory_id, items in by_factory.items():
            self._add(factory_id, items)

    def _add(self, factory_id: str, items: dict[str, AlarmTransition]) -> None:
        there: set[str] = set()
        for portion in portions([*items]):
            query = sa.select(alarm_why.c.id).where(alarm_why.c.factory_id == factory_id, alarm_why.c.id.in_(portion))
            there.update(row.id for row in self._unit.rows(query))
        rows = [
            {
                "factory_id": factory_id,
                "id": identity,
                "alarm_id": item.alarm_id,
                "annunciation": item.annunciation,
                "kind": item.kind,
                "why": msgspec.json.encode(item.why).decode(),
            }
            for identity, item in items.items()
            if identity not in there
        ]
        self._unit.insert(alarm_why, rows)


class Whys:
    """Why alarms of one factory were raised and cleared."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def of(self, alarm_id: str, annunciation: int, kind: AlarmEventKind, at_us: int | None = None) -> http.AlarmWhy:
        """Why an annunciation began or ended, or why it was suppressed by design or no longer.

        Args:
            alarm_id: whose.
            annunciation: 0 for what happened before the first one.
            kind: of the event.
            at_us: the event's moment, which tells suppressions apart; the newest one when it is not said.

        Raises:
            NotFoundError: that is not recorded.
        """
        factory_id = self._scope.factory_id
        if kind in DATED and at_us is None:
            at_us = self._newest_us(alarm_id, annunciation, kind)
        wanted = _id(factory_id, alarm_id, annunciation, kind, at_us)
        query = sa.select(alarm_why).where(alarm_why.c.factory_id == factory_id, alarm_why.c.id == wanted)
        row = self._unit.row(query)
        if row is None:
            raise NotFoundError("Why this happened was not recorded.")
        return http.AlarmWhy.of(alarm_id, annunciation, kind, msgspec.json.decode(row.why, type=Why))

    def _newest_us(self, alarm_id: str, annunciation: int, kind: AlarmEventKind) -> int | None:
        event = tables.alarm_event
        found: int | None = self._unit.value(
            sa.select(sa.func.max(event.c.at_us)).where(
                event.c.factory_id == self._scope.factory_id, event.c.alarm_id == alarm_id,
                event.c.annunciation == annunciation, event.c.kind == kind.value,
            )
        )  # fmt: skip
        return found


def _id(factory_id: str, alarm_id: str, annunciation: int, kind: AlarmEventKind, at_us: int | None) -> str:
    moment = [str(at_us)] if kind in DATED else []
    return derived_id(factory_id, "alarm_why", alarm_id, str(annunciation), kind.value, *moment)
