"""From the journal through the engine to the live side; what the database has not been told yet waits here."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from factoryops.alarms.engine import AlarmEngine, Calculated
from factoryops.alarms.live_journal import LiveJournal
from factoryops.alarms.records import JOURNAL, Record, SavedState
from factoryops.alarms.system_watch import Place, SystemProblem
from factoryops.contracts.transitions import AlarmTransition
from factoryops.database.rows import EngineState
from factoryops.domain.calculations import Calculation
from factoryops.domain.rule import RuleInForce
from factoryops.domain.samples import SeriesKey
from factoryops.domain.time import now_us
from factoryops.journal.failpoint import failpoint
from factoryops.journal.reader import JournalReader, MissingRows
from factoryops.journal.records import Batch, Gap

logger = logging.getLogger(__name__)

ROWS_AT_ONCE: Final = 256
MOST_PENDING: Final = 50_000
"""Transitions held for the database. Beyond, evaluation waits for it; when it is away they are let go instead, and
derived again from the journal once it is back."""


class Evaluation:
    """One engine at work on one journal. Blocks; every method but `names` on one thread at a time.

    Attributes:
        engine: what evaluates.
        pending: transitions the database has not been told of.
        has_overflowed: too many were pending; the engine must be resumed from the recorded state.
        is_database_away: transitions are told as not yet recorded.
        received_us: receive time of the newest row that was read.
        lost: rows that could not be read since the start, None when all could.
        is_state_due: something moved that the journal will not say again: the next record must hold the state.
    """

    def __init__(self, journal: Path, live: LiveJournal) -> None:
        self.engine = AlarmEngine()
        self.pending: list[AlarmTransition] = []
        self.has_overflowed = False
        self.is_database_away = False
        self.received_us = 0
        self.lost: MissingRows | None = None
        self.is_state_due = False
        self._missing: list[MissingRows] = []
        self._reader = JournalReader(journal)
        self._live = live

    @property
    def names(self) -> Mapping[int, SeriesKey]:
        """What each series id of the journal stands for; it grows while other threads look."""
        return self._reader.series

    def resume(self, state: EngineState | None) -> None:
        """Go on from the recorded state, or from the beginning of the journal.

        Raises:
            DamagedFileError: the state cannot be read.
        """
        seq = 0 if state is None else state.seq.get(JOURNAL, 0)
        self._reader.position = seq
        self._reader.read(most_rows=0)
        directory = self.engine.directory
        self.engine = AlarmEngine() if state is None else AlarmEngine.restored(state.blob, seq, self.names)
        self.engine.directory = directory
        self.pending.clear()
        self._missing.clear()
        self.has_overflowed = False

    def turn(self) -> int:
        """Evaluate what is new, up to a bound; answers how many rows there were."""
        if len(self.pending) > MOST_PENDING and not self.is_database_away:
            return 0
        batches = self._reader.read(most_rows=ROWS_AT_ONCE)
        self._note_missing()
        happened: list[AlarmTransition] = []
        gaps: list[Gap] = []
        for batch in batches:
            gaps += self._missed_before(batch)
            happened += self.engine.feed(batch, self._reader.series)
        self.tell(happened, gaps, self.engine.take_calculated())
        self._hold(happened)
        if batches:
            self.received_us = batches[-1].entry.received_us
        self._live.tidy()
        return len(batches)

    def take_system(self, wanted: Mapping[Place, SystemProblem]) -> None:
        """Take the service's own problems; nothing happens where they are as they were."""
        happened = self.engine.set_system(wanted, now_us())
        if happened:
            self.is_state_due = True
            self.tell(happened)
            self._hold(happened)

    def tell(
        self,
        happened: Sequence[AlarmTransition],
        gaps: Sequence[Gap] = (),
        calculated: Sequence[Calculated] = (),
    ) -> None:
        """Let the live side know."""
        if self.is_database_away:
            happened = [msgspec.structs.replace(one, is_recorded=False) for one in happened]
        self._live.tell(happened, gaps, calculated, self.engine.calculator.keys)
        if happened:
            failpoint("engine_after_derived_before_record")

    def _hold(self, happened: Sequence[AlarmTransition]) -> None:
        if self.has_overflowed:
            return
        self.pending += happened
        if len(self.pending) > MOST_PENDING and self.is_database_away:
            logger.warning("%d raises and clears wait for the database: they are derived again later", MOST_PENDING)
            self.pending.clear()
            self.has_overflowed = True

    def _note_missing(self) -> None:
        """Rows that should have come and did not."""
        for missing in self._reader.missing:
            logger.warning("rows %d to %d of the journal are missing", missing.first, missing.last)
            self.lost = missing
        self._missing += self._reader.missing
        self._reader.missing.clear()

    def _missed_before(self, batch: Batch) -> list[Gap]:
        """Conditions are told as soon as there is a row behind what is missing; it says when that ended."""
        behind = [missing for missing in self._missing if missing.last >= batch.seq]
        is_any = len(behind) < len(self._missing)
        self._missing = behind
        return [self.engine.miss(batch.entry.received_us)] if is_any else []

    def record(self, new_rules: Sequence[RuleInForce] = (), new_calculations: Sequence[Calculation] = ()) -> Record:
        """Everything the database must be told to be where the engine is."""
        engine = self.engine
        self.is_state_due = False
        return Record(
            tuple(self.pending), SavedState(engine.seq, engine.snapshot()), new_rules, new_calculations,
            dict(engine.calculator.faults), dict(engine.programs.faults),
        )  # fmt: skip

    def record_of_news(self, *, is_whole: bool) -> Record:
        """What happened, and the state only where asked for or due.

        What happened beyond the recorded state the engine says again after a crash, and it is known again then.
        """
        return self.record() if is_whole or self.is_state_due else Record(tuple(self.pending))

    def recorded(self, record: Record) -> None:
        """The database has `record`."""
        del self.pending[: len(record.transitions)]

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()
