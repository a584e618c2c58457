"""What the engine looks after beside evaluating: names, devices that appeared, ingest's signed snapshot.

All of it needs the database, and none of it may hold up an alarm.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from factoryops.alarms.directory import Directory
from factoryops.alarms.plant_records import PlantRecords
from factoryops.database.database import Database
from factoryops.database.rows import Changes
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import FactoryOpsError, UnavailableError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.plant import ParameterKind
from factoryops.domain.retention import RetentionPlan
from factoryops.domain.samples import SeriesKey
from factoryops.domain.time import now_us
from factoryops.history.upkeep import write_plan
from factoryops.identity.snapshot_file import write_snapshot
from factoryops.journal.reader import JournalReader
from factoryops.journal.records import ClockOffset
from factoryops.observability.heartbeat import Problem

logger = logging.getLogger(__name__)

_TOUCH_EVERY_S: Final = 5.0


class Surroundings:
    """Keeps what the engine depends on, and what depends on it, current.

    Attributes:
        directory: what everything is called, as of the last look.
    """

    def __init__(
        self,
        database: Database,
        snapshot_path: Path,
        snapshot_key: bytes,
        *,
        other_journal: Path | None = None,
        retention_path: Path | None = None,
    ) -> None:
        self.directory = Directory()
        self._database = database
        self._plant = PlantRecords(database)
        self._retention_path = retention_path
        self._snapshot_path, self._snapshot_key = snapshot_path, snapshot_key
        self._other = None if other_journal is None else JournalReader(other_journal)
        self._seen: Changes | None = None
        self._taken: Changes | None = None
        self._heard: dict[SeriesKey, int] = {}
        self._touched_at = time.monotonic()
        self._problem: Problem | None = None

    def look(self, series: Mapping[int, SeriesKey]) -> None:
        """Look once; call it every second.

        Args:
            series: all that the journal knows.

        Raises:
            UnavailableError: the database is away.
        """
        try:
            self._plant.copy({**self._imported(), **series})
            self._follow(self._database.read(lambda tx: tx.changes()))
        except UnavailableError:
            raise
        except FactoryOpsError as error:
            self._note(error)
        else:
            self._problem = None

    def _imported(self) -> Mapping[int, SeriesKey]:
        if self._other is None:
            return {}
        self._other.read(most_rows=0)
        return self._other.series

    def _follow(self, changes: Changes) -> None:
        before = self._seen
        if before is None or changes.plant != before.plant:
            self.directory = self._plant.directory()
        if before is None or changes.access != before.access or not self._snapshot_path.exists():
            write_snapshot(self._database, self._snapshot_path, self._snapshot_key)
            if self._retention_path is not None:
                write_plan(self._retention_path, self._database.read(_retention_plan))
        self._seen = changes

    def _note(self, error: FactoryOpsError) -> None:
        if self._problem is None or self._problem.message != str(error):
            logger.warning("%s", error)
            self._problem = Problem("plant_records", str(error), now_us())

    @property
    def are_rules_new(self) -> bool:
        """Whether rules, or the devices that kinds and areas stand for, have changed since they were last taken."""
        seen, taken = self._seen, self._taken
        return seen is None or taken is None or (seen.rules, seen.plant) != (taken.rules, taken.plant)

    def have_taken_rules(self, as_of: Changes) -> None:
        """The rules are in force as they were then."""
        self._taken = as_of

    @property
    def is_touch_due(self) -> bool:
        """Whether it is time again to note when devices were last heard."""
        return time.monotonic() - self._touched_at >= _TOUCH_EVERY_S

    def note_heard(self, heard_us: Mapping[SeriesKey, int]) -> None:
        """Record when devices were last heard; raises UnavailableError."""
        self._heard.update(heard_us)
        self._touched_at = time.monotonic()
        self._plant.touch(self._heard)
        self._heard.clear()

    def note_kinds(self, kinds: Mapping[SeriesKey, ParameterKind]) -> None:
        """Record what parameters carry; raises UnavailableError."""
        self._plant.note_kinds(kinds)

    def note_clocks(self, offsets: Iterable[ClockOffset]) -> None:
        """Record how far devices' clocks are from ours; raises UnavailableError."""
        self._plant.note_clocks(offsets)

    def problems(self) -> tuple[Problem, ...]:
        """Promises at risk."""
        return () if self._problem is None else (self._problem,)

    def close(self) -> None:
        """Let go of the files."""
        if self._other is not None:
            self._other.close()


def _retention_plan(tx: Transaction) -> RetentionPlan:
    """How long history is kept, of every factory that has rules for it."""
    scopes = [Scope(factory.id, "retention", Role.VIEWER) for factory in tx.factories.list()]
    held = ((scope.factory_id, tx.retention(scope).in_force()) for scope in scopes)
    return RetentionPlan({factory: policies for factory, policies in held if policies})
