"""One factory's way to its bucket, with a pace of its own."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from factoryops.domain.errors import UnavailableError
from factoryops.domain.time import now_us
from factoryops.history.backoff import Backoff
from factoryops.history.influx.marker import Promise
from factoryops.history.intake import Intake, Sheaf
from factoryops.journal.reader import JournalReader
from factoryops.observability.heartbeat import Problem

logger = logging.getLogger(__name__)


class Lane:
    """What is known of the way while the service runs.

    Attributes:
        may_repeat: an upload may have got through without our knowing, so flags are written even where none is set.
        behind: journal -> last row contained, while samples are held back; empty while they go straight through.
        problem: why they are held back.
        promise: what must be found in the bucket.
    """

    def __init__(self, factory: str, behind: Mapping[str, int], promise: Promise) -> None:
        self.factory = factory
        self.promise = promise
        self.may_repeat = True
        self.behind = dict(behind)
        self.problem: Problem | None = None
        self.backoff = Backoff()
        self._intake: Intake | None = None

    def failed(self, error: UnavailableError) -> None:
        """The bucket did not take what was sent."""
        since_us = self.problem.since_us if self.problem else now_us()
        if self.problem is None or self.problem.message != str(error):
            logger.warning("%s", error)
        self.problem = Problem("bucket_away", str(error), since_us)
        self.doubt()
        self.backoff.failed(asked_s=error.retry_after_s)
        self._forget()

    def doubt(self) -> None:
        """An upload failed: it may have got through, and the server that answers next may be another."""
        self.may_repeat = True
        self.promise.doubt()

    def succeeded(self) -> None:
        """The bucket took what was sent."""
        self.problem = None
        self.may_repeat = False
        self.backoff.succeeded()

    def read(self, journals: Mapping[str, Path], fronts: Mapping[str, int], *, most_samples: int) -> Sheaf:
        """The next samples that are held back, of this factory alone, up to the fronts."""
        if self._intake is None:
            self._intake = Intake(journals, self)
        self._intake.read(most_samples=most_samples, through=fronts)
        return _only(self._intake.sheaf(), self.factory)

    def front(self, journal: str) -> int:
        """Where to read on."""
        return self.behind.get(journal, 0)

    def moved(self, sheaf: Sheaf, to: Mapping[str, int], fronts: Mapping[str, int]) -> None:
        """What was read is in the bucket, up to the rows `to`."""
        if self._intake is not None:
            self._intake.sealed(sheaf)
        self.behind |= to
        if self.is_at(fronts):
            self.behind = {}
            self._forget()

    def is_at(self, fronts: Mapping[str, int], moved: Mapping[str, int] | None = None) -> bool:
        """Whether nothing is held back any more once `moved` is contained."""
        behind = {**self.behind, **(moved or {})}
        return all(behind.get(journal, 0) >= front for journal, front in fronts.items())

    def lost(self, journals: Mapping[str, Path], fronts: Mapping[str, int]) -> dict[str, int]:
        """Journals in which the rest up to the front is not there any more: they were damaged and begun anew."""
        return {
            name: front
            for name, front in fronts.items()
            if self.front(name) < front and _last_row(journals[name]) >= front
        }

    def _forget(self) -> None:
        if self._intake is not None:
            self._intake.close()
            self._intake = None

    def close(self) -> None:
        """Let go of the journals."""
        self._forget()


def _only(sheaf: Sheaf, factory: str) -> Sheaf:
    keys = {series: key for series, key in sheaf.keys.items() if key.factory == factory}
    samples = sheaf.samples.take(np.isin(sheaf.samples.series, np.fromiter(keys, np.int64, len(keys))))
    return Sheaf(samples, keys, sheaf.gaps, sheaf.checkpoints, sheaf.texts, sheaf.clocks)


def _last_row(path: Path) -> int:
    reader = JournalReader(path)
    try:
        return reader.end()[0]
    finally:
        reader.close()
