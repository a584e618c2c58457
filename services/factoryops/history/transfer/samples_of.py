"""From rows of a table to samples in columns: times, names, values and what could not be used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from factoryops.domain.samples import SampleColumns, SampleFlag, text_code
from factoryops.domain.time import now_us
from factoryops.history.transfer.blocks import Block, Column, text_of
from factoryops.history.transfer.cells import CellKind, read_cells
from factoryops.history.transfer.moments import TimeFault, is_ambiguous, read_times
from factoryops.history.transfer.names import Names
from factoryops.history.transfer.reading import Reading, ValueColumn
from factoryops.history.transfer.tally import EXAMPLES_PER_REASON, Tally

FUTURE_LIMIT_US: Final = 600_000_000
MOST_TEXTS: Final = 1_000
"""Different texts one import may bring."""

LONGEST_TEXT: Final = 200
_TIME_REASONS: Final = {
    TimeFault.NOT_A_TIME: "invalid_timestamp",
    TimeFault.SKIPPED: "skipped_local_time",
    TimeFault.AMBIGUOUS: "ambiguous_local_time",
}


@dataclass(slots=True)
class Texts:
    """Texts that occurred, by code."""

    factory: str
    codes: dict[str, int] = field(default_factory=dict)

    def code(self, text: str) -> int:
        """The code of a text; 0 when there are too many or it is too long."""
        known = self.codes.get(text)
        if known is None:
            if len(self.codes) >= MOST_TEXTS or len(text) > LONGEST_TEXT or not text.isprintable():
                return 0
            known = self.codes[text] = text_code(self.factory, text)
        return known

    def records(self) -> dict[int, tuple[str, str]]:
        """As the journal keeps them."""
        return {code: (self.factory, text) for text, code in self.codes.items()}


class Translator:
    """Turns blocks of one table into samples; counts what it leaves out."""

    def __init__(self, header: list[str], reading: Reading, names: Names, tally: Tally) -> None:
        self._header = header
        self._reading = reading
        self._names = names
        self._tally = tally
        self.texts = Texts(names.factory)

    def samples(self, block: Block) -> SampleColumns:
        """The usable samples of a block, ordered by series and time, one per series and time."""
        tally = self._tally
        tally.rows += block.rows + block.refused.total()
        for reason, count in block.refused.items():
            tally.refuse(reason, count)
        times, is_timed = self._times(block)
        series = self._series_of_rows(block)
        parts = [self._column(block, column, times, is_timed, series) for column in self._reading.values]
        joined = SampleColumns.joined([part for part in parts if len(part)])
        ordered = joined.sorted_unique()
        tally.repeated += len(joined) - len(ordered)
        if len(ordered):
            tally.cover(int(ordered.time_us.min()), int(ordered.time_us.max()))
        return ordered

    # --- times -------------------------------------------------------------------------------------------------------

    def _times(self, block: Block) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        place = self._reading.time_place
        column = block.columns[place]
        times, faults = read_times(column, self._reading.rule)
        for fault, reason in _TIME_REASONS.items():
            self._refuse(block, place, reason, faults == fault)
        is_good = faults == TimeFault.NONE
        is_early, is_late = is_good & (times < 0), is_good & (times > now_us() + FUTURE_LIMIT_US)
        self._refuse(block, place, "before_1970", is_early)
        self._refuse(block, place, "future_time", is_late)
        self._count_ambiguous(times[is_good])
        return times, is_good & ~is_early & ~is_late

    def _count_ambiguous(self, times: npt.NDArray[np.int64]) -> None:
        zone = self._reading.rule.zone
        if zone.key == "UTC" or not len(times):
            return
        hours, counts = np.unique(times // 1_800_000_000, return_counts=True)
        for hour, count in zip(hours.tolist(), counts.tolist(), strict=True):
            if is_ambiguous(hour * 1_800_000_000, zone):
                self._tally.ambiguous += count

    # --- names -------------------------------------------------------------------------------------------------------

    def _series_of_rows(self, block: Block) -> npt.NDArray[np.int64] | None:
        """Of a long table, the series of each row (0: none); None for a wide one."""
        place = self._reading.parameter_place
        if place is None:
            return None
        parameters = self._named(block.columns[place])
        devices = self._devices(block, self._reading.values[0])
        return self._lookup(block, place, devices, parameters)

    def _devices(self, block: Block, column: ValueColumn) -> list[str]:
        if column.device is not None or self._reading.device_place is None:
            return [column.device or ""] * block.rows
        return self._named(block.columns[self._reading.device_place])

    def _named(self, column: Column) -> list[str]:
        if not isinstance(column, list):
            return [str(cell) for cell in column.tolist()]
        meant = {cell: self._reading.meant(cell) for cell in set(column)}
        return [meant[cell] for cell in column]

    def _lookup(self, block: Block, place: int, devices: list[str], parameters: list[str]) -> npt.NDArray[np.int64]:
        pairs = list(zip(devices, parameters, strict=True))
        found = {pair: self._names.resolve(*pair) for pair in dict.fromkeys(pairs)}
        for reason in {one for one in found.values() if isinstance(one, str)}:
            bad = np.fromiter((found[pair] == reason for pair in pairs), np.bool_, len(pairs))
            self._refuse(block, place, reason, bad)
        ids = {pair: one if isinstance(one, int) else 0 for pair, one in found.items()}
        return np.fromiter(map(ids.__getitem__, pairs), np.int64, len(pairs))

    def _series_of_column(self, block: Block, column: ValueColumn) -> npt.NDArray[np.int64]:
        parameter = column.parameter or ""
        if column.device is None:
            return self._lookup(block, column.place, self._devices(block, column), [parameter] * block.rows)
        found = self._names.resolve(column.device, parameter)
        if isinstance(found, str):
            self._refuse(block, column.place, found, np.ones(block.rows, np.bool_))
            found = 0
        return np.full(block.rows, found, np.int64)

    # --- values ------------------------------------------------------------------------------------------------------

    def _column(
        self,
        block: Block,
        column: ValueColumn,
        times: npt.NDArray[np.int64],
        is_timed: npt.NDArray[np.bool_],
        series: npt.NDArray[np.int64] | None,
    ) -> SampleColumns:
        values, kinds = read_cells(block.columns[column.place], self._reading.decimal)
        self._note_ours(block, kinds)
        ids = self._series_of_column(block, column) if series is None else series
        usable = is_timed & (ids != 0)
        flags = np.zeros(block.rows, np.uint8)
        flags[kinds == CellKind.BOOLEAN] = SampleFlag.BOOLEAN
        values = np.where(kinds == CellKind.NUMBER, values * column.scale + column.offset, values)
        if (kinds == CellKind.TEXT).any():
            self._read_texts(block, column, values, kinds, flags)
        is_infinite = (kinds == CellKind.NOT_FINITE) | ((kinds == CellKind.NUMBER) & ~np.isfinite(values))
        self._refuse(block, column.place, "not_finite", is_infinite & usable)
        usable &= (kinds != CellKind.EMPTY) & ~is_infinite & np.isfinite(values)
        self._tally.booleans += int((usable & (kinds == CellKind.BOOLEAN)).sum())
        self._tally.texts += int((usable & (kinds == CellKind.TEXT)).sum())
        return SampleColumns(ids[usable], times[usable], values[usable], flags[usable])

    def _note_ours(self, block: Block, kinds: npt.NDArray[np.uint8]) -> None:
        """Truths and texts of our own Parquet layout, whose columns have one type each."""
        reading = self._reading
        if reading.text_place is None or reading.flags_place is None:
            return
        numbers = read_cells(block.columns[reading.flags_place])[0]
        flags = np.where(np.isfinite(numbers), numbers, 0.0).astype(np.int64)
        kinds[((flags & SampleFlag.BOOLEAN) != 0) & (kinds == CellKind.NUMBER)] = CellKind.BOOLEAN
        kinds[(flags & SampleFlag.TEXT) != 0] = CellKind.TEXT

    def _read_texts(
        self,
        block: Block,
        column: ValueColumn,
        values: npt.NDArray[np.float64],
        kinds: npt.NDArray[np.uint8],
        flags: npt.NDArray[np.uint8],
    ) -> None:
        """Texts become codes where the plan keeps them, else faults; changes the arrays in place."""
        places = np.flatnonzero(kinds == CellKind.TEXT)
        is_bad = np.zeros(block.rows, np.bool_)
        ours = self._reading.text_place
        if not self._reading.plan.has_texts and ours is None:
            is_bad[places] = True
            self._refuse(block, column.place, "not_a_number", is_bad)
            return
        cells = block.columns[column.place if ours is None else ours]
        codes = np.array(
            [self.texts.code(self._reading.meant(text_of(cells, place))) for place in places.tolist()], np.float64
        )
        is_bad[places] = codes == 0
        self._refuse(block, column.place, "too_many_texts", is_bad)
        values[places] = np.where(codes == 0, np.nan, codes)
        flags[places] = SampleFlag.TEXT

    def _refuse(self, block: Block, place: int, reason: str, is_bad: npt.NDArray[np.bool_]) -> None:
        count = int(is_bad.sum())
        if count:
            examples = np.flatnonzero(is_bad)[:EXAMPLES_PER_REASON].tolist()
            self._tally.refuse(reason, count, self._examples(block, place, examples))

    def _examples(self, block: Block, place: int, rows: Iterable[int]) -> Iterable[tuple[int, str, str]]:
        cells = block.columns[place]
        return [(block.first_row + row, self._header[place], text_of(cells, row)) for row in rows]
