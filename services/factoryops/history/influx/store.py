"""The InfluxDB store: the historian's side, an upload from under the journal.

The state file says how far the upload has come; it moves only after the server has confirmed every line. A crash in
between sends the same lines again, which overwrite themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import apsw
import numpy as np
import numpy.typing as npt

from factoryops.domain.errors import InvalidInputError, StorageError
from factoryops.domain.samples import SampleColumns, SeriesKey
from factoryops.domain.time import now_us
from factoryops.history.books import Books, open_for_writing
from factoryops.history.influx.lines import (
    EARLIEST_US,
    LATEST_US,
    SAMPLES,
    escape,
    flag_lines,
    head_of,
    name_of,
    sample_lines,
)
from factoryops.history.influx.reader import InfluxHistoryReader
from factoryops.history.influx.transport import InfluxConfig
from factoryops.history.influx.upload import RefusedValue, Upload
from factoryops.history.merging import runs
from factoryops.history.store import NO_TEXTS
from factoryops.journal.failpoint import failpoint
from factoryops.journal.records import Gap
from factoryops.journal.writer import set_aside
from factoryops.observability.heartbeat import Problem

logger = logging.getLogger(__name__)

VERSION: Final = 1
REFUSED_KEPT: Final = 20_000

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS bucket (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refused_value (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    refused_us INTEGER NOT NULL,
    bucket TEXT NOT NULL,
    line TEXT NOT NULL,
    words TEXT NOT NULL
);
"""

_ADD_REFUSED: Final = "INSERT INTO refused_value (refused_us, bucket, line, words) VALUES (?, ?, ?, ?)"
_TRIM_REFUSED: Final = "DELETE FROM refused_value WHERE number <= (SELECT max(number) FROM refused_value) - ?"


@dataclass(slots=True)
class _Plan:
    """What is to become of one append's samples.

    Attributes:
        ordered: what is sent: one per series and time, ordered.
        is_present: bool[n], takes the place of a stored sample.
        repeated: samples that a later one of the same append replaced.
        refused: values that cannot be sent, by reason.
        texts: what the text codes in it stand for.
    """

    ordered: SampleColumns
    is_present: npt.NDArray[np.bool_]
    repeated: int
    refused: dict[str, int] = field(default_factory=dict)
    texts: Mapping[int, tuple[str, str]] = field(default_factory=dict)


class InfluxHistory(InfluxHistoryReader):
    """A HistoryStore in InfluxDB; one process uploads, and in it one thread at a time.

    "Replaced" is counted so: a sample newer than its series' newest is stored; of an older one the server is asked
    whether it is there. Only when a crash fell between upload and checkpoint, an older sample that was in that upload
    counts as replaced though it was stored: the sum stays right.

    Raises:
        SetupError: the state file was written by a newer program.
        StorageError: it cannot be written.
    """

    def __init__(self, config: InfluxConfig, state_path: Path) -> None:
        super().__init__(config, state_path)
        self._state_path = state_path
        self.was_damaged = False
        self._connection = self._open_or_set_aside()
        self._books = Books(self._connection)
        self._buckets = {str(row[0]) for row in self._connection.execute("SELECT name FROM bucket")}
        self._upload = Upload(self._transport, self._buckets, most_lines=config.most_lines)
        self._may_repeat = True
        if self.was_damaged:
            self._record_damage()

    def _open_or_set_aside(self) -> apsw.Connection:
        try:
            connection = open_for_writing(self._state_path, version=VERSION, schema=_SCHEMA)
            if connection.pragma("quick_check") == "ok":
                return connection
            connection.close()
        except (apsw.NotADBError, apsw.CorruptError) as error:
            logger.warning("The state file of the upload is damaged: %s", error)
        set_aside(self._state_path)
        self.was_damaged = True
        return open_for_writing(self._state_path, version=VERSION, schema=_SCHEMA)

    def _record_damage(self) -> None:
        reason = (
            "The state file of the upload to InfluxDB was damaged and has been set aside. What the journal holds is "
            "uploaded again; older samples are in InfluxDB still, series come back into view with their next sample."
        )
        self.append(SampleColumns.empty(), {}, gaps=[Gap(0, now_us(), reason)], checkpoints={})

    def append(
        self,
        samples: SampleColumns,
        keys: Mapping[int, SeriesKey],
        *,
        gaps: Sequence[Gap],
        checkpoints: Mapping[str, int],
        texts: Mapping[int, tuple[str, str]] = NO_TEXTS,
    ) -> None:
        """Upload it, then move the state; see HistoryStore.append.

        Refused singly, by reason: values that are not finite, times InfluxDB cannot hold, keys that are not text, and
        what the server refuses; the server's words are kept in the state file's table `refused_value`.
        """
        if self._books.holds(checkpoints):
            return
        writable = self._learn(keys)
        plan = self._plan(samples, texts)
        failpoint("before_upload")
        try:
            refused = self._send(plan)
        except BaseException:
            self._may_repeat = True
            raise
        failpoint("after_upload_before_checkpoint")
        self._record(plan, refused, writable, gaps, checkpoints)
        self._may_repeat = False

    def _learn(self, keys: Mapping[int, SeriesKey]) -> dict[int, SeriesKey]:
        """Those of `keys` that InfluxDB can name."""
        writable: dict[int, SeriesKey] = {}
        for series, key in keys.items():
            try:
                if series not in self._names:
                    self._names[series] = name_of(key)
                writable[series] = key
            except InvalidInputError as error:
                logger.warning("%s Its samples are refused.", error)
        return writable

    def _plan(self, samples: SampleColumns, texts: Mapping[int, tuple[str, str]]) -> _Plan:
        named = np.fromiter(self._named(np.unique(samples.series).tolist()), np.int64)
        is_finite = np.isfinite(samples.value)
        is_in_range = (samples.time_us >= EARLIEST_US) & (samples.time_us <= LATEST_US)
        is_named = np.isin(samples.series, named)
        refused = {
            "not_finite": int((~is_finite).sum()),
            "time_out_of_range": int((is_finite & ~is_in_range).sum()),
            "not_encodable": int((is_finite & is_in_range & ~is_named).sum()),
        }
        fit = samples.take(is_finite & is_in_range & is_named)
        ordered = fit.sorted_unique()
        return _Plan(ordered, self._present(ordered), len(fit) - len(ordered), refused, texts)

    def _present(self, ordered: SampleColumns) -> npt.NDArray[np.bool_]:
        """Which samples take the place of a stored one; newer ones than the series' newest need no question."""
        present = np.zeros(len(ordered), np.bool_)
        for series, low, high in runs(ordered.series):
            newest_us = self._books.last_us.get(series)
            if newest_us is not None and ordered.time_us[low] <= newest_us:
                times = ordered.time_us[low:high]
                end_us = min(int(times[-1]), newest_us) + 1
                stored = self.raw(series, int(times[0]), end_us, most=1 << 62)
                present[low:high] = np.isin(times, stored.time_us, assume_unique=True)
        return present

    def _send(self, plan: _Plan) -> list[RefusedValue]:
        """Upload every factory's lines to its bucket."""
        present = np.unique(plan.ordered.series)
        by_factory: dict[str, list[int]] = {}
        for one, name in self._named(present.tolist()).items():
            by_factory.setdefault(name.factory, []).append(one)
        refused: list[RefusedValue] = []
        for factory, series in by_factory.items():
            is_ours = np.isin(plan.ordered.series, series)
            ours = plan.ordered.take(is_ours)
            needs_flag = (ours.flags != 0) | plan.is_present[is_ours] | self._may_repeat
            names = {one: self._names[one] for one in series}
            lines = [*sample_lines(ours, names), *flag_lines(ours.take(needs_flag), names)]
            refused += self._upload.send(self._config.bucket(factory), lines)
        return refused

    def _record(
        self,
        plan: _Plan,
        refused: Sequence[RefusedValue],
        keys: Mapping[int, SeriesKey],
        gaps: Sequence[Gap],
        checkpoints: Mapping[str, int],
    ) -> None:
        is_kept = self._kept(plan.ordered, refused) if refused else np.ones(len(plan.ordered), np.bool_)
        kept = plan.ordered.take(is_kept)
        replaced = plan.repeated + int(plan.is_present[is_kept].sum())
        stored = len(kept) - int(plan.is_present[is_kept].sum())
        turned_away = {**plan.refused, "refused_by_store": len(plan.ordered) - len(kept)}
        with self._transaction():
            self._books.add_series(keys)
            self._books.add_texts(plan.texts)
            self._books.add_latest(kept)
            self._books.add_gaps(gaps)
            self._books.count(stored=stored, replaced=replaced, refused=turned_away)
            self._books.move_checkpoints(checkpoints)
            self._connection.executemany("INSERT OR IGNORE INTO bucket VALUES (?)", [(one,) for one in self._buckets])
            self._keep_refused(refused)
        self._books.committed(kept, keys, plan.texts)

    def _kept(self, ordered: SampleColumns, refused: Sequence[RefusedValue]) -> npt.NDArray[np.bool_]:
        is_kept = np.ones(len(ordered), np.bool_)
        gone: dict[tuple[str, str, int], list[str]] = {}
        for one in refused:
            gone.setdefault((one.bucket, one.line.head, one.line.time_us), []).append(one.line.fields[0])
        for index, (series, time_us) in enumerate(zip(ordered.series.tolist(), ordered.time_us.tolist(), strict=True)):
            name = self._names[series]
            fields = gone.get((self._config.bucket(name.factory), head_of(SAMPLES, name.device), time_us), ())
            is_kept[index] = not any(field.startswith(escape(name.field) + "=") for field in fields)
        return is_kept

    def _keep_refused(self, refused: Sequence[RefusedValue]) -> None:
        if refused:
            moment = now_us()
            self._connection.executemany(
                _ADD_REFUSED, [(moment, one.bucket, one.line.text, one.words) for one in refused]
            )
            self._connection.execute(_TRIM_REFUSED, (REFUSED_KEPT,))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with self._connection:
                yield
        except apsw.Error as error:
            raise StorageError(
                f"The state file of the upload, {self._state_path}, cannot be written ({error}). "
                "Samples wait in the journal; check the disk and its free space."
            ) from error

    def tidy(self, *, budget_s: float) -> int:
        """Nothing to do here: InfluxDB compacts by itself."""
        return 0

    def problems(self) -> Sequence[Problem]:
        """None: this store has no parts that fail alone."""
        return ()

    def close(self) -> None:
        """Let go of connections and the file."""
        super().close()
        self._connection.close()
