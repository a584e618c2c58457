"""The InfluxDB store: the historian's side, an upload from under the journal.

Every factory's bucket has its own pace (decision 0025). While one does not let us in, its samples stay in the journals
and are read from there again; all others go on.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from factoryops.domain.errors import InvalidInputError, UnavailableError
from factoryops.domain.retention import RetentionPlan
from factoryops.domain.samples import SampleColumns, SeriesKey
from factoryops.domain.time import US_PER_S, now_us
from factoryops.history.clock_changes import ClockChange
from factoryops.history.influx.delivery import Delivery, Parcel, deliver, pack
from factoryops.history.influx.lane import Lane
from factoryops.history.influx.lines import SeriesName, name_of
from factoryops.history.influx.marker import look, mark_upload
from factoryops.history.influx.reader import InfluxHistoryReader
from factoryops.history.influx.roller import Roller
from factoryops.history.influx.state import State
from factoryops.history.influx.tokens import ClosedBucketError
from factoryops.history.influx.transport import InfluxConfig
from factoryops.history.influx.upload import Upload
from factoryops.history.merging import runs
from factoryops.history.store import NO_TEXTS
from factoryops.journal.failpoint import failpoint
from factoryops.journal.records import NEVER_TOLD, Gap
from factoryops.observability.heartbeat import Problem

logger = logging.getLogger(__name__)

_BUCKETS_ASKED: Final = 2
"""So many buckets without an answer, and none with one: the server is away."""
_AT_ONCE: Final = 100_000
_MOST_SPANS: Final = 16
_SHORT_GAP_US: Final = 60 * US_PER_S

Texts = Mapping[int, tuple[str, str]]


class InfluxHistory(InfluxHistoryReader):
    """A HistoryStore in InfluxDB; one process uploads, and in it one thread at a time.

    "Replaced" is counted so: a sample newer than its series' newest is stored; of an older one the server is asked
    whether it is there. Only when a crash fell between upload and checkpoint, an older sample that was in that upload
    counts as replaced though it was stored: the sum stays right.

    Args:
        journals: journal name -> file, to read again what was held back.

    Raises:
        SetupError: the state file was written by a newer program.
        StorageError: it cannot be written.
    """

    def __init__(self, config: InfluxConfig, state_path: Path, journals: Mapping[str, Path]) -> None:
        super().__init__(config, state_path)
        self._journals = journals
        self._state = State(state_path)
        self._upload = Upload(self._transport, most_lines=config.most_lines)
        lagging = self._state.lagging()
        self._roller = Roller(config, self._state, self._transport, self._upload, self._named)
        self._lanes = {
            factory: Lane(factory, lagging.get(factory, {}), self._state.promise(factory))
            for factory in {*self._state.factories(), *lagging}
        }
        self.was_damaged = self._state.was_damaged
        if self.was_damaged:
            self._record_damage()

    def _record_damage(self) -> None:
        reason = (
            "The state file of the upload to InfluxDB was damaged and has been set aside. What the journal holds is "
            "uploaded again; older samples are in InfluxDB still, series come back into view with their next sample."
        )
        with self._state.transaction():
            self._state.books.add_gaps([Gap(0, now_us(), reason, told_us=NEVER_TOLD)])
            self._state.distrust_rollups(now_us())

    def append(
        self,
        samples: SampleColumns,
        keys: Mapping[int, SeriesKey],
        *,
        gaps: Sequence[Gap],
        checkpoints: Mapping[str, int],
        texts: Texts = NO_TEXTS,
        clocks: Sequence[ClockChange] = (),
    ) -> None:
        """Upload it, then move the state; see HistoryStore.append.

        Refused singly, by reason: values that are not finite, times InfluxDB cannot hold, keys that are not text, and
        what the server refuses; the server's words are kept in the state file's table `refused_value`. What a bucket
        does not take at the moment is held back.
        """
        if self._state.books.holds(checkpoints):
            return
        writable = self._learn(keys)
        parts = self._by_factory(samples, keys)
        failpoint("before_upload")
        delivered, failures = self._deliver_all(parts, texts)
        failpoint("after_upload_before_checkpoint")
        unknown = pack(samples.take(~np.isin(samples.series, np.fromiter(keys, np.int64, len(keys)))), {})
        nobody_s = Delivery(SampleColumns.empty(), 0, 0, unknown.refused, ())
        held = {factory: len(part) for factory, part in parts.items() if factory not in delivered}
        fronts = {journal: self._state.front(journal) for journal in self._journals}
        with self._state.transaction():
            self._state.books.add_series(writable)
            self._state.books.add_texts(texts)
            self._state.books.add_gaps(gaps)
            self._state.books.add_clocks(clocks)
            self._state.books.move_checkpoints(checkpoints)
            self._record({**delivered, "": nobody_s})
            for factory, count in held.items():
                self._state.hold_back(factory, fronts, count)
        self._remember(delivered, writable, texts)
        for factory, error in failures.items():
            self._lane(factory).behind = fronts
            self._lane(factory).failed(error)

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

    def _by_factory(self, samples: SampleColumns, keys: Mapping[int, SeriesKey]) -> dict[str, SampleColumns]:
        series: dict[str, list[int]] = {}
        present = np.unique(samples.series).tolist()
        for one in present:
            if one in keys:
                series.setdefault(keys[one].factory, []).append(one)
        if [len(ours) for ours in series.values()] == [len(present)]:
            return dict.fromkeys(series, samples)
        return {factory: samples.take(np.isin(samples.series, ours)) for factory, ours in series.items()}

    def _deliver_all(
        self, parts: Mapping[str, SampleColumns], texts: Texts
    ) -> tuple[dict[str, Delivery], dict[str, UnavailableError]]:
        """What went through, and why the rest did not; raises UnavailableError when the whole server is away."""
        delivered: dict[str, Delivery] = {}
        failures: dict[str, UnavailableError] = {}
        away: list[UnavailableError] = []
        for factory, part in parts.items():
            if self._lane(factory).behind:
                continue
            try:
                delivered[factory] = self._deliver(factory, part, texts)
            except UnavailableError as error:
                failures[factory] = error
                self._lane(factory).doubt()
                away += [] if isinstance(error, ClosedBucketError) else [error]
            if len(away) == _BUCKETS_ASKED and not delivered:
                break
        if away and not delivered:
            raise away[0]
        return delivered, failures

    def _lane(self, factory: str) -> Lane:
        if factory not in self._lanes:
            self._lanes[factory] = Lane(factory, {}, self._state.promise(factory))
        return self._lanes[factory]

    def _deliver(self, factory: str, samples: SampleColumns, texts: Texts) -> Delivery:
        lane = self._lane(factory)
        if lane.promise.is_due:
            look(self._transport, self._config, factory, lane.promise)
        names = self._named(np.unique(samples.series).tolist())
        parcel = pack(samples, names)
        is_present = self._present(factory, parcel, names)
        delivery = deliver(
            self._upload, factory, parcel, names, texts, is_present=is_present, may_repeat=lane.may_repeat
        )
        return replace(delivery, marker=mark_upload(self._transport, factory))

    def _present(self, factory: str, parcel: Parcel, names: Mapping[int, SeriesName]) -> npt.NDArray[np.bool_]:
        """Which samples take the place of a stored one; newer ones than the series' newest need no question."""
        samples, last_us = parcel.samples, self._state.books.last_us
        present = np.zeros(len(samples), np.bool_)
        asked: dict[SeriesName, tuple[int, int]] = {}
        for series, low, high in runs(samples.series):
            if samples.time_us[low] <= last_us.get(series, int(samples.time_us[low]) - 1):
                asked[names[series]] = (low, high)
        times = [samples.time_us[low:high] for low, high in asked.values()]
        for span in _spans(np.unique(np.concatenate(times))) if times else ():
            for name, time_us in self._stored_times(factory, list(asked), span):
                low, high = asked[name]
                present[low:high] |= np.isin(samples.time_us[low:high], time_us, assume_unique=True)
        return present

    def _record(self, delivered: Mapping[str, Delivery]) -> None:
        books = self._state.books
        for factory, one in delivered.items():
            books.add_latest(one.kept)
            self._state.mark_unrolled(one.kept)
            books.count(stored=one.stored, replaced=one.replaced, refused=one.refused)
            self._state.keep_refused(factory, one.put_aside)
            if one.marker is not None:
                self._lane(factory).promise.uploaded(one.marker)
                self._state.keep_promise(factory, self._lane(factory).promise)
        self._state.add_buckets([factory for factory in delivered if factory])

    def _remember(self, delivered: Mapping[str, Delivery], keys: Mapping[int, SeriesKey], texts: Texts) -> None:
        """The transaction is on disk: the same in memory."""
        self._state.books.committed(keys, texts)
        for factory in delivered:
            self._lane(factory).succeeded()

    def tidy(self, *, budget_s: float) -> int:
        """Bring what was held back, a piece at a time, to buckets that may be asked again; roll up; how many lag."""
        for lane in self._lanes.values():
            if lane.behind and lane.backoff.is_over():
                try:
                    self._catch_up(lane)
                except UnavailableError as error:
                    lane.failed(error)
        for factory in self._roller.run(budget_s=budget_s):
            self._lane(factory).doubt()
        return sum(1 for lane in self._lanes.values() if lane.behind)

    def _catch_up(self, lane: Lane) -> None:
        fronts = {journal: self._state.front(journal) for journal in self._journals}
        sheaf = lane.read(self._journals, fronts, most_samples=_AT_ONCE)
        moved = sheaf.checkpoints or lane.lost(self._journals, fronts)
        writable = self._learn(sheaf.keys)
        delivery = self._deliver(lane.factory, sheaf.samples, sheaf.texts)
        with self._state.transaction():
            self._state.books.add_series(writable)
            self._state.books.add_texts(sheaf.texts)
            self._state.books.add_gaps(sheaf.gaps)
            self._state.books.add_clocks(sheaf.clocks)
            self._record({lane.factory: delivery})
            self._state.catch_up(lane.factory, moved, len(sheaf.samples))
            if lane.is_at(fronts, moved):
                self._state.caught_up(lane.factory)
        self._remember({lane.factory: delivery}, writable, sheaf.texts)
        lane.moved(sheaf, moved, fronts)

    def retain(self, plan: RetentionPlan, *, budget_s: float) -> bool:
        """Nothing to do here: buckets expire by themselves, as `factoryops-service influx setup` has told them."""
        return True

    def problems(self) -> Sequence[Problem]:
        """Why samples are held back, and what InfluxDB has lost."""
        found = (
            (lane.factory, problem)
            for lane in self._lanes.values()
            for problem in (lane.problem, lane.promise.problem(self._config.bucket(lane.factory)))
        )
        return [msgspec.structs.replace(one, factory=factory) for factory, one in found if one is not None]

    def close(self) -> None:
        """Let go of connections and files."""
        for lane in self._lanes.values():
            lane.close()
        super().close()
        self._state.close()


def _spans(time_us: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """A few spans that cover all times, which ascend, with the widest gaps between them left out."""
    gaps = np.diff(time_us)
    widest = np.sort(np.argsort(gaps)[::-1][: _MOST_SPANS - 1])
    edges = widest[gaps[widest] > _SHORT_GAP_US] + 1
    return [(int(part[0]), int(part[-1]) + 1) for part in np.split(time_us, edges)]
