"""Back-fill: a table read block by block into the import journal, or only looked through."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from factoryops.contracts.http import ImportPlan
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.samples import SeriesKey
from factoryops.history.queries import History
from factoryops.history.transfer.blocks import Block, TableFile
from factoryops.history.transfer.csv_table import CsvTable
from factoryops.history.transfer.import_state import ImportState, read_state, write_state
from factoryops.history.transfer.names import Names
from factoryops.history.transfer.parquet_table import ParquetTable, is_parquet
from factoryops.history.transfer.reading import complete, resolve
from factoryops.history.transfer.samples_of import Translator
from factoryops.history.transfer.stored import without_devices_own
from factoryops.history.transfer.tally import Tally
from factoryops.journal.failpoint import failpoint
from factoryops.journal.import_writer import ImportWriter
from factoryops.observability.disk import check_room

Tell = Callable[[float, str], None]
"""How far it is (0 to 1), and what it is doing."""

_SAMPLE_ROWS: Final = 200
_TELL_EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file looks like.

    Attributes:
        plan: how it would be read.
        rows: its first rows, as text.
        problem: why it cannot be read so, "" when it can.
    """

    plan: ImportPlan
    header: list[str]
    rows: list[list[str]]
    problem: str


@dataclass(frozen=True, slots=True)
class ImportJob:
    """One import.

    Attributes:
        file: the table.
        factory: the factory's id.
        known: the series the factory has.
        token: names this import in its state file.
        state_file: where its progress is remembered.
    """

    file: Path
    plan: ImportPlan
    factory: str
    known: tuple[SeriesKey, ...]
    token: str
    state_file: Path


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What it came to.

    Attributes:
        plan: as it was completed.
        series: every series that got samples.
    """

    plan: ImportPlan
    tally: Tally
    series: tuple[SeriesKey, ...]


def open_table(file: Path, plan: ImportPlan, *, is_first_look: bool = False) -> TableFile:
    """The table in a file, CSV or Parquet; of a Parquet file a first look takes few rows into memory.

    Raises:
        InvalidInputError: it is neither; says why.
    """
    if is_parquet(file):
        return ParquetTable(file, rows_at_once=_SAMPLE_ROWS) if is_first_look else ParquetTable(file)
    return CsvTable(file, encoding=plan.encoding, delimiter=plan.delimiter, decimal=plan.decimal)


def preview(file: Path, plan: ImportPlan, *, most_rows: int = 20) -> Preview:
    """What a file looks like, and whether it can be read as the plan says.

    Raises:
        InvalidInputError: it is no table at all.
    """
    table = open_table(file, plan, is_first_look=True)
    first = _first_block(table)
    sample = [column[:_SAMPLE_ROWS] for column in first.columns]
    completed = complete(table, sample, plan)
    rows = [[str(column[row]) for column in sample] for row in range(min(first.rows, most_rows))]
    try:
        resolve(table, completed)
    except InvalidInputError as error:
        return Preview(completed, table.header, rows, str(error))
    return Preview(completed, table.header, rows, "")


def _first_block(table: TableFile) -> Block:
    return next(table.blocks(), Block([[] for _ in table.header], 0, 0, 0))


def run_import(job: ImportJob, history: History, writer: ImportWriter | None, tell: Tell) -> ImportResult:
    """Import a table; without a writer, look what would happen and write nothing.

    Going on after a kill repeats at most one block, and repeating changes nothing.

    Raises:
        InvalidInputError: the file cannot be read as the plan says.
        StorageError: the file cannot be read, the journal not written, or the disk has too little room left.
        UnavailableError: the store is away, or the historian does not take up what was imported before.
    """
    return _Import(job, history, writer, tell).run()


class _Import:
    def __init__(self, job: ImportJob, history: History, writer: ImportWriter | None, tell: Tell) -> None:
        self._job = job
        self._history = history
        self._writer = writer
        self._tell = tell
        self._table = open_table(job.file, job.plan)
        first = _first_block(self._table)
        self._plan = complete(self._table, [column[:_SAMPLE_ROWS] for column in first.columns], job.plan)
        self._names = Names(job.factory, job.known)
        state = read_state(job.state_file, job.token) if writer is not None else None
        self._state = state or ImportState(job.token, 0, 0, Tally())
        self._tally = self._state.tally
        before = (self._names.resolve(key.device, key.parameter) for key in self._state.series)
        self._used = {one for one in before if isinstance(one, int)}
        reading = resolve(self._table, self._plan)
        self._translator = Translator(self._table.header, reading, self._names, self._tally)
        self._began = self._told = time.monotonic()
        self._began_at = self._state.position

    def run(self) -> ImportResult:
        for block in self._table.blocks(self._state.position, self._state.row):
            self._take(block)
        self._tally.new_series = len(self._used & self._names.new)
        self._tally.known_series = len(self._used) - self._tally.new_series
        return ImportResult(self._plan, self._tally, tuple(self._series()))

    def _take(self, block: Block) -> None:
        samples = self._translator.samples(block)
        samples = without_devices_own(samples, self._history, self._tally)
        self._tally.samples += len(samples)
        self._used.update(set(samples.series.tolist()))
        if self._writer is not None:
            if len(samples):
                check_room(self._writer.folder)
                self._writer.wait_for_room()
                self._writer.append(samples, self._names.keys, texts=self._translator.texts.records())
            failpoint("import_block_written")
            row = block.first_row + block.rows + block.refused.total()
            state = ImportState(self._job.token, block.end, row, self._tally, tuple(self._series()))
            write_state(self._job.state_file, state)
        self._report(block.end)

    def _series(self) -> Iterable[SeriesKey]:
        return (self._names.keys[one] for one in sorted(self._used))

    def _report(self, position: int) -> None:
        now = time.monotonic()
        if now - self._told < _TELL_EVERY_S and position < self._table.size:
            return
        self._told = now
        share = position / max(1, self._table.size)
        done = max(1, position - self._began_at)
        left_s = (now - self._began) * (self._table.size - position) / done
        doing = "Importing" if self._writer is not None else "Looking through"
        self._tell(
            min(share, 1.0), f"{doing}: {self._tally.rows:,} rows, {self._tally.samples:,} samples, {left_s:.0f} s left"
        )
